/**
 * A session without effects: `decide` names the steps, random choices say what became of them, crashes cut runs off
 * anywhere. Yields journals as they can really occur, for the properties of fold and decide.
 */
import { CLEAN_LABEL } from "../../src/kernel/label.ts";
import { PERMISSION_MODES, type PermissionMode } from "../../src/kernel/permissions.ts";
import { type CallReading, readCall } from "../../src/policy/call-reading.ts";
import { approvalHash, notApproved } from "../../src/engine/ask.ts";
import { endOf } from "../../src/engine/drive.ts";
import { closeCalls, judgeTools, type CallReadings, type Judging, openCall } from "../../src/engine/judge-tools.ts";
import { promptOf } from "../../src/engine/prompt.ts";
import { lostAnswer } from "../../src/engine/recover.ts";
import { answerTokens, requestHash, requestOf } from "../../src/engine/request.ts";
import { plan } from "../../src/engine/run-tools.ts";
import { switched } from "../../src/engine/switch-model.ts";
import { worstCaseTokens } from "../../src/kernel/bound.ts";
import { type Budget, DEFAULT_BUDGET, NO_CAP } from "../../src/kernel/budget.ts";
import { ledgerScopes } from "../../src/kernel/ledger-scopes.ts";
import { seriesOf } from "../../src/kernel/caps.ts";
import { decide } from "../../src/kernel/decide.ts";
import type { Draft, Event } from "../../src/kernel/events/index.ts";
import { sealEvent } from "../../src/kernel/envelope.ts";
import { ERROR_TABLE, type ErrorKind, type RetryLimit } from "../../src/kernel/error-kind.ts";
import { emptyState, foldEvent, isUnknown, parseEvent, versionOf } from "../../src/kernel/fold.ts";
import { createIds, LOCAL_PRINCIPAL, LOCAL_TENANT, parseTreeHash, type ToolCallId } from "../../src/kernel/ids.ts";
import { type ModelPart, textPart } from "../../src/kernel/content.ts";
import type { SessionConfig } from "../../src/kernel/config.ts";
import { DEFAULT_CONTEXT } from "../../src/kernel/work-policy.ts";
import { compact } from "../../src/engine/compact.ts";
import { nextPhase, phaseNote } from "../../src/engine/next-phase.ts";
import type { JsonObject } from "../../src/kernel/json.ts";
import { FALLBACK_REASONS, NO_FALLBACK } from "../../src/kernel/model-policy.ts";
import { modelInUse, phaseOfRun } from "../../src/kernel/model-in-use.ts";
import { NO_MONEY, nanoDollars } from "../../src/kernel/money.ts";
import type { PriceTable } from "../../src/model/model.ts";
import { retryDelay } from "../../src/model/retry.ts";
import { builtInTools } from "../../src/tool/registry.ts";
import type { SessionState, StopReason, ToolStatus } from "../../src/kernel/state.ts";
import type { FinishStep, Step } from "../../src/kernel/step.ts";
import { testConfig } from "./config.ts";

/** Hands out choices; when they are used up, always the first one (which leads to the end). */
export interface Choices {
  pick<T>(options: readonly [T, ...T[]]): T;
  chance(oneIn: number): boolean;
}

export function choicesFrom(numbers: readonly number[]): Choices {
  let index = 0;
  const next = (): number => numbers[index++] ?? 0;
  return {
    pick: (options) => options[next() % options.length] ?? options[0],
    chance: (oneIn) => next() % oneIn === oneIn - 1,
  };
}

export interface Simulated {
  readonly start: SessionState;
  readonly events: readonly Event[];
  readonly state: SessionState;
  readonly steps: readonly Step[];
  /** Of the state in which each step was decided. */
  readonly seqs: readonly number[];
}

const PROVIDER_KINDS = (Object.keys(ERROR_TABLE) as ErrorKind[]).filter(
  (kind) => ERROR_TABLE[kind].subsystem === "provider",
);
const STOPS: readonly [StopReason, ...StopReason[]] = [
  "end_turn",
  "tool_use",
  "tool_use",
  "max_tokens",
  "refusal",
  "pause_turn",
  "stop_sequence",
  "context_window",
];
/** What a simulated model asks for: tools that there are, one that there is not, and an input that does not fit. */
const ASKED: readonly [readonly [string, JsonObject], ...(readonly [string, JsonObject])[]] = [
  ["read", { path: "a" }],
  ["write", { path: "a", content: "b" }],
  ["bash", { command: "true" }],
  ["glob", { pattern: "*" }],
  ["read", { wrong: true }],
  ["launch", {}],
];
/** Judgements, intents and prompts are those of the tools there are. */
export const SIMULATED_TOOLS = builtInTools();
/** The one command that is asked for, read under each mode: reading is asynchronous, and a simulation is not. */
const READ = Object.fromEntries(
  await Promise.all(
    PERMISSION_MODES.map(async (permission_mode) => {
      const standing = {
        config: testConfig({ permission_mode }),
        label: CLEAN_LABEL,
        phase: null,
        userWrote: () => false,
        webNamed: () => false,
        root: "/workspace",
        home: "/home/user",
        now: 0,
      };
      return [
        permission_mode,
        await readCall({ tool: "bash", effect: "execute", input: { command: "true" } }, standing),
      ];
    }),
  ),
) as Readonly<Record<PermissionMode, CallReading>>; // one entry for each mode
const PRICE = { cost: nanoDollars(7), price: "p" };
/** Every call costs the same. */
export const SIMULATED_PRICES: PriceTable = {
  costOf: async () => PRICE,
  batchCostOf: async () => null,
  contextWindow: async () => null,
};
const FALLBACKS = [
  { provider: "anthropic", model: "claude-haiku-4-5" },
  { provider: "openai", model: "gpt-5" },
];
/** So small that every alert is due, and turns end. */
const NEARLY_USED_UP: Budget = {
  caps: [
    { ...NO_CAP, scope: "session", cost: nanoDollars(20) },
    { ...NO_CAP, scope: "turn", cost: nanoDollars(7), tokens: 16 },
    { ...NO_CAP, scope: "run", turns: 4 },
    { ...NO_CAP, scope: "phase:plan", turns: 3 },
  ],
  alert_at: 0.5,
  turn_alert: nanoDollars(1),
};
/** The last ones are so small that the conversation is compacted, or cannot be. */
const WINDOWS: readonly [SessionConfig["context"], ...SessionConfig["context"][]] = [
  DEFAULT_CONTEXT,
  { ...DEFAULT_CONTEXT, window: 24_000 },
  { ...DEFAULT_CONTEXT, window: 14_000, summary: false },
  { ...DEFAULT_CONTEXT, window: 11_000, threshold: 0.5, weigh_every: 2, compact_every: 5 },
];
const PHASES: SessionConfig["phases"] = [
  { name: "explore", tools: ["read"], read_only: true, instructions: "Look." },
  { name: "implement", tools: null, read_only: false, instructions: null },
];
/** Characters of results. */
const LENGTHS: readonly [number, ...number[]] = [0, 10, 3_000, 30_000];
const REFUSALS: readonly [ErrorKind, ...ErrorKind[]] = [
  "budget_held",
  "budget_exceeded",
  "price_unknown",
  "rate_limit",
  "circuit_open",
];
const STATUSES: readonly [ToolStatus, ...ToolStatus[]] = ["ok", "error", "timed_out", "stalled", "canceled"];

/** @param stepsMax the simulation throws when a session takes more: `decide` must end. */
export function simulate(choices: Choices, stepsMax = 2_000): Simulated {
  let tick = 1_000;
  let count = 0;
  const ids = createIds(
    () => 1,
    (n) => {
      count += 1;
      return Uint8Array.from({ length: n }, (_, i) => Math.floor(count / 32 ** i) % 32);
    },
  );
  const session = ids.session();
  const trace = ids.trace();
  const start = emptyState({ tenant: LOCAL_TENANT, principal: LOCAL_PRINCIPAL, session, root: session, trace });
  const events: Event[] = [];
  const steps: Step[] = [];
  const seqs: number[] = [];
  let state = start;
  let epoch = 1;
  let trees = 1;
  const tree = (n: number): ReturnType<typeof parseTreeHash> => parseTreeHash(n.toString(16).padStart(40, "0"));

  const record = (drafts: readonly Draft[]): void => {
    for (const draft of drafts) {
      tick += 5;
      const envelope = {
        tenant: LOCAL_TENANT,
        principal: LOCAL_PRINCIPAL,
        session,
        root: session,
        parent: null,
        run: draft.kind === "RunStarted" ? draft.data.run : (state.run?.id ?? null),
        turn: draft.turn ?? state.turn,
        phase: state.phase,
        seq: state.seq + 1,
        epoch,
        kind: draft.kind,
        version: versionOf(draft.kind),
        at: tick,
        causation: draft.causation ?? null,
        actor: draft.actor ?? ("belay" as const),
        trace,
        span: ids.span(),
        redactions: 0,
        prev_hash: state.hash,
        data: draft.data,
      };
      const { body, hash } = sealEvent(envelope);
      const event = parseEvent(JSON.parse(body) as typeof envelope, hash);
      if (isUnknown(event)) throw new Error("the simulation wrote an unknown event");
      events.push(event);
      state = foldEvent(state, event);
    }
  };

  const config = testConfig({
    limits: { turns: 6, active_ms: 10_000_000, tokens: 400_000 },
    verify: choices.pick([null, "true"]),
    approval: choices.pick(["allow", "ask"]),
    permission_mode: choices.pick(["default", "default", "plan"]),
    models: { ...NO_FALLBACK, fallback: choices.pick([[], FALLBACKS]), fallback_on: [...FALLBACK_REASONS] },
    budget: choices.pick([DEFAULT_BUDGET, NEARLY_USED_UP]),
    context: choices.pick(WINDOWS),
    phases: choices.pick([[], PHASES]),
    review_every: choices.pick([null, null, 3]),
  });
  const judging: Judging = {
    host: { tools: SIMULATED_TOOLS, home: "/home/user" },
    root: "/workspace",
    redactor: { restoreJson: (value) => value },
    state: () => state,
    config: () => config,
  };
  const readings = (calls: readonly ToolCallId[]): CallReadings =>
    new Map(
      calls.flatMap((id) => {
        const { name, input } = openCall(state, id).part;
        return name === "bash" && input["command"] === "true" ? [[id, READ[config.permission_mode]] as const] : [];
      }),
    );
  const startRun = (reason: "start" | "resume"): void =>
    record([{ kind: "RunStarted", data: { run: ids.run(), number: state.runs + 1, reason, pid: 1 } }]);

  record([
    { kind: "SessionCreated", data: { title: "t" } },
    { kind: "SessionConfigured", data: { config } },
  ]);
  startRun("start");
  const phase = phaseOfRun(config, null);
  if (phase !== null) record([{ kind: "PhaseEntered", data: { phase, say: phaseNote(config, phase) } }]);
  record([{ kind: "UserMessageAdded", data: { parts: [{ type: "text", text: "do it", origin: { from: "user" } }] } }]);

  const crash = (): boolean => {
    if (!choices.chance(12) || epoch > 6) return false;
    epoch += 1;
    startRun("resume");
    return true;
  };

  const hashOfCall = (call: ToolCallId): string => approvalHash(openCall(state, call).part);

  const delayOf = (step: Extract<Step, { readonly kind: "wait" }>): number => {
    const { limit } = ERROR_TABLE[step.error] as { readonly limit?: RetryLimit };
    if (limit === undefined) return 0;
    const { count: attempt, waited_ms } = seriesOf(state);
    const random = (): number => choices.pick([0, 0.5, 0.99]);
    const delay = retryDelay({ limit, attempt, waited_ms, retry_after_ms: step.retry_after_ms, random });
    return "delay_ms" in delay ? Math.round(delay.delay_ms) : 0;
  };

  const answer = (): readonly ModelPart[] => {
    const text: ModelPart = { type: "text", text: "word", origin: { from: "model" } };
    return [text];
  };

  const perform = (step: Exclude<Step, FinishStep>): void => {
    switch (step.kind) {
      case "recover": {
        const loose = state.processes.length;
        const processes = step.calls.reduce((sum, id) => sum + openCall(state, id).processes.length, loose);
        if (step.model !== null) record(lostAnswer(step.model, state));
        for (const call of step.calls) {
          if (choices.chance(2)) record([{ kind: "ToolRequeued", data: { call, note: "again" } }]);
          else
            record([
              {
                kind: "ToolFinished",
                data: { call, status: "interrupted", content: [], output: null, exit: null, duration_ms: 0 },
              },
            ]);
        }
        record([{ kind: "RecoveryFinished", data: { processes, unprovable: 0 } }]);
        return;
      }
      case "prepare_workspace":
        record([
          {
            kind: "WorkspacePrepared",
            data: {
              mode: "clone",
              base: tree(1),
              head: null,
              branch: "b",
              files: 1,
              snapshots: choices.pick([true, false]),
              left_out: [],
              setup: null,
            },
          },
        ]);
        return;
      case "call_model": {
        const chosen = modelInUse(state);
        if (choices.chance(9)) {
          const kind = choices.pick(REFUSALS);
          const retry_after_ms = choices.pick([null, 5, 10_000_000]);
          const data = {
            ...chosen,
            attempt: step.attempt,
            purpose: step.purpose,
            kind,
            message: "m",
            retry_after_ms,
            refused_by: null,
          };
          record([{ kind: "ModelCallRefused", turn: step.turn, data }]);
          return;
        }
        if (choices.chance(9)) record([{ kind: "RateWaited", data: { ...chosen, waited_ms: 5, reason: "r" } }]);
        const call = ids.modelCall();
        const prompt = promptOf(SIMULATED_TOOLS);
        const request = {
          ...requestOf(state, config, prompt, step.purpose),
          max_tokens: answerTokens(state.max_tokens, step.purpose, config),
        };
        const scopes = ledgerScopes(state, step.turn, state.at).map(({ scope }) => scope);
        record([
          {
            kind: "BudgetReserved",
            turn: step.turn,
            data: { call, scopes, tokens: worstCaseTokens(state), cost: PRICE.cost, max_tokens: null },
          },
          {
            kind: "ModelCallStarted",
            turn: step.turn,
            data: {
              call,
              ...chosen,
              attempt: step.attempt,
              purpose: step.purpose,
              max_tokens: request.max_tokens,
              messages: request.messages.length,
              request: requestHash(request, prompt.versions),
              ...prompt.versions,
            },
          },
        ]);
        if (crash()) return;
        const usage = {
          input_tokens: 10,
          cache_read_tokens: 0,
          cache_write_5m_tokens: 0,
          cache_write_1h_tokens: 0,
          output_tokens: 5,
        };
        if (choices.chance(4)) {
          const kind = choices.pick(PROVIDER_KINDS as [ErrorKind, ...ErrorKind[]]); // the list is not empty
          record([
            {
              kind: "ModelCallFailed",
              data: {
                call,
                kind,
                message: "m",
                http: null,
                request_id: null,
                retry_after_ms: choices.pick([null, 5, 10_000_000]),
                partial: "",
                usage: null,
                duration_ms: 1,
              },
            },
            { kind: "BudgetSettled", data: { call, usage, ...PRICE, unknown_tokens: 0, unknown_cost: NO_MONEY } },
          ]);
          return;
        }
        const stop = choices.pick(STOPS);
        const uses: ModelPart[] =
          stop === "tool_use"
            ? Array.from({ length: choices.pick([1, 2, 4]) }, () => {
                const [name, input] = choices.pick(ASKED);
                const origin = { from: "model" as const };
                return { type: "tool_use" as const, call: ids.toolCall(), provider_id: "p", name, input, origin };
              })
            : [];
        record([
          {
            kind: "ModelCallFinished",
            data: {
              call,
              parts: [...answer(), ...uses],
              stop,
              usage,
              model: "m",
              request_id: null,
              duration_ms: 1,
              first_delta_ms: 1,
            },
          },
          { kind: "BudgetSettled", data: { call, usage, ...PRICE, unknown_tokens: 0, unknown_cost: NO_MONEY } },
        ]);
        return;
      }
      case "judge_tools":
        record(judgeTools(step.calls, judging, readings(step.calls), tick));
        return;
      case "ask":
        for (const call of step.calls) {
          const approved = choices.pick([true, false]);
          record([
            { kind: "ApprovalRequested", data: { call, hash: hashOfCall(call), title: "t", reason: "r" } },
            {
              kind: "ApprovalGiven",
              data: {
                call,
                approved,
                by: "u",
                hash: hashOfCall(call),
                expiry: tick + 1_000_000,
                reason: null,
                remember: "once",
              },
            },
          ]);
          if (!approved) record([notApproved(call, null)]);
        }
        return;
      case "run_tools":
        record(
          step.calls.map((call) => {
            const { tool, confined, limit_ms } = plan(openCall(state, call), judging);
            const causation = openCall(state, call).asked_seq;
            const data = { call, tool: tool.name, tree: tree(1), file_time: 1.5, confined, limit_ms };
            return { kind: "ToolStarted", causation, data };
          }),
        );
        if (crash()) return;
        for (const call of step.calls) {
          if (choices.chance(3))
            record([
              {
                kind: "ToolProcessStarted",
                data: { call, process: { pid: 1, start_time: null, boot_id: null, namespace: null } },
              },
            ]);
          record([
            {
              kind: "ToolFinished",
              data: {
                call,
                status: choices.pick(STATUSES),
                content: [textPart(`${call} `.repeat(choices.pick(LENGTHS) / 30), { from: "tool", by: "read" })],
                output: null,
                exit: null,
                duration_ms: 1,
              },
            },
          ]);
        }
        if (choices.chance(15)) record([{ kind: "CancelRequested", data: { by: "user", reason: "enough" } }]);
        if (choices.chance(15))
          record([
            { kind: "UserMessageAdded", data: { parts: [{ type: "text", text: "also", origin: { from: "user" } }] } },
          ]);
        return;
      case "close_calls":
        record(closeCalls(step.calls, step.reason));
        return;
      case "wait":
        if (step.until === null)
          record([
            {
              kind: "RetryScheduled",
              data: { kind: step.error, attempt: step.attempt, delay_ms: delayOf(step), until: tick + 50 },
            },
          ]);
        if (crash()) return;
        record([{ kind: "RetryWaited", data: {} }]);
        return;
      case "switch_model":
        record([switched(step, { state: () => state })]);
        return;
      case "alert": {
        const { kind: _step, ...of } = step;
        const answer = choices.pick([null, "go_on" as const, "go_on" as const, "stop" as const]);
        record([{ kind: "BudgetAlerted", data: { ...of, answer, by: answer === null ? null : "u" } }]);
        return;
      }
      case "compact":
        record(compact(step, { state: () => state }));
        return;
      case "next_phase":
        record(nextPhase(step, config));
        return;
      case "merge_agent":
        throw new Error("there are no sub-agents here");
      case "repair":
        record([{ kind: "HistoryRepaired", data: { kind: step.error, repair: step.repair } }]);
        return;
      case "checkpoint":
        trees += choices.pick([0, 1]);
        record([
          {
            kind: "CheckpointCreated",
            data: { checkpoint: ids.checkpoint(), tree: tree(trees), commit: null, label: step.label },
          },
        ]);
        return;
      case "verify": {
        const passed = choices.pick([true, false]);
        record([
          {
            kind: "VerificationFinished",
            data: {
              command: step.command,
              exit_code: passed ? 0 : 1,
              passed,
              tree: null,
              duration_ms: 1,
              tail: "",
              output: null,
            },
          },
        ]);
        return;
      }
    }
  };

  for (;;) {
    const step = decide(state);
    steps.push(step);
    seqs.push(state.seq);
    if (steps.length > stepsMax) throw new Error(`decide did not end within ${stepsMax} steps`);
    if (step.kind === "finish") {
      if (step.limit !== null && state.run?.limit == null) record([{ kind: "LimitReached", data: step.limit }]);
      record([{ kind: "RunEnded", data: { ...endOf(step, state), active_ms: 1 } }]);
      if (!choices.chance(3) || epoch > 6) return { start, events, state, steps, seqs };
      epoch += 1;
      startRun("resume");
      continue;
    }
    perform(step);
  }
}
