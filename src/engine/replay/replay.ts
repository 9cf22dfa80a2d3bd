/**
 * Replays a session from its journal alone: no model, no tool, no workspace. Everything that belay derived is derived anew
 * and compared: the chain and the bytes of every record, decisions, requests, judgements, amounts, and the folded state.
 *
 * R1: nothing is written, nothing is started, nothing is sent.
 * R2: `equal` means that all of it is the same; what cannot be known from the journal is not claimed.
 */
import { decide } from "../../kernel/decide.ts";
import { FIRST_HASH, hashOf } from "../../kernel/envelope.ts";
import type { Event } from "../../kernel/events/index.ts";
import { emptyState, foldEvent, isUnknown, versionOf } from "../../kernel/fold.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/json.ts";
import { FOLD_VERSION, type SessionState } from "../../kernel/state.ts";
import type { Step } from "../../kernel/step.ts";
import { eventOf, sealedRecord } from "../../store/event-record.ts";
import { readRecords, summaryOf } from "../../store/journal.ts";
import type { EventRecord, SessionRow, StateSnapshot } from "../../store/port.ts";
import type { Host } from "../host.ts";
import { knownPrompts } from "../pinned.ts";
import { noSession } from "../session.ts";
import { checkBatchEvent } from "./batch-decisions.ts";
import { createDecisionCheck } from "./decisions.ts";
import { checkRequest, checkReservation, checkSettlement, rememberedPrices } from "./derived.ts";
import { compared, type Finding, finding } from "./finding.ts";

/** Findings that are kept; all are counted. */
export const FINDINGS_MAX = 1_000;
const PROGRESS_EVERY_EVENTS = 256;

export interface ReplayRequest {
  readonly session: SessionId;
  /** Takes the decisions; the loop's own when absent. */
  readonly decide?: (state: SessionState) => Step;
  /** Called now and then, with the last event seen. */
  readonly onProgress?: (seq: number, of: number) => void;
}

export interface Replay {
  readonly session: SessionId;
  readonly verdict: "equal" | "changed" | "damaged";
  readonly events: number;
  /** How much was derived anew. */
  readonly checked: { readonly decisions: number; readonly requests: number; readonly amounts: number };
  /** Events of kinds or versions that this version cannot derive anything from. */
  readonly unknown: number;
  /** The folded state at the end: SHA-256 of its canonical JSON. */
  readonly state: string;
  readonly findings: readonly Finding[];
  /** All that were found, also those that were not kept. */
  readonly found: number;
}

export async function replaySession(
  host: Pick<Host, "store" | "tools" | "prices" | "home">,
  request: ReplayRequest,
): Promise<Replay> {
  const { store } = host;
  const row = await store.getSession(LOCAL_TENANT, request.session);
  if (row === null) throw noSession(request.session);
  const snapshot = await store.getSnapshot(LOCAL_TENANT, request.session);
  const walk = createWalk(host, request, row, snapshot);
  try {
    for await (const record of readRecords(store, row)) {
      await walk.see(record);
      if (record.seq % PROGRESS_EVERY_EVENTS === 0) request.onProgress?.(record.seq, row.last_seq);
    }
    walk.end();
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "store_corrupt") throw error;
    walk.damaged(error.happened);
  }
  return walk.result();
}

interface Walk {
  see(record: EventRecord): Promise<void>;
  end(): void;
  damaged(what: string): void;
  result(): Replay;
}

function createWalk(
  host: Pick<Host, "store" | "tools" | "prices" | "home">,
  request: ReplayRequest,
  row: SessionRow,
  snapshot: StateSnapshot | null,
): Walk {
  const findings: Finding[] = [];
  const prompts = new Set<string>();
  const prices = rememberedPrices(host);
  const promptAt = knownPrompts(host);
  const judging = { host, redactor: { restoreJson: <T>(value: T): T => value }, place: row.place };
  const decisions = createDecisionCheck(request.decide ?? decide, judging);
  let state = emptyState(row);
  let found = 0;
  const checked = { decisions: 0, requests: 0, amounts: 0 };
  let unknown = 0;
  let damage = false;

  const note = (...some: readonly (Finding | null)[]): void => {
    for (const one of some) {
      if (one === null) continue;
      // A changed prompt is in every request: it is said once.
      if (one.kind === "prompt" && prompts.has(one.recorded)) continue;
      if (one.kind === "prompt") prompts.add(one.recorded);
      found += 1;
      if (findings.length < FINDINGS_MAX) findings.push(one);
      damage ||= one.kind === "damaged";
    }
  };

  const derive = async (event: Event): Promise<void> => {
    if (state.jobs !== null) {
      const check = checkBatchEvent(event, state, state.jobs);
      if (check !== null) checked[event.kind === "BudgetSettled" ? "amounts" : "decisions"] += 1;
      note(...(check ?? []));
      return;
    }
    note(...(await decisions.see(event, state)));
    const { config } = state;
    if (config === null) return;
    if (event.kind === "ModelCallStarted") {
      checked.requests += 1;
      note(...checkRequest(event, state, config, await promptAt(state)));
    } else if (event.kind === "BudgetReserved") {
      checked.amounts += 1;
      note(...(await checkReservation(event, state, config, prices)));
    } else if (event.kind === "BudgetSettled" && !decisions.isDetermined()) {
      checked.amounts += 1;
      note(...(await checkSettlement(event, state, config, prices)));
    }
  };

  return {
    see: async (record) => {
      const event = await eventOf(host.store, row, record);
      if (record.seq !== state.seq + 1) note(finding("damaged", state.seq + 1, "an event", "it is missing"));
      if (event.prev_hash !== state.hash && record.seq > 0)
        note(finding("damaged", record.seq, event.prev_hash, state.seq === 0 ? FIRST_HASH : state.hash));
      if (isUnknown(event)) unknown += 1;
      else {
        note(sameBytes(event, record));
        await derive(event);
      }
      state = foldEvent(state, event);
      if (snapshot?.seq === state.seq) note(sameState(snapshot, state));
    },
    end: () => {
      if (state.seq < row.last_seq) note(finding("damaged", state.seq + 1, "an event", "it is missing"));
      if (state.seq === row.last_seq) note(compared("state", state.seq, row.summary, summaryOf(state)));
    },
    damaged: (what) => note(finding("damaged", state.seq + 1, what, "the replay ends here")),
    result: () => ({
      session: row.session,
      verdict: damage ? "damaged" : found > 0 ? "changed" : "equal",
      events: state.seq,
      checked: { ...checked, decisions: checked.decisions + decisions.count() },
      unknown,
      state: hashOf(canonicalJson(state)),
      findings,
      found,
    }),
  };
}

/** What was read, sealed anew, is what was stored. An older version's payload was brought into today's shape: not compared. */
function sameBytes(event: Event, record: EventRecord): Finding | null {
  if (event.version !== versionOf(event.kind)) return null;
  const { hash, ...unsealed } = event;
  const sealed = sealedRecord(unsealed).record;
  if (sealed.body === record.body && sealed.hash === hash && sealed.blob === record.blob) return null;
  return finding("damaged", record.seq, record.hash, sealed.hash);
}

function sameState(snapshot: StateSnapshot, state: SessionState): Finding | null {
  if (snapshot.fold !== FOLD_VERSION || snapshot.state === canonicalJson(state)) return null;
  return finding("state", snapshot.seq, hashOf(snapshot.state), hashOf(canonicalJson(state)));
}
