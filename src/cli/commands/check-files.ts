/** The work of `belay check`. */
import { HarnessError } from "../../kernel/harness-error.ts";
import { EXIT_TABLE } from "../../kernel/outcome.ts";
import type { Face } from "../face.ts";
import { readSettings } from "../resolved-settings.ts";
import type { Finding } from "../task-file/check.ts";
import { loadTask } from "../task-file/load.ts";
import { taskJsonSchema } from "../task-file/schema.ts";
import { plural } from "../view/format.ts";
import { paintFor } from "../view/paint.ts";
import { safeLine } from "../view/safe-text.ts";

const FILES_MAX = 1_000;

export interface CheckOptions {
  readonly schema?: true;
  readonly json?: true;
}

export async function checkFiles(files: readonly string[], options: CheckOptions, face: Face): Promise<number> {
  const { out } = face;
  if (options.schema === true) {
    out.json(JSON.stringify(taskJsonSchema(), null, 2));
    return 0;
  }
  if (files.length === 0 || files.length > FILES_MAX) {
    const happened = files.length === 0 ? "No file was named." : `More than ${String(FILES_MAX)} files were named.`;
    throw new HarnessError("usage", happened, "Name task files: `belay check tasks/*.yaml`.");
  }
  const around = { cwd: face.cwd, settings: readSettings(face.environment.home) };
  const checked: { readonly file: string; readonly findings: readonly Finding[] }[] = [];
  for (const file of files) {
    const loaded = await loadTask(file, around);
    checked.push({ file, findings: "task" in loaded ? [] : loaded.findings });
  }
  const wrong = checked.filter(({ findings }) => findings.length > 0).length;
  if (options.json === true) out.json(JSON.stringify({ ok: wrong === 0, files: checked }));
  else print(checked, wrong, face);
  return wrong === 0 ? 0 : EXIT_TABLE.usage.code;
}

function print(
  checked: readonly { readonly file: string; readonly findings: readonly Finding[] }[],
  wrong: number,
  { out }: Face,
): void {
  const paint = paintFor(out.colors);
  for (const { file, findings } of checked) {
    if (findings.length === 0) out.line(`${paint.green("✓")} ${safeLine(file)}`);
    for (const { line, what, mend } of findings) {
      out.line(`${paint.red("✗")} ${safeLine(file)}:${String(line)}: ${safeLine(what)}`);
      out.line(`    ${safeLine(mend)}`);
    }
  }
  if (checked.length > 1) out.line(`${plural(checked.length, "file")}, ${String(wrong)} refused`);
}
