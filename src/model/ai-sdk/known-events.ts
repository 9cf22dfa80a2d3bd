/**
 * Chat Completions has one kind of event, and it has no name. What a server names otherwise is an event of a later version or
 * of somebody between: it is left out here, since the package fails on what has no known shape.
 *
 * V1: an event that is kept is kept to the byte, wherever the chunks end; so is what comes after the last whole one.
 */
const KNOWN_NAMES: readonly string[] = ["", "message", "error"];

const LF = 0x0a;
const CR = 0x0d;

export function knownEvents(): TransformStream<Uint8Array, Uint8Array> {
  let held: Uint8Array = new Uint8Array();
  const handOn = (controller: TransformStreamDefaultController<Uint8Array>, over: boolean): void => {
    for (let end = eventEnd(held, over); end !== null; end = eventEnd(held, over)) {
      const event = held.subarray(0, end);
      if (KNOWN_NAMES.includes(nameOf(event))) controller.enqueue(event);
      held = held.subarray(end);
    }
  };
  return new TransformStream({
    transform: (chunk, controller) => {
      held = Buffer.concat([held, chunk]);
      handOn(controller, false);
    },
    flush: (controller) => {
      handOn(controller, true);
      if (held.byteLength > 0) controller.enqueue(held);
    },
  });
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
