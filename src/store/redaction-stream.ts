/**
 * Redaction of text that arrives in pieces. What may still turn out to be the beginning of a secret is held back until it is
 * decided.
 *
 * T1: what was given out and what `end` gives, put together, hold no secret that the whole text would have been rid of.
 * T2: no more than `HELD_CHARS_MAX` characters are held.
 */
import type { Delta } from "../kernel/delta.ts";
import type { Draft } from "../kernel/events/index.ts";
import type { Redactor } from "./redaction.ts";

export interface RedactedStream {
  /** What of all that was put in is decided now. */
  push(piece: string): string;
  /** The rest. */
  end(): string;
}

export function redactedStream(redactor: Pick<Redactor, "redact" | "decidedIn">): RedactedStream {
  let held = "";
  return {
    push(piece) {
      held += piece;
      const decided = redactor.decidedIn(held);
      const out = held.slice(0, decided);
      held = held.slice(decided);
      return redactor.redact(out).text;
    },
    end() {
      const out = held;
      held = "";
      return redactor.redact(out).text;
    },
  };
}

export interface RedactedDeltas {
  push(delta: Delta): void;
  /** What these events end is given out whole: they say the same, and are durable. */
  ended(drafts: readonly Draft[]): void;
}

/** What is shown may be kept by whoever shows it (a log of CI, say), as a journal is. */
export function redactedDeltas(redactor: Redactor, emit: (delta: Delta) => void): RedactedDeltas {
  const streams = new Map<string, { readonly stream: RedactedStream; readonly last: Delta }>();

  const end = (key: string): void => {
    const open = streams.get(key);
    streams.delete(key);
    if (open !== undefined) give(open.last, open.stream.end());
  };
  const endModel = (but: string | null): void => {
    for (const key of [...streams.keys()]) if (MODEL.has(key) && key !== but) end(key);
  };
  const give = (delta: Delta, text: string): void => {
    if (text !== "") emit(withText(delta, text));
  };

  return {
    push(delta) {
      const text = textOf(delta);
      if (text === null) {
        if (delta.type === "tool_use") endModel(null);
        emit(delta);
        return;
      }
      const key = keyOf(delta);
      if (MODEL.has(key)) endModel(key);
      const stream = streams.get(key)?.stream ?? redactedStream(redactor);
      streams.set(key, { stream, last: delta });
      give(delta, stream.push(text));
    },
    ended(drafts) {
      for (const { kind, data } of drafts) {
        if (kind === "ModelCallFinished" || kind === "ModelCallFailed") endModel(null);
        if (kind === "ToolFinished") end(`tool_progress ${data.call}`);
      }
    },
  };
}

/** What a model says of one kind ends when it says something of another. */
const MODEL: ReadonlySet<string> = new Set(["text", "thinking", "tool_input"] satisfies readonly Delta["type"][]);

function keyOf(delta: Delta): string {
  return delta.type === "tool_progress" ? `${delta.type} ${delta.call}` : delta.type;
}

function textOf(delta: Delta): string | null {
  if (delta.type === "tool_input") return delta.json;
  return "text" in delta ? delta.text : null;
}

function withText(delta: Delta, text: string): Delta {
  return delta.type === "tool_input" ? { ...delta, json: text } : ({ ...delta, text } as Delta); // only a delta with text comes here
}
