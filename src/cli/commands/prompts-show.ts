/** `belay prompts show`: the text of one prompt. */
import { textsOfSession } from "../../engine/repin.ts";
import { builtInTools } from "../../tool/registry.ts";
import type { Face } from "../face.ts";
import { type NamedText, presentTexts, sessionTexts, textNamed } from "../prompt-texts.ts";
import { chosenSession, withStore } from "../session-choice.ts";
import { safeText } from "../view/safe-text.ts";

export interface ShowOptions {
  readonly session?: string;
  readonly json?: true;
}

export async function showPrompt(name: string, { session, json }: ShowOptions, face: Face): Promise<number> {
  const texts = await textsAt(session, face);
  const { text, ...found } = textNamed(texts, name);
  if (json === true) face.out.json(JSON.stringify({ ...found, session: session ?? null, text: text() }));
  else face.out.line(safeText(text()));
  return 0;
}

async function textsAt(session: string | undefined, face: Face): Promise<readonly NamedText[]> {
  if (session === undefined) return presentTexts(face.cwd, builtInTools());
  return withStore(face, async (store) => {
    const id = await chosenSession(store, session, face.cwd);
    return sessionTexts(id, await textsOfSession({ store }, id));
  });
}
