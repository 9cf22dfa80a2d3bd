/** Bodies that are too large to hold: the requests of a JSON body one by one, and a multipart form part by part. Bytes throughout. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN, CLOSE, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d];
/** Below the object of the body and its list. */
const ITEM_DEPTH = 2;
const HEAD_END = Buffer.from("\r\n\r\n");

/** The objects of the lists of an object, as they stand in the text. Nothing else is looked at. */
export async function* listedObjects(chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  let depth = 0;
  let inString = false;
  let escaped = false;
  let held: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = depth > ITEM_DEPTH ? 0 : -1;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (escaped) escaped = false;
      else if (inString) {
        if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN || byte === LIST) {
        if (depth === ITEM_DEPTH && byte === OPEN) start = i;
        depth += 1;
      } else if (byte === CLOSE || byte === LIST_END) {
        depth -= 1;
        if (depth !== ITEM_DEPTH || byte !== CLOSE || start < 0) continue;
        yield Buffer.concat([...held, chunk.subarray(start, i + 1)]).toString("utf8");
        held = [];
        start = -1;
      }
    }
    if (start >= 0) held.push(chunk.subarray(start));
  }
}

export interface FormPart {
  readonly name: string;
  readonly filename: string | null;
}

/** @param take called with every piece of a part's content, in order */
export async function readForm(
  chunks: AsyncIterable<Buffer>,
  boundary: string,
  take: (part: FormPart, content: Buffer) => Promise<void>,
): Promise<void> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter has no line before it.
  let rest: Buffer = Buffer.from("\r\n");
  let part: FormPart | null = null;
  const emit = async (content: Buffer): Promise<void> => {
    if (part !== null && content.length > 0) await take(part, content);
  };
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const end = rest.indexOf(delimiter);
      if (end < 0) {
        const sure = Math.max(0, rest.length - delimiter.length);
        await emit(rest.subarray(0, sure));
        rest = rest.subarray(sure);
        break;
      }
      const head = rest.indexOf(HEAD_END, end);
      if (head < 0) {
        await emit(rest.subarray(0, end));
        rest = rest.subarray(end);
        break;
      }
      await emit(rest.subarray(0, end));
      part = partOf(rest.subarray(end + delimiter.length, head).toString("utf8"));
      rest = rest.subarray(head + HEAD_END.length);
    }
  }
}

function partOf(head: string): FormPart {
  return {
    name: /[; ]name="([^"]*)"/i.exec(head)?.[1] ?? "",
    filename: /filename="([^"]*)"/i.exec(head)?.[1] ?? null,
  };
}
