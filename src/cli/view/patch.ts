/** A unified diff for a terminal. */
import type { Paint } from "./paint.ts";
import { safeText } from "./safe-text.ts";

export function patchText(patch: string, paint: Paint): string {
  return patch
    .split("\n")
    .map((line) => painted(safeText(line), paint))
    .join("\n");
}

function painted(line: string, paint: Paint): string {
  if (line.startsWith("+++") || line.startsWith("---") || line.startsWith("diff ")) return paint.bold(line);
  if (line.startsWith("@@")) return paint.cyan(line);
  if (line.startsWith("+")) return paint.green(line);
  if (line.startsWith("-")) return paint.red(line);
  return line;
}
