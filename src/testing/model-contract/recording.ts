/**
 * A recorded exchange with a provider: the response as it came over the wire, the answer an adapter must make of it, and
 * the request it must send when that answer goes back.
 *
 * On disk it is two files: `<name>.http` (status line, headers, an empty line, the body; line ends are LF) and `<name>.json`
 * (what is expected, as `Expectation` says).
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { invariant } from "../../kernel/harness-error.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { ModelRequest } from "../../model/model.ts";

export interface Recording {
  readonly name: string;
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  /** UTF-8, with LF line ends. */
  readonly body: string;
  readonly expected: Expectation;
}

export interface Expectation {
  /** What differs from the suite's own request: the model, at least. */
  readonly request: Partial<ModelRequest>;
  /**
   * The answer's members that are held, in full where it is `ok: true`: `parts` without `call` and `origin`, `stop`, `usage`,
   * `model`, `request_id` and `rate`. A `rate` that is not there is null.
   */
  readonly answer: JsonObject;
  /** The body of the next request; null where the answer does not go back. */
  readonly sent_back: JsonObject | null;
}

/** Every recording of a directory, in the order of their names. */
export async function readRecordings(directory: string): Promise<readonly Recording[]> {
  const names = (await readdir(directory)).filter((file) => file.endsWith(".http")).sort();
  return Promise.all(
    names.map(async (file) => {
      const name = file.slice(0, -".http".length);
      const response = await readFile(join(directory, file), "utf8");
      const json = await readFile(join(directory, `${name}.json`), "utf8");
      // A recording is written by whoever writes the test; a wrong one fails its cases.
      return recording(name, response, JSON.parse(json) as Expectation);
    }),
  );
}

export function recording(name: string, response: string, expected: Expectation): Recording {
  const end = response.indexOf("\n\n");
  invariant(end > 0, `the recording ${name} has an empty line after its headers`);
  const [first = "", ...lines] = response.slice(0, end).split("\n");
  const status = Number(/^HTTP\/[\d.]+ (\d{3})/.exec(first)?.[1]);
  invariant(Number.isInteger(status), `the recording ${name} begins with a status line`);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { name, status, headers, body: response.slice(end + 2), expected };
}

/** The events of a stream, each with the empty line that ends it. */
export function eventsOf({ body }: Recording): readonly string[] {
  return body.split(/(?<=\n\n)/).filter((event) => event !== "");
}

/** The index of the event without which there is no answer: `[DONE]` and the like may follow it. */
export function lastNeeded(events: readonly string[]): number {
  return events.findLastIndex((event) => event.includes("data:") && !event.includes("data: [DONE]"));
}
