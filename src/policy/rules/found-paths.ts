/** What `{}` may be in `find DIRECTORY -name GLOB -exec PROGRAM {} \;`: paths below the directories with such a name. */
import type { PlacedCommand } from "../shell/gathering.ts";
import { globSegments } from "./glob-overlap.ts";
import { type NamedPath, namedPath, type PathStart } from "./named-path.ts";

export const FOUND: RegExp = /^\{\}$/;

const NARROWING = new Set(["-name", "-iname"]);
/** Tests that widen what is found, or turn it around. */
const WIDENING = /^(?:-o|-or|-not|!|,|-path|-wholename|-ipath|-regex|-iregex|-files0-from|-L|-H|-follow)$/;

/** Null where it may be anything. */
export function foundPaths(
  command: PlacedCommand,
  commands: readonly PlacedCommand[],
  start: PathStart,
): NamedPath | null {
  const finds = commands.filter(
    ({ words, via }) =>
      words[0]?.text === "find" && via.length < command.via.length && via.every((one, i) => one === command.via[i]),
  );
  if (finds.length === 0 || !(command.via.at(-1) ?? "").startsWith("find ")) return null;
  const paths: NamedPath["paths"][number][] = [];
  for (const { words } of finds) {
    const texts = words.map(({ text }) => text);
    const names = texts.filter((_, i) => NARROWING.has(texts[i - 1] ?? ""));
    if (names.length !== 1 || texts.some((text) => WIDENING.test(text))) return null;
    const first = texts.findIndex((text, i) => i > 0 && (text.startsWith("-") || text === "("));
    const roots = words.slice(1, first === -1 ? undefined : first);
    for (const { text, plain } of roots.length === 0 ? [{ text: ".", plain: true }] : roots) {
      const root = namedPath(text, plain, start);
      if (root === null || !root.sure) return null;
      for (const path of root.paths) paths.push([...path, "**", ...globSegments(names[0] ?? "*")]);
    }
  }
  return { paths, literal: false, sure: true };
}
