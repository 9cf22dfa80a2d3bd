/**
 * What breaks when the connection to a provider fails at any point of an answer? The real adapter, through the real SDK,
 * over real HTTP, against the emulator's faults: every fault at every event of a stream.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { ErrorKind } from "../../src/kernel/error-kind.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { MODEL_TIMEOUTS, type Model, type ModelAnswer, type ModelTimeouts } from "../../src/model/model.ts";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";
import { listening, request, systemClock, text, toolResult, toolUse, user } from "../unit/model/samples.ts";

type TurnInput = NonNullable<ScenarioInput["turns"]>[number];
type FaultInput = Exclude<NonNullable<TurnInput["fault"]>, readonly unknown[]>;

const KEY = "sk-ant-api03-secret-of-the-test";
const TURN: TurnInput = {
  think: "Let me think.",
  say: "I will read it.",
  call: [{ tool: "read", input: { path: "a.txt" } }],
  chunk_chars: 8,
};

interface RawServer {
  readonly url: string;
  readonly asked: readonly IncomingMessage[];
  close(): Promise<void>;
}

/** A server that is no provider. */
async function rawServer(handler: (response: ServerResponse, request: IncomingMessage) => void): Promise<RawServer> {
  const asked: IncomingMessage[] = [];
  const server = createServer((incoming, response) => {
    asked.push(incoming);
    incoming.resume();
    handler(response, incoming);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  };
  return { url: `http://127.0.0.1:${port}`, asked, close };
}

const open: Emulator[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((emulator) => emulator.close()));
});

interface World {
  readonly emulator: Emulator;
  readonly model: Model;
}

async function world(
  turns: readonly TurnInput[],
  timeouts: ModelTimeouts = MODEL_TIMEOUTS,
  clock: ManualClock | typeof systemClock = systemClock,
): Promise<World> {
  const emulator = await startEmulator({ scenario: { turns: [...turns] } });
  open.push(emulator);
  return { emulator, model: createAnthropicModel({ apiKey: KEY, baseUrl: emulator.url, clock, timeouts }) };
}

/** Every fault, one request each, on one step; then the step is answered. */
async function meet(faults: readonly FaultInput[], turn: TurnInput = TURN): Promise<readonly ModelAnswer[]> {
  const { model, emulator } = await world([{ ...turn, fault: [...faults] }]);
  const answers: ModelAnswer[] = [];
  for (let i = 0; i < faults.length; i++) answers.push(await model.call(request(), listening()));
  expect((await model.call(request(), listening())).ok).toBe(true);
  expect(emulator.remaining()).toEqual([]);
  expect(emulator.requests.length).toBe(faults.length + 1);
  return answers;
}

const kinds = (answers: readonly ModelAnswer[]): readonly string[] =>
  answers.map((answer) => (answer.ok ? "ok" : answer.kind));

async function eventCount(): Promise<number> {
  const { emulator } = await world([TURN]);
  const body = { model: "m", max_tokens: 10, stream: true, messages: [{ role: "user", content: "read a" }] };
  const response = await fetch(`${emulator.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "k", "anthropic-version": "2026-10-21" },
    body: JSON.stringify(body),
  });
  return (await response.text()).match(/^event: /gm)?.length ?? 0;
}

describe("an error response", () => {
  const STATUSES: readonly (readonly [number, ErrorKind])[] = [
    [400, "invalid_request"],
    [401, "auth"],
    [402, "billing"],
    [403, "permission"],
    [404, "not_found"],
    [409, "conflict"],
    [413, "request_too_large"],
    [429, "rate_limit"],
    [500, "server_error"],
    [502, "server_error"],
    [503, "server_error"], // the emulator's body says api_error, and the body's type goes before the status
    [504, "timeout"],
    [529, "overloaded"],
  ];

  it("has its kind, its status and its request id, and is asked for once: no retry of the SDK", async () => {
    const answers = await meet(STATUSES.map(([status]) => ({ status })));
    for (const [index, [http, kind]] of STATUSES.entries()) {
      expect(answers[index]).toMatchObject({
        ok: false,
        aborted: false,
        kind,
        http,
        request_id: `req_emulator_${index + 1}`,
        usage: null,
        partial: "",
      });
    }
  });

  it("says how long to wait only where the provider said so", async () => {
    const answers = await meet([
      { status: 429, retry_after: 7 },
      { status: 529, retry_after: "2.5" },
      { status: 529 },
      { status: 503, headers: { "retry-after-ms": "120" } },
      { status: 401, retry_after: 3 },
    ]);
    expect(answers.map((answer) => (answer.ok ? null : answer.retry_after_ms))).toEqual([
      7_000,
      2_500,
      null,
      120,
      null,
    ]);
  });

  it("of a spend limit is no rate limit, and nothing to wait for", async () => {
    const [answer] = await meet([
      {
        status: 429,
        retry_after: 5,
        body: {
          type: "error",
          error: {
            type: "rate_limit_error",
            message: "Spend limit",
            details: { error_code: "enforced_spend_limit_reached" },
          },
        },
      },
    ]);
    expect(answer).toMatchObject({ kind: "quota_exhausted", retry_after_ms: null });
  });

  it("may be a page, plain text or nothing", async () => {
    const answers = await meet([
      { status: 502, body: "<html><h1>Bad Gateway</h1></html>" },
      { status: 503, body: "upstream connect error" },
      { status: 500, body: "" },
      { raw: { body: "<html>Log in to the network</html>" } },
      { raw: { body: "", content_type: "text/plain" } },
      {
        raw: {
          body: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
          content_type: "application/json",
        },
      },
    ]);
    expect(kinds(answers)).toEqual([
      "server_error",
      "overloaded",
      "server_error",
      "protocol",
      "protocol",
      "overloaded",
    ]);
  });

  it("keeps the provider's words, bounded, and never the key", async () => {
    const [long, leaking, plain] = await meet([
      { status: 400, body: { type: "error", error: { type: "invalid_request_error", message: "x".repeat(50_000) } } },
      {
        status: 401,
        body: { type: "error", error: { type: "authentication_error", message: `invalid x-api-key ${KEY}` } },
      },
      { status: 500, body: `proxy dump: Authorization: Bearer ${KEY}` },
    ]);
    expect(long?.ok === false && long.message.length).toBe(2_000);
    expect(leaking).toMatchObject({ kind: "auth", message: "invalid x-api-key [redacted]" });
    expect(plain?.ok === false && plain.message).toContain("[redacted]");
  });
});

describe("a stream", () => {
  it("cut after any event is stream_cut, with the usage that had been reported and nothing handed out", async () => {
    const count = await eventCount();
    expect(count).toBeGreaterThan(12);
    const answers = await meet(Array.from({ length: count - 1 }, (_, n) => ({ cut_after_event: n })));
    expect(new Set(kinds(answers))).toEqual(new Set(["stream_cut"]));
    const usages = answers.map((answer) => answer.usage !== null);
    expect(usages).toEqual(answers.map((_, n) => n > 0));
  });

  it("cut after message_stop has ended well", async () => {
    const { model } = await world([{ ...TURN, fault: { cut_after_event: await eventCount() } }]);
    expect(await model.call(request(), listening())).toMatchObject({ ok: true, stop: "tool_use" });
  });

  it("with an error after any event has that error's kind, also as the very first event", async () => {
    const count = await eventCount();
    const error = { type: "overloaded_error", message: "Overloaded" };
    const answers = await meet(
      Array.from({ length: count - 1 }, (_, n) => ({ error_event: { ...error, after_event: n } })),
    );
    expect(new Set(kinds(answers))).toEqual(new Set(["overloaded"]));
    expect(answers.every((answer) => !answer.ok && answer.http === 200 && answer.message === "Overloaded")).toBe(true);
  });

  it.each([
    ["rate_limit_error", "rate_limit"],
    ["api_error", "server_error"],
    ["timeout_error", "timeout"],
    ["invalid_request_error", "invalid_request"],
    ["authentication_error", "auth"],
  ])("with an in-band %s is %s", async (type, kind) => {
    expect(kinds(await meet([{ error_event: { type, message: "words" } }]))).toEqual([kind]);
  });

  it("reset before anything, cut inside the JSON of a call, or ended without message_stop never hands out the call", async () => {
    const answers = await meet([{ reset: true }, { cut_in_json: true }, { missing_stop: true }]);
    expect(kinds(answers)).toEqual(["network", "stream_cut", "stream_cut"]);
  });

  it("that ends well with cut JSON is truncated_tool_call", async () => {
    expect(kinds(await meet([{ truncated_json: true }]))).toEqual(["truncated_tool_call"]);
  });

  it("without content is empty_response", async () => {
    expect(kinds(await meet([{ empty: true }]))).toEqual(["empty_response"]);
  });

  it("keeps the text that had arrived when it fails", async () => {
    const [answer] = await meet([{ cut_in_json: true }]);
    expect(answer).toMatchObject({ partial: "I will read it." });
  });
});

describe("silence", () => {
  const LONG = { connect_ms: 1_000_000, idle_ms: 1_000, total_ms: 1_000_000_000 };

  /** Lets time pass until the call ends; the clock is the test's, the socket is real. */
  async function pass(clock: ManualClock, pending: Promise<ModelAnswer>, step: number): Promise<ModelAnswer> {
    let answer: ModelAnswer | null = null;
    void pending.then((value) => (answer = value));
    for (;;) {
      await clock.advance(step);
      if (answer !== null) return answer;
    }
  }

  it("after any event is stream_idle", async () => {
    const count = await eventCount();
    for (let n = 0; n < count; n += 3) {
      const clock = manualClock();
      const { model } = await world([{ ...TURN, fault: { silence_after_event: n } }], LONG, clock);
      expect(await pass(clock, model.call(request(), listening()), 500)).toMatchObject({
        ok: false,
        aborted: false,
        kind: "stream_idle",
      });
      expect(clock.sleepers).toBe(0);
    }
  });

  it("before the response begins is a timeout", async () => {
    const clock = manualClock();
    const { model } = await world(
      [{ ...TURN, latency_ms: 600_000 }],
      { ...LONG, connect_ms: 60_000, idle_ms: 1 },
      clock,
    );
    const answer = await pass(clock, model.call(request(), listening()), 1_000);
    expect(answer).toMatchObject({
      kind: "timeout",
      http: null,
      message: "The provider did not begin to answer within 60000 ms.",
    });
    expect(clock.monotonic()).toBe(60_000);
  });

  it("is broken by pings: only the total limit ends a call that is alive", async () => {
    const clock = manualClock();
    let chunks = 0;
    let heard = Promise.withResolvers<undefined>();
    const emulator = await startEmulator({
      scenario: { turns: [{ ...TURN, ping_ms: 5, fault: { silence_after_event: 3 } }] },
    });
    open.push(emulator);
    const watched = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const response = await fetch(url, init);
      const body = response.body?.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform: (chunk, controller) => {
            controller.enqueue(chunk);
            chunks++;
            heard.resolve(undefined);
          },
        }),
      );
      return new Response(body, { status: response.status, headers: response.headers });
    };
    const timeouts = { connect_ms: 1_000_000, idle_ms: 1_000, total_ms: 20_000 };
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: emulator.url, clock, timeouts, fetch: watched });
    const pending = model.call(request(), listening());
    let answer: ModelAnswer | null = null;
    void pending.then((value) => (answer = value));
    while (answer === null) {
      // Between two steps of the clock at least two chunks arrive, so that one has surely been read.
      for (const until = chunks + 2; chunks < until && answer === null;) {
        heard = Promise.withResolvers<undefined>();
        await Promise.race([heard.promise, pending]);
      }
      await clock.advance(900);
    }
    expect(answer).toMatchObject({ kind: "timeout", message: "The answer was not complete after 20000 ms." });
  });

  it("is not broken by comments, which any proxy may send", async () => {
    const clock = manualClock();
    const { url, close } = await rawServer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const ticker = setInterval(() => response.write(": keep-alive\n\n"), 2);
      response.once("close", () => clearInterval(ticker));
    });
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: url, clock, timeouts: LONG });
    expect(await pass(clock, model.call(request(), listening()), 100)).toMatchObject({ kind: "stream_idle" });
    await close();
  });
});

describe("an abort", () => {
  it("at any event of the stream ends the call while the server keeps the connection open", async () => {
    const count = await eventCount();
    for (let n = 0; n < count; n += 2) {
      const { model } = await world([{ ...TURN, fault: { silence_after_event: n } }]);
      const abort = new AbortController();
      const pending = model.call(request(), listening(abort.signal));
      setTimeout(() => abort.abort(), 5);
      expect(await pending).toMatchObject({ ok: false, aborted: true, kind: "interrupted" });
    }
  });

  it("closes the connection, so that the provider can stop", async () => {
    const closed = Promise.withResolvers<undefined>();
    const server = await rawServer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: ping\ndata: {}\n\n");
      response.once("close", () => closed.resolve(undefined));
      abort.abort();
    });
    const abort = new AbortController();
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: server.url, clock: systemClock });
    expect(await model.call(request(), listening(abort.signal))).toMatchObject({ aborted: true });
    await closed.promise;
    await server.close();
  });

  it("while the connection is being made ends the call too", async () => {
    const { model } = await world([{ ...TURN, latency_ms: 600_000 }]);
    const abort = new AbortController();
    const pending = model.call(request(), listening(abort.signal));
    setImmediate(() => abort.abort());
    expect(await pending).toMatchObject({ ok: false, aborted: true });
  });

  it("leaves no listener on a signal that lives as long as a session", async () => {
    const { model } = await world([{ ...TURN, fault: [{ status: 529 }, { cut_after_event: 3 }] }]);
    let listeners = 0;
    const { signal } = new AbortController();
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => (
      listeners++,
      addEventListener.apply(signal, args)
    );
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => (
      listeners--,
      removeEventListener.apply(signal, args)
    );
    for (let i = 0; i < 3; i++) await model.call(request(), listening(signal));
    expect(listeners).toBe(0);
  });
});

describe("a provider that is not what it should be", () => {
  const answering = async (
    handler: (response: ServerResponse, request: IncomingMessage) => void,
    options: { readonly baseUrl?: (url: string) => string } = {},
  ): Promise<{ readonly answer: ModelAnswer; readonly asked: readonly IncomingMessage[] }> => {
    const server = await rawServer(handler);
    const baseUrl = options.baseUrl?.(server.url) ?? server.url;
    const answer = await createAnthropicModel({ apiKey: KEY, baseUrl, clock: systemClock }).call(
      request(),
      listening(),
    );
    await server.close();
    return { answer, asked: server.asked };
  };
  const events = (...data: readonly object[]): string =>
    data.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const HELLO = [
    { type: "message_start", message: { model: "m", usage: { input_tokens: 3, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hello" } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
    { type: "message_stop" },
  ];

  it("is not listening: network", async () => {
    const { url, close } = await rawServer(() => {});
    await close();
    const answer = await createAnthropicModel({ apiKey: KEY, baseUrl: url, clock: systemClock }).call(
      request(),
      listening(),
    );
    expect(answer).toMatchObject({ ok: false, kind: "network", http: null });
    expect(answer.ok === false && answer.message).toContain("ECONNREFUSED");
  });

  it("speaks no TLS where it should: tls", async () => {
    const { answer } = await answering(() => {}, { baseUrl: (url) => url.replace("http:", "https:") });
    expect(answer).toMatchObject({ ok: false, kind: "tls" });
  });

  it("speaks no HTTP: protocol", async () => {
    const { answer } = await answering((response) => void response.socket?.end("SSH-2.0-OpenSSH_9.9\r\n\r\n"));
    expect(answer).toMatchObject({ ok: false, kind: "protocol" });
  });

  it("sends us elsewhere: the key is not carried there", async () => {
    const { answer, asked } = await answering((response) => {
      response.writeHead(307, { location: "/elsewhere" });
      response.end();
    });
    expect(answer).toMatchObject({ ok: false, kind: "not_found", http: 307 });
    expect(asked.map(({ url }) => url)).toEqual(["/v1/messages"]);
  });

  it("leaves out the content type and the names of events: the events themselves tell", async () => {
    const { answer } = await answering((response) => void response.end(events(...HELLO)));
    expect(answer).toMatchObject({ ok: true, parts: [{ text: "hello" }], request_id: null, rate: null });
  });

  it("goes on after the end: what follows message_stop is not waited for", async () => {
    const { answer } = await answering((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(events(...HELLO));
    });
    expect(answer).toMatchObject({ ok: true });
  });

  it("sends characters cut anywhere: they arrive whole", async () => {
    const words = "Grüße 🎉 日本語";
    const bytes = Buffer.from(events(...HELLO).replace("hello", words));
    const { answer } = await answering((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.socket?.setNoDelay(true);
      const write = (at: number): void => {
        if (at >= bytes.length) return void response.end();
        response.write(bytes.subarray(at, at + 3), () => write(at + 3));
      };
      write(0);
    });
    expect(answer).toMatchObject({ ok: true, parts: [{ text: words }] });
  });

  it("never stops sending: protocol, and no more is read than the limit", async () => {
    const { answer } = await answering((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const line = `: ${"x".repeat(1024 * 1024)}\n\n`;
      const write = (): void => {
        if (!response.destroyed) response.write(line, () => setImmediate(write));
      };
      write();
    });
    expect(answer).toMatchObject({ ok: false, kind: "protocol" });
  });

  it("answers an error without end: its beginning is enough", async () => {
    const { answer } = await answering((response) => {
      response.writeHead(500, { "content-type": "text/plain" });
      const write = (): void => {
        if (!response.destroyed) response.write("y".repeat(64 * 1024), () => setImmediate(write));
      };
      write();
    });
    expect(answer).toMatchObject({ ok: false, kind: "server_error", http: 500 });
  });

  it("has an address that is none: not_found", async () => {
    const answer = await createAnthropicModel({ apiKey: KEY, baseUrl: "not an address", clock: systemClock }).call(
      request(),
      listening(),
    );
    expect(answer).toMatchObject({ ok: false, kind: "not_found" });
  });
});

describe("credentials", () => {
  it("that are missing fail as auth, and nothing is sent", async () => {
    const { emulator } = await world([{ say: "never" }]);
    for (const apiKey of [undefined, "", "  "]) {
      const model = createAnthropicModel({ apiKey, baseUrl: emulator.url, clock: systemClock });
      expect(await model.call(request(), listening())).toMatchObject({ ok: false, kind: "auth", http: null });
    }
    expect(emulator.requests).toEqual([]);
  });

  it("that no header can carry fail as auth without a call, and are never quoted", async () => {
    for (const apiKey of ["sk-ant-\u00fcml\u00e4ut", "sk-ant\nx-evil: 1"]) {
      const answer = await createAnthropicModel({ apiKey, baseUrl: "http://127.0.0.1:1", clock: systemClock }).call(
        request(),
        listening(),
      );
      expect(answer).toMatchObject({ ok: false, kind: "auth" });
      expect(JSON.stringify(answer)).not.toContain("sk-ant");
    }
    const withPassword = createAnthropicModel({
      apiKey: KEY,
      baseUrl: "http://me:hunter22@127.0.0.1:1",
      clock: systemClock,
    });
    expect(JSON.stringify(await withPassword.call(request(), listening()))).not.toContain("hunter22");
  });

  it("are trimmed of the white space of copying", async () => {
    const { emulator } = await world([{ say: "a" }]);
    const model = createAnthropicModel({ apiKey: ` ${KEY}\n`, baseUrl: `${emulator.url}\n`, clock: systemClock });
    expect(await model.call(request(), listening())).toMatchObject({ ok: true });
  });

  it("are sent as a key or as a token, and kept masked by the emulator", async () => {
    const { emulator, model } = await world([{ say: "a", repeat: 2 }]);
    await model.call(request(), listening());
    await createAnthropicModel({ authToken: "token-of-the-test", baseUrl: emulator.url, clock: systemClock }).call(
      request(),
      listening(),
    );
    const [byKey, byToken] = emulator.requests.map(({ headers }) => headers);
    expect([byKey?.["x-api-key"], byToken?.["authorization"], byToken?.["x-api-key"]]).toEqual([
      "***test",
      "***test",
      undefined,
    ]);
    expect(JSON.stringify(emulator.requests)).not.toContain("secret");
  });
});

describe("what goes back", () => {
  const said = (answer: ModelAnswer): Extract<ModelAnswer, { ok: true }> => {
    if (!answer.ok) throw new RangeError(`${answer.kind}: ${answer.message}`);
    return answer;
  };

  it("is thinking to the byte: the server checks the signature against the text", async () => {
    const turn = {
      ...TURN,
      think: "Weigh it: ü, 🎉, “quotes”,\n\ttabs and \\ slashes.",
      redacted_thinking: "EmwKAhgBEgy3va3pzix/LafPsn4a",
    };
    const { model } = await world([turn, { say: "done" }]);
    const first = said(await model.call(request(), listening()));
    const call = first.parts.find((part) => part.type === "tool_use");
    if (call?.type !== "tool_use") throw new RangeError("the turn has a call");
    const messages = [
      user(text("read a")),
      { role: "assistant" as const, parts: first.parts },
      user(toolResult(call.provider_id, "the file")),
    ];
    expect(said(await model.call(request({ messages }), listening())).parts).toMatchObject([{ text: "done" }]);

    const changed = first.parts.map((part) => (part.type === "thinking" ? { ...part, text: `${part.text} ` } : part));
    const tampered = [
      messages[0] ?? user(),
      { role: "assistant" as const, parts: changed },
      user(toolResult(call.provider_id, "the file")),
    ];
    expect(await model.call(request({ messages: tampered }), listening())).toMatchObject({
      ok: false,
      kind: "thinking_signature",
    });
    expect(await model.call(request({ messages: tampered, thinking_from: 2 }), listening())).toMatchObject({
      ok: true,
    });
  });

  it("reads from the cache what the request before wrote to it", async () => {
    const { model } = await world([{ ...TURN, think: undefined }, TURN, { say: "done" }] as TurnInput[]);
    // Above the least that the provider caches.
    let messages = [user(text("read a ".repeat(1_000)))];
    let known = 0;
    for (let i = 0; i < 3; i++) {
      const answer = said(await model.call(request({ messages }), listening()));
      expect(answer.usage.cache_read_tokens).toBe(known);
      expect(answer.usage.cache_write_5m_tokens).toBeGreaterThan(0);
      expect(answer.usage.input_tokens).toBe(0);
      known = answer.usage.cache_read_tokens + answer.usage.cache_write_5m_tokens;
      const results = answer.parts.flatMap((part) =>
        part.type === "tool_use" ? [toolResult(part.provider_id, "text of the file")] : [],
      );
      messages = [...messages, { role: "assistant", parts: answer.parts }, user(...results)];
    }
  });

  it("is refused in the provider's words, and classified, where the history is broken", async () => {
    const { model } = await world([{ say: "never" }]);
    const use = { role: "assistant" as const, parts: [toolUse("toolu_1")] };
    expect(await model.call(request({ messages: [user(text("a")), use, user(text("b"))] }), listening())).toMatchObject(
      { kind: "orphan_tool_use", http: 400 },
    );
    expect(await model.call(request({ messages: [user(toolResult("toolu_9", "x"))] }), listening())).toMatchObject({
      kind: "orphan_tool_result",
      http: 400,
    });
  });
});
