/** The emulator's batches over plain HTTP: the shapes and words of both providers, without an SDK in between. */
import { describe, expect, test } from "vitest";
import { listedObjects, readForm } from "../../../src/testing/emulator/batches/body.ts";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";
import { asking, HEADERS } from "./talk.ts";

const DAY_MS = 24 * 3_600_000;
const OPENAI = { authorization: "Bearer test-key" };

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
}

type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

async function withServer(
  batches: ScenarioInput["batches"],
  use: (ask: Ask, openai: Ask, server: { emulator: Emulator; clock: ManualClock }) => Promise<void>,
): Promise<void> {
  const clock = manualClock();
  const emulator = await startEmulator({ scenario: { batches }, clock, apiKey: "test-key" });
  const asker =
    (headers: Record<string, string>): Ask =>
    async (method, path, body) => {
      const form = body instanceof FormData;
      const sent = form || body === undefined ? body : JSON.stringify(body);
      const type: Record<string, string> = form ? {} : { "content-type": "application/json" };
      const init = { method, headers: { ...headers, ...type }, ...(sent === undefined ? {} : { body: sent }) };
      const response = await fetch(`${emulator.url}/v1${path}`, init);
      const text = await response.text();
      const json: unknown = text.startsWith("{") && !text.includes("\n") ? JSON.parse(text) : null;
      return { status: response.status, text, json };
    };
  try {
    await use(asker(HEADERS), asker(OPENAI), { emulator, clock });
  } finally {
    await emulator.close();
  }
}

const requests = (...ids: string[]): object => ({
  requests: ids.map((custom_id) => ({ custom_id, params: asking([{ role: "user", content: `do ${custom_id}` }]) })),
});
const idOf = ({ json }: Answer): string => (json as { id: string }).id; // every answer that is created has one
const lines = ({ text }: Answer): readonly { custom_id: string }[] =>
  text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as { custom_id: string }]));
const message = ({ json }: Answer): string => (json as { error: { message: string } }).error.message; // of a refusal

describe("Message Batches", () => {
  test("a batch is created, processed and read, in the provider's shape", async () => {
    await withServer({ polls: 2 }, async (ask, _, { emulator, clock }) => {
      const created = await ask("POST", "/messages/batches", requests("a", "b"));
      const id = idOf(created);
      const time = (ms: number): string => new Date(clock.now() + ms).toISOString();
      const none = { succeeded: 0, errored: 0, canceled: 0, expired: 0 };
      expect(created.json).toEqual({
        ...{ id, type: "message_batch", processing_status: "in_progress" },
        request_counts: { processing: 2, ...none },
        ...{ created_at: time(0), expires_at: time(DAY_MS), ended_at: null, archived_at: null },
        ...{ cancel_initiated_at: null, results_url: null },
      });
      // Counts stay where they are until the batch ended.
      expect((await ask("GET", `/messages/batches/${id}`)).json).toMatchObject({ request_counts: { processing: 2 } });
      expect((await ask("GET", `/messages/batches/${id}`)).json).toMatchObject({
        processing_status: "ended",
        request_counts: { processing: 0, ...none, succeeded: 2 },
        ended_at: time(0),
        results_url: `${emulator.url}/v1/messages/batches/${id}/results`,
      });
      const results = lines(await ask("GET", `/messages/batches/${id}/results`));
      expect(results).toHaveLength(2);
      expect(results[0]).toMatchObject({
        result: { type: "succeeded", message: { type: "message", role: "assistant", stop_reason: "end_turn" } },
      });
    });
  });

  test("the list is newest first, in pages both ways", async () => {
    await withServer({}, async (ask) => {
      const ids: string[] = [];
      for (const name of ["a", "b", "c", "d"])
        ids.unshift(idOf(await ask("POST", "/messages/batches", requests(name))));
      const page = async (query: string): Promise<unknown> => {
        const { json } = await ask("GET", `/messages/batches?${query}`);
        const { data, has_more, first_id, last_id } = json as { data: { id: string }[] } & Record<string, unknown>;
        return {
          data: data.map(({ id }) => ids.indexOf(id)),
          has_more,
          ends: [first_id, last_id].map((id) => ids.indexOf(String(id))),
        };
      };
      expect(await page("limit=3")).toEqual({ data: [0, 1, 2], has_more: true, ends: [0, 2] });
      expect(await page(`limit=3&after_id=${ids[2]}`)).toEqual({ data: [3], has_more: false, ends: [3, 3] });
      expect(await page(`limit=1&before_id=${ids[2]}`)).toEqual({ data: [1], has_more: true, ends: [1, 1] });
      expect((await ask("GET", "/messages/batches?limit=0")).status).toBe(400);
    });
  });

  test.each([
    ["no requests", { requests: [] }, "requests: List should have at least 1 item after validation, not 0"],
    [
      "an id that is none",
      requests("a:b"),
      "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
    ],
    ["an id used twice", requests("a", "b", "a"), "requests.2.custom_id: Each request must have a unique custom_id"],
    ["too many", requests("a", "b", "c", "d"), "requests: List should have at most 3 items after validation, not 4"],
  ])("%s: refused as a whole", async (_, body, words) => {
    await withServer({ requests_max: 3 }, async (ask, __, { emulator }) => {
      const refused = await ask("POST", "/messages/batches", body);
      expect([refused.status, message(refused)]).toEqual([400, words]);
      expect(emulator.batches().batches).toBe(0);
    });
  });

  test("a body over the limit is a 413", async () => {
    await withServer({ bytes_max: 300 }, async (ask) => {
      const refused = await ask("POST", "/messages/batches", requests("a", "b", "c"));
      expect([refused.status, refused.json]).toMatchObject([413, { error: { type: "request_too_large" } }]);
    });
  });

  test("what a request asks wrongly is told in its result, not at the creation", async () => {
    await withServer({}, async (ask) => {
      const body = { requests: [{ custom_id: "a", params: { model: "claude-sonnet-4-5", max_tokens: 5 } }] };
      const id = idOf(await ask("POST", "/messages/batches", body));
      await ask("GET", `/messages/batches/${id}`);
      expect(lines(await ask("GET", `/messages/batches/${id}/results`))).toEqual([
        {
          custom_id: "a",
          result: {
            type: "errored",
            error: {
              type: "error",
              error: { type: "invalid_request_error", message: "messages: Field required" },
              request_id: null,
            },
          },
        },
      ]);
    });
  });

  test("a batch is canceled while it goes on, and deleted once it ended", async () => {
    await withServer({ delay_ms: 1_000 }, async (ask) => {
      const id = idOf(await ask("POST", "/messages/batches", requests("a")));
      expect((await ask("DELETE", `/messages/batches/${id}`)).status).toBe(400);
      const canceling = await ask("POST", `/messages/batches/${id}/cancel`);
      expect(canceling.json).toMatchObject({
        processing_status: "canceling",
        cancel_initiated_at: expect.any(String) as string,
      });
      const ended = await ask("GET", `/messages/batches/${id}`);
      expect(ended.json).toMatchObject({ processing_status: "ended", request_counts: { canceled: 1 } });
      expect((await ask("POST", `/messages/batches/${id}/cancel`)).status).toBe(400);
      expect((await ask("DELETE", `/messages/batches/${id}`)).json).toEqual({ id, type: "message_batch_deleted" });
      expect((await ask("GET", `/messages/batches/${id}`)).status).toBe(404);
    });
  });

  test("requests are answered at their pace, and the window closes on the rest", async () => {
    await withServer({ per_second: 1, window_ms: 3_000 }, async (ask, _, { clock }) => {
      const id = idOf(await ask("POST", "/messages/batches", requests("a", "b", "c", "d", "e")));
      await clock.advance(2_999);
      expect((await ask("GET", `/messages/batches/${id}`)).json).toMatchObject({ processing_status: "in_progress" });
      await clock.advance(1);
      const ended = await ask("GET", `/messages/batches/${id}`);
      expect(ended.json).toMatchObject({ request_counts: { succeeded: 3, expired: 2, processing: 0 } });
    });
  });

  test("a key that is not let in is refused before anything is read", async () => {
    await withServer({}, async (_, __, { emulator }) => {
      const response = await fetch(`${emulator.url}/v1/messages/batches`, {
        ...{ method: "POST", headers: { ...HEADERS, "x-api-key": "other" }, body: JSON.stringify(requests("a")) },
      });
      expect(response.status).toBe(401);
    });
  });
});

const line = (custom_id: string, changes: object = {}): string =>
  JSON.stringify({
    ...{ custom_id, method: "POST", url: "/v1/responses" },
    body: { model: "gpt-5", input: `do ${custom_id}` },
    ...changes,
  });

async function uploaded(ask: Ask, text: string): Promise<string> {
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob([text]), "jobs.jsonl");
  return idOf(await ask("POST", "/files", form));
}

async function made(ask: Ask, ...texts: string[]): Promise<Answer> {
  const input_file_id = await uploaded(ask, `${texts.join("\n")}\n`);
  const asked = { input_file_id, endpoint: "/v1/responses", completion_window: "24h", metadata: { marker: "m" } };
  return ask("POST", "/batches", asked);
}

describe("OpenAI batches", () => {
  test("a file is uploaded, looked at and read back", async () => {
    await withServer({}, async (_, ask) => {
      const text = `${line("ä")}\r\n${line("b")}\n`;
      const id = await uploaded(ask, text);
      expect((await ask("GET", `/files/${id}`)).json).toMatchObject({
        ...{ id, object: "file", bytes: Buffer.byteLength(text), filename: "jobs.jsonl", purpose: "batch" },
      });
      expect((await ask("GET", `/files/${id}/content`)).text).toBe(text);
      expect((await ask("GET", "/files/file-none")).status).toBe(404);
    });
  });

  test("a batch goes through its states, and leaves a file of answers and one of errors", async () => {
    const errored = [{ custom_id: "b", error: "context_overflow" as const }];
    await withServer({ polls: 3, errored }, async (_, ask, { clock }) => {
      const created = await made(ask, line("a"), line("b"));
      const id = idOf(created);
      const now = Math.floor(clock.now() / 1_000);
      expect(created.json).toMatchObject({
        ...{ id, object: "batch", endpoint: "/v1/responses", status: "validating", completion_window: "24h" },
        ...{ created_at: now, expires_at: now + DAY_MS / 1_000, metadata: { marker: "m" }, errors: null },
        ...{ output_file_id: null, error_file_id: null, request_counts: { total: 0, completed: 0, failed: 0 } },
      });
      const states: unknown[] = [];
      let last: Record<string, unknown> = {};
      for (let i = 0; i < 3; i++) {
        last = (await ask("GET", `/batches/${id}`)).json as Record<string, unknown>; // a batch
        states.push(last["status"]);
      }
      expect(states).toEqual(["in_progress", "finalizing", "completed"]);
      expect(last).toMatchObject({ request_counts: { total: 2, completed: 1, failed: 1 }, completed_at: now });
      const read = async (name: string): Promise<unknown> =>
        lines(await ask("GET", `/files/${String(last[name])}/content`));
      expect(await read("output_file_id")).toMatchObject([
        {
          custom_id: "a",
          error: null,
          response: { status_code: 200, body: { object: "response", status: "completed" } },
        },
      ]);
      expect(await read("error_file_id")).toMatchObject([
        {
          ...{ custom_id: "b", error: null },
          response: { status_code: 400, body: { error: { code: "context_length_exceeded" } } },
        },
      ]);
    });
  });

  test("what is not answered in its window stands among the errors as expired", async () => {
    await withServer({ unanswered: { custom_id: "b" } }, async (_, ask, { clock }) => {
      const id = idOf(await made(ask, line("a"), line("b")));
      await clock.advance(DAY_MS);
      const { json } = await ask("GET", `/batches/${id}`);
      expect(json).toMatchObject({ status: "expired", request_counts: { total: 2, completed: 1, failed: 0 } });
      const { error_file_id } = json as { error_file_id: string };
      expect(lines(await ask("GET", `/files/${error_file_id}/content`))).toMatchObject([
        { custom_id: "b", response: null, error: { code: "batch_expired" } },
      ]);
    });
  });

  test.each([
    ["no JSON", ["{"], { code: "invalid_json_line", line: 1 }],
    ["an id used twice", [line("a"), line("a")], { code: "duplicate_custom_id", line: 2 }],
    ["another endpoint", [line("a", { url: "/v1/chat/completions" })], { code: "url_mismatch", line: 1 }],
    [
      "two models",
      [line("a"), line("b", { body: { model: "gpt-4.1", input: "x" } })],
      { code: "model_mismatch", line: 2 },
    ],
    ["too many", [line("a"), line("b"), line("c")], { code: "too_many_tasks" }],
  ])("a file with %s makes a batch that failed", async (_, texts, error) => {
    await withServer({ requests_max: 2 }, async (__, ask, { emulator }) => {
      const id = idOf(await made(ask, ...texts));
      const failed = (await ask("GET", `/batches/${id}`)).json;
      expect(failed).toMatchObject({
        status: "failed",
        errors: { object: "list", data: [error] },
        output_file_id: null,
      });
      expect(emulator.batches().requests).toBe(0);
    });
  });

  test("a batch that ended cannot be canceled", async () => {
    await withServer({}, async (_, ask) => {
      const id = idOf(await made(ask, line("a")));
      await ask("GET", `/batches/${id}`);
      const refused = await ask("POST", `/batches/${id}/cancel`);
      expect([refused.status, message(refused)]).toEqual([409, "Cannot cancel a batch with status 'completed'."]);
    });
  });
});

describe("counting", () => {
  test("what is submitted again is seen by its custom id, and by its content under another", async () => {
    await withServer({}, async (ask, _, { emulator }) => {
      const body = asking([{ role: "user", content: "the same" }]);
      for (const custom_id of ["a", "a", "b"]) {
        const id = idOf(await ask("POST", "/messages/batches", { requests: [{ custom_id, params: body }] }));
        await ask("GET", `/messages/batches/${id}`);
      }
      const counts = {
        ...{ batches: 3, requests: 3, succeeded: 3 },
        ...{ custom_ids_repeated: ["a"], paid_twice: ["a", "b"] },
      };
      expect(emulator.batches()).toEqual(counts);
      const told: unknown = await (await fetch(`${emulator.url}/emulator/counts`)).json();
      expect(told).toMatchObject({ batches: counts });
    });
  });

  test("the same request gets the same answer, whichever batch it is in", async () => {
    await withServer({}, async (ask) => {
      const said: unknown[] = [];
      for (const custom_id of ["a", "b"]) {
        const params = asking([{ role: "user", content: "the same" }]);
        const id = idOf(await ask("POST", "/messages/batches", { requests: [{ custom_id, params }] }));
        await ask("GET", `/messages/batches/${id}`);
        const [result] = lines(await ask("GET", `/messages/batches/${id}/results`));
        said.push((result as unknown as { result: { message: { content: unknown } } }).result.message.content);
      }
      expect(said[0]).toEqual([{ type: "text", text: expect.stringMatching(/^echo [0-9a-f]{16}$/) as string }]);
      expect(said[1]).toEqual(said[0]);
    });
  });
});

describe("bodies are read in whatever pieces they come", () => {
  async function* pieces(text: string, size: number): AsyncIterable<Buffer> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
  }

  test.each([1, 2, 7, 1_000])("requests, %d bytes at a time", async (size) => {
    const items = [{ a: '{"}[]\\"' }, { b: { c: [{ d: "ü\\" }] } }, {}];
    const text = JSON.stringify({ other: 1, requests: items }, null, 1);
    const found: unknown[] = [];
    for await (const item of listedObjects(pieces(text, size))) found.push(JSON.parse(item));
    expect(found).toEqual(items);
  });

  test.each([1, 3, 10, 1_000])("a form, %d bytes at a time", async (size) => {
    const content = 'line\r\n--b\r\n-- "x"\r\n';
    const text = [
      '--bound\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n',
      `--bound\r\nContent-Disposition: form-data; name="file"; filename="f.jsonl"\r\nContent-Type: x/y\r\n\r\n${content}\r\n`,
      "--bound--\r\n",
    ].join("");
    const parts: Record<string, string> = {};
    await readForm(pieces(text, size), "bound", ({ name, filename }, piece) => {
      const key = `${name} ${filename ?? ""}`;
      parts[key] = (parts[key] ?? "") + piece.toString("latin1");
      return Promise.resolve();
    });
    expect(parts).toEqual({ "purpose ": "batch", "file f.jsonl": content });
  });
});
