/** `belay merge` and `belay apply`: bring a session's work into the user's repository. Both refuse rather than lose work. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";

export const defineMerge: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("merge")
    .description("bring a session's work into your branch, as a commit")
    .argument("[id]", ID_HELP)
    .option("--protected", "also what steers other programs (.claude, .vscode, rc files …): look at it first")
    .addHelpText(
      "after",
      examples("belay merge", "belay merge ses_01…") +
        "\nIt changes nothing when your uncommitted work would be lost or lines conflict.\n",
    )
    .action((id: string | undefined, options: DeliverOptions) =>
      context.does(() => deliver(id, "merge", options, context)),
    );
};

export const defineApply: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("apply")
    .description("bring a session's work into your files, uncommitted")
    .argument("[id]", ID_HELP)
    .option("--protected", "also what steers other programs (.claude, .vscode, rc files …): look at it first")
    .addHelpText(
      "after",
      examples("belay apply", "belay apply ses_01…") +
        "\nIt changes nothing when your uncommitted work would be lost or lines conflict.\n",
    )
    .action((id: string | undefined, options: DeliverOptions) =>
      context.does(() => deliver(id, "apply", options, context)),
    );
};

interface DeliverOptions {
  readonly protected?: true;
}

async function deliver(
  id: string | undefined,
  how: "merge" | "apply",
  options: DeliverOptions,
  { face }: CommandContext,
): Promise<number> {
  const { withHost } = await import("../host-session.ts");
  const { deliverSession } = await import("../../engine/operations.ts");
  const { deliveredText } = await import("../offer.ts");
  const { safeLine } = await import("../view/safe-text.ts");
  const { isInstructionFile } = await import("../../policy/flow/instruction-files.ts");
  return withHost(face, id, async (host, session) => {
    const delivered = await deliverSession(host, session, how, options.protected === true);
    face.out.line(deliveredText(how, delivered));
    for (const path of delivered.files) face.out.line(`  ${safeLine(path)}`);
    const steering = delivered.files.filter(isInstructionFile);
    if (steering.length > 0)
      face.out.line(
        `! Later sessions of agents do what these files say, so read them: ${safeLine(steering.join(", "))}`,
      );
    return 0;
  });
}
