/**
 * What of a stream is kept from the package that reads it.
 *
 * Chat Completions has one kind of event, and it has no name. What a server names otherwise is an event of a later version or
 * of somebody between: it is left out here, since the package fails on what has no known shape.
 *
 * Gemini's calls have no id of their own: the package gives each a new one, so that an event that came twice would be a second
 * call. One that holds a call and is equal, to the byte, to the one before it is left out here.
 *
 * V1: an event that is kept is kept to the byte, wherever the chunks end; so is what comes after the last whole one.
 */
import { HarnessError } from "../../kernel/harness-error.ts";

const KNOWN_NAMES: readonly string[] = ["", "message", "error"];

/** Of one event; a longer one is none of a model's. Bytes. */
const EVENT_BYTES_MAX = 8 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;

export function knownEvents(): TransformStream<Uint8Array, Uint8Array> {
  return eventFilter((event) => KNOWN_NAMES.includes(nameOf(event)));
}

export function callsOnce(): TransformStream<Uint8Array, Uint8Array> {
  let before = "";
  return eventFilter((event) => {
    const text = Buffer.from(event).toString("latin1");
    const again = text === before && text.includes('"functionCall"');
    if (text.trim() !== "") before = text;
    return !again;
  });
}

function eventFilter(keep: (event: Uint8Array) => boolean): TransformStream<Uint8Array, Uint8Array> {
  let held: Uint8Array = new Uint8Array();
  const handOn = (controller: TransformStreamDefaultController<Uint8Array>, over: boolean): void => {
    for (let end = eventEnd(held, over); end !== null; end = eventEnd(held, over)) {
      const event = held.subarray(0, end);
      if (keep(event)) controller.enqueue(event);
      held = held.subarray(end);
    }
  };
  return new TransformStream({
    transform: (chunk, controller) => {
      held = Buffer.concat([held, chunk]);
      handOn(controller, false);
      if (held.byteLength > EVENT_BYTES_MAX) controller.error(tooLong());
    },
    flush: (controller) => {
      handOn(controller, true);
      if (held.byteLength > 0) controller.enqueue(held);
    },
  });
}

function tooLong(): HarnessError {
  return new HarnessError(
    "protocol",
    `An event of the provider's stream has more than ${EVENT_BYTES_MAX} bytes.`,
    "Check for a proxy in between.",
  );
}

/** Where the first event ends: after an empty line. Null when none is whole; before the end a last CR may be half of a CRLF. */
function eventEnd(bytes: Uint8Array, over: boolean): number | null {
  let lineStart = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== LF && bytes[at] !== CR) continue;
    if (bytes[at] === CR && at + 1 === bytes.length && !over) return null;
    const next = bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
    if (at === lineStart) return next;
    lineStart = next;
    at = next - 1;
  }
  return null;
}

function nameOf(event: Uint8Array): string {
  return /^event:\s*(.*?)\s*$/m.exec(Buffer.from(event).toString("latin1"))?.[1] ?? "";
}
