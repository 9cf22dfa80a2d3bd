/** `belay merge` and `belay apply`: bring a session's work into the user's repository. Both refuse rather than lose work. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";

export const defineMerge: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("merge")
    .description("bring a session's work into your branch, as a commit")
    .argument("[id]", ID_HELP)
    .addHelpText(
      "after",
      examples("belay merge", "belay merge ses_01…") +
        "\nIt changes nothing when your uncommitted work would be lost or lines conflict.\n",
    )
    .action((id: string | undefined) => context.does(() => deliver(id, "merge", context)));
};

export const defineApply: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("apply")
    .description("bring a session's work into your files, uncommitted")
    .argument("[id]", ID_HELP)
    .addHelpText(
      "after",
      examples("belay apply", "belay apply ses_01…") +
        "\nIt changes nothing when your uncommitted work would be lost or lines conflict.\n",
    )
    .action((id: string | undefined) => context.does(() => deliver(id, "apply", context)));
};

async function deliver(id: string | undefined, how: "merge" | "apply", { face }: CommandContext): Promise<number> {
  const { withHost } = await import("../host-session.ts");
  const { deliverSession } = await import("../../engine/operations.ts");
  const { deliveredText } = await import("../offer.ts");
  const { safeLine } = await import("../view/safe-text.ts");
  return withHost(face, id, async (host, session) => {
    const delivered = await deliverSession(host, session, how);
    face.out.line(deliveredText(how, delivered));
    for (const path of delivered.files) face.out.line(`  ${safeLine(path)}`);
    return 0;
  });
}
