/** `belay prompts pin`: holds a session to other texts, without running it. */
import { repinSession } from "../../engine/repin.ts";
import { LOCAL_TENANT, parseSessionId } from "../../kernel/ids.ts";
import { noSession } from "../../engine/session.ts";
import type { Face } from "../face.ts";
import { withHost } from "../host-session.ts";
import { HASH_CHARS_SHOWN } from "./prompts-list.ts";

export interface PinOptions {
  readonly from?: string;
  readonly json?: true;
}

export async function pinSession(id: string, { from, json }: PinOptions, face: Face): Promise<number> {
  return withHost(face, id, async (host, session) => {
    const source = from === undefined ? null : parseSessionId(from);
    if (source !== null && (await host.store.getSession(LOCAL_TENANT, source)) === null) throw noSession(source);
    const repinned = await repinSession(host, session, source);
    if (json === true) face.out.json(JSON.stringify({ ...repinned, from: source }));
    else face.out.line(repinnedLine(repinned, source));
    return 0;
  });
}

function repinnedLine(
  { session, pinned, changed }: Awaited<ReturnType<typeof repinSession>>,
  source: string | null,
): string {
  const texts = source === null ? "this version's prompt and tools" : `the prompt and tools of session ${source}`;
  const short = (name: string): string => name.replace("sha256:", "").slice(0, HASH_CHARS_SHOWN);
  const hashes = `(${short(pinned.system)}, ${short(pinned.tools)})`;
  if (!changed) return `Session ${session} is held to ${texts} already ${hashes}.`;
  return `Session ${session} is held to ${texts} from now on ${hashes}. Its next request is read anew by the provider.`;
}
