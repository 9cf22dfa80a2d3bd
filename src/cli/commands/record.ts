/** `belay record`: a scenario for the emulator from a session that happened. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";
import type { Face } from "../face.ts";

interface RecordOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export const defineRecord: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("record")
    .description("make a scenario for `belay emulate` from a session's journal; secrets stay tokens")
    .argument("[id]", ID_HELP)
    .option("-o, --output <file>", "write it here; without it to standard output")
    .option("--json", "as JSON, not YAML")
    .addHelpText("after", examples("belay record ses_01… -o scenario.yaml", "belay emulate scenario.yaml --port 8020"))
    .action((id: string | undefined, options: RecordOptions) => context.does(() => record(id, options, context.face)));
};

async function record(id: string | undefined, options: RecordOptions, face: Face): Promise<number> {
  const [{ chosenSession, withStore }, { readEvents }, { LOCAL_TENANT }, { recordScenario }, { scenarioText }] =
    await Promise.all([
      import("../session-choice.ts"),
      import("../../store/journal.ts"),
      import("../../kernel/ids.ts"),
      import("../../testing/recorder/scenario-of.ts"),
      import("../../testing/recorder/scenario-text.ts"),
    ]);
  return withStore(face, async (store) => {
    const session = await chosenSession(store, id, face.cwd);
    const recording = await recordScenario(readEvents(store, LOCAL_TENANT, session));
    const text = options.json ? `${JSON.stringify(recording.scenario, null, 2)}\n` : scenarioText(recording, session);
    if (options.output === undefined) face.out.write(text);
    else await keep(options.output, text, face);
    for (const { turn, kind } of recording.left_out)
      face.err.line(`belay: left out before turn ${turn}: a call that failed with ${kind}; no server can do that.`);
    return 0;
  });
}

/** @throws HarnessError `usage` */
async function keep(file: string, text: string, face: Face): Promise<void> {
  const { writeFile } = await import("node:fs/promises");
  const { resolve } = await import("node:path");
  const { HarnessError } = await import("../../kernel/harness-error.ts");
  try {
    await writeFile(resolve(face.cwd, file), text);
  } catch (cause) {
    // What the file system says has a code; everything else is a defect.
    const code: unknown = cause instanceof Error && "code" in cause ? cause.code : null;
    if (typeof code !== "string") throw cause;
    throw new HarnessError(
      "usage",
      `The scenario could not be written to ${file} (${code}).`,
      "Name a file in a directory that you may write to, with room for it.",
      { cause },
    );
  }
  face.err.line(`belay: wrote ${file}; play it with \`belay emulate ${file}\`.`);
}
