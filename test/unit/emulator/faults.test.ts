/** Every fault, in every dialect, as a client without an SDK sees it: by its bytes and by how the connection ends. */
import { X509Certificate } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import type { FaultInput } from "../../../src/testing/emulator/fault.ts";
import type { ScenarioInput, TurnInput } from "../../../src/testing/emulator/scenario.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";

const KEYS = { "x-api-key": "k", "anthropic-version": "2023-06-01", authorization: "Bearer k" };
const MESSAGES = [{ role: "user", content: "do it" }];
const DIALECTS = [
  {
    name: "Messages",
    path: "/v1/messages",
    end: "message_stop",
    body: { model: "claude-sonnet-4-5", max_tokens: 99, messages: MESSAGES },
  },
  { name: "Responses", path: "/v1/responses", end: "response.completed", body: { model: "gpt-5", input: "do it" } },
  {
    name: "Chat Completions",
    path: "/v1/chat/completions",
    end: "[DONE]",
    body: { model: "gpt-4.1", messages: MESSAGES },
  },
] as const;
type Dialect = (typeof DIALECTS)[number];
const TURN: TurnInput = {
  say: "Grüße 🎉 日本語",
  call: [{ tool: "read", input: { path: "/ä/long/path/of/a/file.txt" } }],
};

/** By a clock that stands still: two answers of one step are equal to the byte. */
async function withEmulator<T>(scenario: ScenarioInput, use: (emulator: Emulator) => Promise<T>): Promise<T> {
  const emulator = await startEmulator({ scenario, clock: manualClock() });
  try {
    return await use(emulator);
  } finally {
    await emulator.close();
  }
}

interface Seen {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly bytes: Buffer;
  readonly text: string;
  /** How it ended: `end` in order, `cut` in the middle of the body, `silent` where nothing came for a while. */
  readonly ended: "end" | "cut" | "silent";
}

/** Long enough that what was sent has come: only for what must not come. Milliseconds. */
const SILENCE_MS = 300;

/** Rejects where no head of an answer came. */
function send(
  emulator: Emulator,
  { path, body }: Dialect,
  more: object = { stream: true },
  bytesMax = Infinity,
): Promise<Seen> {
  const ask = emulator.certificate === null ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    const request = ask(`${emulator.url}${path}`, {
      method: "POST",
      headers: KEYS,
      agent: false,
      ...(emulator.certificate && { ca: emulator.certificate }),
    });
    const headTimer = setTimeout(() => request.destroy(new Error("no headers")), SILENCE_MS * 3);
    request.on("error", reject);
    request.on("response", (response) => {
      clearTimeout(headTimer);
      const chunks: Buffer[] = [];
      let size = 0;
      const done = (ended: Seen["ended"]): void => {
        clearTimeout(silence);
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text: bytes.toString("utf8"),
          ended,
        });
        request.destroy();
      };
      let silence = setTimeout(() => done("silent"), SILENCE_MS);
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        clearTimeout(silence);
        silence = setTimeout(() => done("silent"), SILENCE_MS);
        if (size > bytesMax) done("silent");
      });
      response.on("end", () => done("end"));
      response.on("error", () => done("cut"));
    });
    request.end(JSON.stringify({ ...body, ...more }));
  });
}

async function meet(dialect: Dialect, fault: FaultInput, more?: object): Promise<Seen> {
  return withEmulator({ turns: [{ ...TURN, fault }] }, async (emulator) => {
    const seen = await send(emulator, dialect, more);
    const after = await send(emulator, dialect, more);
    expect([after.ended, after.text.includes(more ? '"usage"' : dialect.end)]).toEqual(["end", true]);
    expect(emulator.remaining()).toEqual([]);
    return seen;
  });
}

const frames = (text: string): readonly string[] => text.split("\n\n").filter((frame) => frame !== "");

describe.each(DIALECTS)("$name", (dialect) => {
  const whole = (turn: TurnInput = TURN): Promise<Seen> =>
    withEmulator({ turns: [turn] }, (emulator) => send(emulator, dialect));

  it("cut after and inside an event ends without an end, at exactly that byte", async () => {
    const all = frames((await whole()).text);
    for (const n of [0, 1, 4, all.length]) {
      const seen = await meet(dialect, { cut_after_event: n });
      expect([seen.ended, frames(seen.text)]).toEqual(["cut", all.slice(0, n)]);
    }
    const inside = await meet(dialect, { cut_in_event: 2 });
    expect(inside.ended).toBe("cut");
    expect(frames(inside.text).length).toBe(3);
    expect(all[2]?.startsWith(frames(inside.text)[2] ?? "?") && all[2] !== frames(inside.text)[2]).toBe(true);
  });

  it("cut inside a tool's JSON and inside a character", async () => {
    const json = await meet(dialect, { cut_in_json: true });
    expect([json.ended, json.text.includes(dialect.end), json.text.includes("file.txt")]).toEqual([
      "cut",
      false,
      false,
    ]);
    const character = await meet(dialect, { cut_in_character: true });
    expect(character.ended).toBe("cut");
    expect(character.bytes.at(-1)).toBeGreaterThanOrEqual(0xc0);
  });

  it("ended early in order, without the end that says so", async () => {
    expect(await meet(dialect, { missing_stop: true })).toMatchObject({
      ended: "end",
      text: expect.not.stringContaining(dialect.end) as string,
    });
    const early = await meet(dialect, { end_after_event: 3 });
    expect([early.ended, frames(early.text).length]).toEqual(["end", 3]);
  });

  it("silent after and inside an event, and before the headers", async () => {
    const after = await meet(dialect, { silence_after_event: 2 });
    expect([after.ended, frames(after.text).length]).toEqual(["silent", 2]);
    const inside = await meet(dialect, { silence_in_event: 2 });
    expect([inside.ended, frames(inside.text).length, inside.text.endsWith("\n\n")]).toEqual(["silent", 3, false]);
    await withEmulator({ turns: [{ ...TURN, fault: { no_headers: true } }] }, async (emulator) => {
      await expect(send(emulator, dialect)).rejects.toThrow("no headers");
      expect((await send(emulator, dialect)).ended).toBe("end");
    });
  });

  it("lost before an answer: reset, closed, and refused until the port is open again", async () => {
    await withEmulator(
      { turns: [{ ...TURN, fault: [{ reset: true }, { close: true }, { refuse_ms: 400 }] }] },
      async (emulator) => {
        for (let i = 0; i < 3; i++) await expect(send(emulator, dialect)).rejects.toMatchObject({ code: "ECONNRESET" });
        await expect(send(emulator, dialect)).rejects.toMatchObject({ code: "ECONNREFUSED" });
        await expect
          .poll(
            () =>
              send(emulator, dialect).then(
                ({ ended }) => ended,
                () => "refused",
              ),
            { timeout: 20_000 },
          )
          .toBe("end");
        expect(emulator.remaining()).toEqual([]);
      },
    );
  });

  it("endless, until the client goes", async () => {
    await withEmulator({ turns: [{ ...TURN, fault: { endless: true } }] }, async (emulator) => {
      const normal = (await whole()).bytes.length;
      const seen = await send(emulator, dialect, { stream: true }, normal * 3);
      expect([seen.bytes.length > normal * 3, seen.text.includes(dialect.end)]).toEqual([true, false]);
    });
  });

  it("with an event twice, one that is unknown, one that is no JSON, and comments", async () => {
    const all = frames((await whole()).text);
    const twice = frames((await meet(dialect, { duplicate_event: 1 })).text);
    expect(twice).toEqual([...all.slice(0, 2), ...all.slice(1)]);
    const unknown = frames((await meet(dialect, { unknown_event: { after_event: 2 } })).text);
    expect(unknown[2]).toBe('event: emulator.unknown\ndata: {"type":"emulator.unknown"}');
    expect(unknown.filter((_, i) => i !== 2)).toEqual(all);
    const bad = frames((await meet(dialect, { bad_event: 2 })).text);
    const data = bad[2]?.split("data: ")[1] ?? "";
    expect(() => JSON.parse(data) as unknown).toThrow();
    const noisy = (await meet(dialect, { wire: { comments: true, unknown_events: true } })).text;
    expect(noisy.match(/^: a comment$/gm)?.length).toBe(all.length);
    expect(frames(noisy.replaceAll(/^(: a comment|event: emulator\.unknown\ndata: .*)\n\n/gm, ""))).toEqual(all);
  });

  it("in other line ends, in pieces of three bytes: the same events", async () => {
    const all = (await whole()).text;
    const split = await meet(dialect, { wire: { chunk_bytes: 3, chunk_ms: 0 } });
    expect(split.text).toBe(all);
    const crlf = await meet(dialect, { wire: { line_ends: "crlf" } });
    expect(crlf.text.replaceAll("\r\n", "\n")).toBe(all);
    expect(crlf.text.match(/(?<!\r)\n/)).toBeNull();
    expect((await meet(dialect, { wire: { line_ends: "cr" } })).text.replaceAll("\r", "\n")).toBe(all);
  });

  it("with a body that is not what was asked for", async () => {
    for (const status of [200, 502]) {
      const page = await meet(dialect, { html: status });
      expect([page.status, page.headers["content-type"], page.text.startsWith("<!DOCTYPE html>")]).toEqual([
        status,
        "text/html; charset=utf-8",
        true,
      ]);
    }
    expect(await meet(dialect, { empty_body: true })).toMatchObject({ status: 200, text: "", ended: "end" });
    const zipped = await meet(dialect, { gzip_garbage: true });
    expect([zipped.headers["content-encoding"], zipped.text.includes("not what it says")]).toEqual(["gzip", true]);
    const short = await meet(dialect, { content_length: "shorter" });
    expect([short.ended, short.text.includes(dialect.end)]).toEqual(["cut", true]);
    for (const asked of [undefined, { stream: false }]) {
      // What comes behind the length either is not read, or breaks the next message: clients differ by when it arrives.
      const long = await meet(dialect, { content_length: "longer" }, asked).catch((error: Error) => error.message);
      if (typeof long === "string") expect(long).toMatch(/Parse Error/);
      else
        expect([long.text.includes(dialect.end), long.bytes.length]).toEqual([
          false,
          Number(long.headers["content-length"]),
        ]);
    }
  });

  it("with an answer that lacks something: usage, content, the end of a tool's JSON", async () => {
    expect((await whole()).text.includes('output_tokens"') || dialect.name === "Chat Completions").toBe(true);
    const asked = { stream: false };
    expect((await meet(dialect, { usage_missing: true }, asked)).text).not.toContain('"usage":{');
    expect((await meet(dialect, { empty: true })).text).not.toContain("Gr");
    const cut = await meet(dialect, { cut_tool_json: true });
    expect([cut.ended, cut.text.includes(dialect.end), cut.text.includes("file.txt")]).toEqual(["end", true, false]);
    const truncated = await meet(dialect, { truncated_json: true }).catch((error: unknown) => error);
    if (!(truncated instanceof Error))
      expect((truncated as Seen).text).toMatch(/max_tokens|max_output_tokens|"length"/);
  });

  it("refused in its provider's words, with each form of the time to wait", async () => {
    const seen = [];
    for (const fault of [
      { status: 429, retry_after: 3 },
      { status: 429, retry_after: "Wed, 21 Oct 2026 07:28:00 GMT" },
      { status: 429, retry_after_ms: 1_500, exhausted: "requests" as const, reset_ms: 60_000 },
    ])
      seen.push(await meet(dialect, fault));
    expect(seen.map(({ status, headers }) => [status, headers["retry-after"], headers["retry-after-ms"]])).toEqual([
      [429, "3", undefined],
      [429, "Wed, 21 Oct 2026 07:28:00 GMT", undefined],
      [429, undefined, "1500"],
    ]);
    const remaining =
      dialect.name === "Messages" ? "anthropic-ratelimit-requests-remaining" : "x-ratelimit-remaining-requests";
    expect(seen.at(-1)?.headers[remaining]).toBe("0");
    const overloaded = await meet(dialect, { error: "overloaded" });
    expect([overloaded.status, overloaded.text.includes("verloaded")]).toEqual([
      dialect.name === "Messages" ? 529 : 503,
      true,
    ]);
    for (const error of [
      "auth",
      "billing",
      "quota",
      "permission",
      "not_found",
      "invalid_request",
      "too_large",
      "context_overflow",
      "rate_limit",
      "server_error",
      "timeout",
    ] as const) {
      const refused = await meet(dialect, { error });
      expect([
        error,
        refused.status >= 400,
        typeof (JSON.parse(refused.text) as { error: { message: unknown } }).error.message,
      ]).toEqual([error, true, "string"]);
    }
  });

  it("whole answers are cut and silent too", async () => {
    const asked = { stream: false };
    expect((await meet(dialect, { cut_after_event: 1 }, asked)).ended).toBe("cut");
    await withEmulator({ turns: [{ ...TURN, fault: { silence_after_event: 1 } }] }, async (emulator) => {
      await expect(send(emulator, dialect, asked)).rejects.toThrow("no headers");
    });
  });

  it("random faults repeat with their seed, whatever the order, and meet as many as their rate says", async () => {
    const play = async (seed: number, order: readonly number[]): Promise<readonly (string | null)[]> => {
      const scenario: ScenarioInput = {
        chaos: { rate: 0.3, seed, faults: [{ status: 500 }, { status: 429 }] },
        turns: [TURN],
      };
      return withEmulator(scenario, async (emulator) => {
        const met = new Map<number, string | null>();
        for (const i of order) {
          const named = {
            ...dialect,
            body: {
              ...dialect.body,
              ...(dialect.name === "Responses"
                ? { input: `task ${i}` }
                : { messages: [{ role: "user", content: `task ${i}` }] }),
            },
          };
          // Only the words of the task differ.
          await send(emulator, named as Dialect, { stream: false });
          met.set(i, emulator.requests.at(-1)?.play?.fault ?? null);
        }
        return [...met.entries()].sort(([a], [b]) => a - b).map(([, fault]) => fault);
      });
    };
    const tasks = Array.from({ length: 60 }, (_, i) => i);
    const first = await play(7, tasks);
    expect(await play(7, tasks.toReversed())).toEqual(first);
    expect(await play(8, tasks)).not.toEqual(first);
    const faults = first.filter((fault) => fault !== null).length;
    expect(faults).toBeGreaterThan(6);
    expect(faults).toBeLessThan(36);
  });
});

describe("over TLS", () => {
  it("answers who trusts its certificate, and is refused by who does not", async () => {
    const emulator = await startEmulator({ scenario: { turns: [{ ...TURN, fault: { reset: true } }] }, https: true });
    try {
      const [dialect] = DIALECTS;
      expect(emulator.url).toMatch(/^https:/);
      const certificate = new X509Certificate(emulator.certificate ?? "");
      expect([certificate.verify(certificate.publicKey), certificate.checkIP("127.0.0.1")]).toEqual([
        true,
        "127.0.0.1",
      ]);
      await expect(send(emulator, dialect)).rejects.toMatchObject({ code: "ECONNRESET" });
      expect(await send(emulator, dialect)).toMatchObject({ status: 200, ended: "end" });
      await expect(fetch(`${emulator.url}/v1/models`, { headers: KEYS })).rejects.toMatchObject({
        cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
      });
    } finally {
      await emulator.close();
    }
  });

  it("is no TLS where the address says https and the server speaks plain HTTP", async () => {
    await withEmulator({}, async (emulator) => {
      await expect(fetch(`${emulator.url.replace("http:", "https:")}/v1/models`)).rejects.toThrow();
    });
  });
});

describe("the port", () => {
  it("is closed and opened again by a test, and a close in between leaves nothing", async () => {
    const emulator = await startEmulator({ scenario: { turns: [TURN] } });
    const [dialect] = DIALECTS;
    await emulator.refuseConnections();
    await expect(send(emulator, dialect)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await emulator.acceptConnections();
    expect((await send(emulator, dialect)).status).toBe(200);
    await emulator.refuseConnections();
    await emulator.close();
    await emulator.acceptConnections();
    await expect(send(emulator, dialect)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
