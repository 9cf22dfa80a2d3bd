/** What a case of the model contract is, and what the cases share. */
import assert from "node:assert/strict";
import type { Clock } from "../../kernel/clock.ts";
import type { ContentPart, Message, ModelPart } from "../../kernel/content.ts";
import { createIds } from "../../kernel/ids.ts";
import type {
  Model,
  ModelAnswer,
  ModelCallOptions,
  ModelDelta,
  ModelRequest,
  ModelSuccess,
  ModelTimeouts,
} from "../../model/model.ts";
import { type ManualClock, manualClock } from "../manual-clock.ts";
import type { Recording } from "./recording.ts";
import { type Reply, type ReplayServer, startReplayServer, turn } from "./replay-server.ts";

export interface ModelUnderTest {
  /** At least one that is a whole answer with text. */
  readonly recordings: readonly Recording[];
  /** A fresh adapter that speaks to this address alone and takes its time from this clock. */
  readonly make: (where: {
    readonly baseUrl: string;
    readonly clock: Clock;
    readonly timeouts: ModelTimeouts;
  }) => Model | Promise<Model>;
  /** Events (each with its empty line) that mean nothing to the provider's clients. Absent: `NOISE`. */
  readonly noise?: readonly string[];
}

export interface ModelContractCase {
  /** A sentence of behaviour; also the case's id in a skip. */
  readonly name: string;
  run(under: ModelUnderTest): Promise<void>;
}

/** A comment, an event of a type nobody knows, and one without a type. */
export const NOISE: readonly string[] = [
  ": keep-alive\n\n",
  'event: something.new\ndata: {"type":"something.new","index":0,"output_index":0,"delta":{"type":"x"}}\n\n',
];

/** For the manual clock: nothing of it passes by itself. */
export const TIMEOUTS: ModelTimeouts = { connect_ms: 20_000, idle_ms: 30_000, total_ms: 600_000 };
/** The day on which every recording is played. Milliseconds since the epoch. */
export const NOW = 1_750_000_000_000;
/** Longer than any machine needs: a call that has not ended by then never will. Real milliseconds. */
const PATIENCE_MS = 20_000;

/** One adapter against one server, for one case. */
export interface Stage {
  readonly under: ModelUnderTest;
  readonly server: ReplayServer;
  readonly clock: ManualClock;
  /** Calls a fresh adapter once. */
  call(reply: Reply, request: ModelRequest, hears?: Partial<Hearing>, timeouts?: ModelTimeouts): Promise<ModelAnswer>;
}

export interface Hearing {
  readonly signal: AbortSignal;
  readonly onDelta: (delta: ModelDelta) => void;
}

/** A case with a server of its own, in which no promise may be left rejected. */
export function modelCase(name: string, check: (stage: Stage) => Promise<void>): ModelContractCase {
  return {
    name,
    async run(under) {
      const server = await startReplayServer();
      const clock = manualClock(NOW);
      const lost: unknown[] = [];
      const onLost = (reason: unknown): void => void lost.push(reason);
      process.on("unhandledRejection", onLost);
      try {
        await check({ under, server, clock, call: (...args) => callOnce({ under, server, clock }, ...args) });
        for (let i = 0; i < 3; i++) await turn();
        assert.deepEqual(lost, [], "promises were rejected that nobody listens to");
        assert.equal(clock.sleepers, 0, "timers are left after the calls");
      } finally {
        process.off("unhandledRejection", onLost);
        await server.close();
      }
    },
  };
}

async function callOnce(
  { under, server, clock }: Pick<Stage, "under" | "server" | "clock">,
  reply: Reply,
  request: ModelRequest,
  hears: Partial<Hearing> = {},
  timeouts: ModelTimeouts = TIMEOUTS,
): Promise<ModelAnswer> {
  server.reply(reply);
  const model = await under.make({ baseUrl: server.url, clock, timeouts });
  return patiently(model.call(request, { ...listener(), ...hears }));
}

/** @throws AssertionError where a promise stays open for longer than any machine needs */
export async function patiently<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new assert.AssertionError({ message: "the call never ended" })), PATIENCE_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function listener(): ModelCallOptions {
  let byte = 0;
  const ids = createIds(
    () => NOW,
    (n) => new Uint8Array(n).fill(byte++),
  );
  return { signal: new AbortController().signal, onDelta: () => {}, toolCallId: () => ids.toolCall() };
}

export function requestFor({ expected }: Recording): ModelRequest {
  return {
    model: "model-1",
    system: "You are careful.",
    tools: [
      {
        name: "read",
        description: "Reads a file.",
        input: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
      },
    ],
    messages: [{ role: "user", parts: [{ type: "text", text: "Read both files.", origin: { from: "user" } }] }],
    thinking_from: 0,
    max_tokens: 4_096,
    thinking_tokens: null,
    ...expected.request,
  };
}

/** The request that follows an answer: every call has its result, or the user says that it goes on. */
export function nextRequest(request: ModelRequest, { parts }: ModelSuccess): ModelRequest {
  const results = parts.flatMap((part): ContentPart[] =>
    part.type === "tool_use"
      ? [
          {
            type: "tool_result",
            call: part.call,
            provider_id: part.provider_id,
            is_error: false,
            content: [{ type: "text", text: `the result of ${part.name}`, origin: { from: "tool", by: part.name } }],
            origin: { from: "tool", by: part.name },
          },
        ]
      : [],
  );
  const said: Message = {
    role: "user",
    parts: [
      // Only results were made.
      ...(results as Extract<Message, { role: "user" }>["parts"]),
      ...(results.length === 0 ? [{ type: "text", text: "Go on.", origin: { from: "user" } } as const] : []),
    ],
  };
  return { ...request, messages: [...request.messages, { role: "assistant", parts }, said] };
}

/** A part as recordings say it: without our own id, and without its origin, which is the same for all. */
export function bare({ origin: _origin, ...part }: ModelPart): object {
  if (part.type !== "tool_use") return part;
  const { call: _call, ...rest } = part;
  return rest;
}

/** The whole recording as one reply. */
export function whole(recording: Recording, chunks: readonly Uint8Array[] = [bytes(recording.body)]): Reply {
  return { head: recording, chunks, then: "end" };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function wholeAnswers({ recordings }: ModelUnderTest): readonly Recording[] {
  const found = recordings.filter(({ expected }) => expected.answer["ok"] === true);
  assert.ok(found.length > 0, "at least one recording is a whole answer");
  return found;
}

/** Everything it says, joined. */
export function textOf(parts: readonly ModelPart[]): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
}

/** A listener that keeps the deltas, and their text. */
export function ear(onDelta: (delta: ModelDelta) => void = () => {}): {
  readonly deltas: readonly ModelDelta[];
  readonly text: () => string;
  readonly onDelta: (delta: ModelDelta) => void;
} {
  const deltas: ModelDelta[] = [];
  return {
    deltas,
    text: () => deltas.map((delta) => (delta.type === "text" ? delta.text : "")).join(""),
    onDelta: (delta) => {
      deltas.push(delta);
      onDelta(delta);
    },
  };
}

/** The answer, which is whole. */
export function success(answer: ModelAnswer, about: string): ModelSuccess {
  assert.ok(answer.ok, `${about}: ${answer.ok ? "" : `${answer.kind}: ${answer.message}`}`);
  return answer;
}
