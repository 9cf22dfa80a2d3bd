/** `belay cancel`: stops a run from another terminal. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";

/** How long the command waits for the run to end, in milliseconds. A run that is stopped needs a few seconds. */
const WAIT_MS = 15_000;
const POLL_MS = 100;

export const defineCancel: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("cancel")
    .description("stop a run from another terminal; what is finished is kept")
    .argument("[id]", ID_HELP)
    .addHelpText("after", examples("belay cancel", "belay cancel ses_01…"))
    .action((id: string | undefined) => context.does(() => cancelSession(id, context)));
};

export async function cancelSession(id: string | undefined, { face }: CommandContext): Promise<number> {
  const { chosenSession, withStore } = await import("../session-choice.ts");
  const { isOwnerAlive } = await import("../../host/lease-owner.ts");
  const { systemClock } = await import("../../host/system-clock.ts");
  const { HarnessError } = await import("../../kernel/harness-error.ts");
  const { LOCAL_TENANT } = await import("../../kernel/ids.ts");
  const { loadSession } = await import("../../store/journal.ts");
  return withStore(face, async (store) => {
    const session = await chosenSession(store, id, face.cwd);
    const { row, state } = await loadSession(store, LOCAL_TENANT, session);
    if (state.jobs !== null)
      throw new HarnessError(
        "usage",
        `${session} is a batch: it goes on at the provider, whoever watches it.`,
        `\`belay batch cancel ${session}\` ends it there.`,
      );
    if (row.owner === null || isOwnerAlive(row.owner) === false) {
      face.out.line(`Session ${session} is not running. \`belay resume ${session}\` goes on with it.`);
      return 0;
    }
    await store.requestCancel(LOCAL_TENANT, session);
    face.out.line(`Asked process ${row.owner.pid} to stop session ${session}.`);
    const { token } = row.owner;
    for (let waited = 0; waited < WAIT_MS; waited += POLL_MS) {
      await systemClock.sleep(POLL_MS);
      const now = await store.getSession(LOCAL_TENANT, session);
      if (now?.owner?.token === token) continue;
      face.out.line(`Stopped: ${now?.summary.outcome ?? "it is gone"}. \`belay resume ${session}\` goes on with it.`);
      return 0;
    }
    face.err.line(`belay: session ${session} has not stopped within ${WAIT_MS / 1_000} s; it was asked and will.`);
    return 1;
  });
}
