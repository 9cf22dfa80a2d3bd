/** `belay sessions fork`. */
import { forkSession } from "../../engine/fork.ts";
import type { Face } from "../face.ts";
import { withHost } from "../host-session.ts";
import { plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";

export interface ForkOptions {
  readonly at?: number;
  readonly json?: true;
}

export async function forkOne(id: string | undefined, options: ForkOptions, face: Face): Promise<number> {
  return withHost(face, id, async (host, session) => {
    const forked = await forkSession(host, { session, at: options.at ?? null });
    if (options.json === true) {
      face.out.json(JSON.stringify(forked));
      return 0;
    }
    face.out.line(
      `Session ${forked.session} is a fork of ${session} at event ${forked.seq} (${plural(forked.turns, "turn")}).`,
    );
    if (forked.workspace !== null) face.out.line(`Its files are in ${safeLine(forked.workspace)}.`);
    if (!forked.exact)
      face.out.line("The last changes before that event were never in a snapshot and are missing there.");
    face.out.line(`\`belay resume ${forked.session}\` goes on with it.`);
    return 0;
  });
}
