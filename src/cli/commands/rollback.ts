/** `belay rollback`: sets the files of a session's workspace back. The journal goes forward: a rollback is an event. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";
import { filledText } from "../settings.ts";

interface RollbackOptions {
  readonly to?: string;
  readonly reason: string;
}

export const defineRollback: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("rollback")
    .description("set a session's files back to a checkpoint")
    .argument("[id]", ID_HELP)
    .option("--to <checkpoint>", "this checkpoint; without it the newest that differs from what is there")
    .requiredOption("--reason <text>", "why; it is journaled, and the agent reads it", filledText)
    .addHelpText(
      "after",
      examples(
        'belay rollback --reason "wrong approach"',
        'belay rollback ses_01… --to chk_01… --reason "keep only the parser"',
      ),
    )
    .action((id: string | undefined, options: RollbackOptions) => context.does(() => rollBack(id, options, context)));
};

async function rollBack(id: string | undefined, options: RollbackOptions, { face }: CommandContext): Promise<number> {
  const { withHost } = await import("../host-session.ts");
  const { rollbackSession } = await import("../../engine/operations.ts");
  const { parseCheckpointId } = await import("../../kernel/ids.ts");
  const { plural } = await import("../view/format.ts");
  const { safeLine } = await import("../view/safe-text.ts");
  return withHost(face, id, async (host, session) => {
    const to = options.to === undefined ? null : parseCheckpointId(options.to);
    const { checkpoint, changed } = await rollbackSession(host, session, to, options.reason);
    face.out.line(
      `Set back to checkpoint ${checkpoint.id} (${safeLine(checkpoint.label)}): ${plural(changed.length, "file")} changed.`,
    );
    face.out.line(
      `What was there before is kept in the session's snapshots. \`belay resume ${session}\` goes on from here.`,
    );
    return 0;
  });
}
