/** `belay diff`: the work of a session. */
import type { Command } from "commander";
import { notToTheByte } from "../log-note.ts";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";

interface DiffOptions {
  readonly stat?: true;
  readonly json?: true;
}

export const defineDiff: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("diff")
    .description("show what a session changed")
    .argument("[id]", ID_HELP)
    .option("--stat", "only the files and how many lines")
    .option("--json", "the changed files as JSON")
    .addHelpText("after", examples("belay diff", "belay diff --stat", "belay diff ses_01… | git apply"))
    .action((id: string | undefined, options: DiffOptions) => context.does(() => showDiff(id, options, context)));
};

async function showDiff(id: string | undefined, options: DiffOptions, { face }: CommandContext): Promise<number> {
  const { withHost } = await import("../host-session.ts");
  const { diffSession } = await import("../../engine/operations.ts");
  const { changeText } = await import("../view/closing.ts");
  const { patchText } = await import("../view/patch.ts");
  const { paintFor } = await import("../view/paint.ts");
  return withHost(face, id, async (host, session) => {
    const { changes, patch } = await diffSession(host, session);
    const { out, err } = face;
    const paint = paintFor(out.colors);
    if (changes.length === 0) err.line(`Session ${session} changed nothing.`);
    if (options.json === true) out.json(JSON.stringify(changes));
    else if (options.stat === true) for (const change of changes) out.line(changeText(change, paint));
    else if (out.isTerminal) out.write(patchText(patch, paint));
    // Not at a terminal the patch is a patch: to the byte.
    else if (out.exactly(patch))
      err.line(`${notToTheByte(face)} \`belay diff ${session} > FILE\` writes the patch as it is.`);
    return 0;
  });
}
