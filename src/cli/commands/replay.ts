/** `belay replay`: everything that belay derived, derived anew from the journal; or what the session was at a place of it. */
import type { Command } from "commander";
import type { Replay } from "../../engine/replay/replay.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { EXIT_TABLE } from "../../kernel/outcome.ts";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";
import { wholeNumber } from "../settings.ts";

interface ReplayOptions {
  readonly at?: number;
  readonly turn?: number;
  readonly request?: number;
  readonly json?: true;
}

/** Findings that are printed; --json has more. */
const PRINTED_MAX = 20;
/** The least events of a session whose replay is worth a word on its way. */
const PROGRESS_EVENTS_MIN = 2_000;

const HELP = `
No model is asked, no tool is run and no file is looked at. Hashes, decisions, requests, judgements, amounts and the state are
derived from what was recorded, and compared. The exit code is 0 when all is equal, ${EXIT_TABLE.replay_changed.code} when this version would decide or
count otherwise somewhere, ${EXIT_TABLE.replay_damaged.code} when the journal is damaged.
`;

export const defineReplay: DefineCommand = (parent: Command, context: CommandContext) => {
  const number = wholeNumber(Number.MAX_SAFE_INTEGER);
  parent
    .command("replay")
    .description("check a session against its journal, offline, or show what it was at a place of it")
    .argument("[id]", ID_HELP)
    .option("--at <seq>", "show the state after this event, as JSON", number)
    .option("--request <n>", "show the request of the n-th call of the model as it was sent, secrets as tokens", number)
    .option("--turn <n>", "show the first request of this turn", number)
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples("belay replay", "belay replay ses_01… --json", "belay replay ses_01… --request 3") + HELP,
    )
    .action((id: string | undefined, options: ReplayOptions) => context.does(() => replay(id, options, context)));
};

async function replay(id: string | undefined, options: ReplayOptions, { face }: CommandContext): Promise<number> {
  const shows = [options.at, options.request, options.turn].filter((one) => one !== undefined);
  if (shows.length > 1)
    throw new HarnessError("usage", "More than one of --at, --request and --turn was named.", "Name one of them.");
  const { withHost } = await import("../host-session.ts");
  return withHost(face, id, async (host, session) => {
    const { requestAt, stateAt } = await import("../../engine/replay/look.ts");
    if (options.at !== undefined) {
      face.out.json(JSON.stringify(await stateAt(host.store, session, options.at), null, 2));
      return 0;
    }
    const which =
      options.request === undefined
        ? options.turn === undefined
          ? null
          : { turn: options.turn }
        : { call: options.request };
    if (which !== null) {
      const shown = await requestAt(host, session, which);
      face.out.json(JSON.stringify(shown, null, 2));
      if (!shown.prompt_as_sent) face.err.line("System prompt and tools were of another version: they are not shown.");
      if (!shown.as_sent)
        face.err.line("The request does not have the hash that was recorded: it is not what was sent.");
      return 0;
    }
    const { replaySession } = await import("../../engine/replay/replay.ts");
    const result = await replaySession(host, {
      session,
      onProgress: (seq, of) => {
        if (face.err.isTerminal && of >= PROGRESS_EVENTS_MIN) face.err.write(`\r${seq} of ${of} events`);
      },
    });
    if (face.err.isTerminal && result.events >= PROGRESS_EVENTS_MIN) face.err.write("\r\u001b[2K");
    if (options.json === true) face.out.json(JSON.stringify(result));
    else for (const line of await lines(result)) face.out.line(line);
    return codeOf(result);
  });
}

function codeOf({ verdict }: Replay): number {
  if (verdict === "equal") return EXIT_TABLE.completed.code;
  return EXIT_TABLE[verdict === "changed" ? "replay_changed" : "replay_damaged"].code;
}

async function lines(result: Replay): Promise<readonly string[]> {
  const { plural } = await import("../view/format.ts");
  const { safeLine } = await import("../view/safe-text.ts");
  const { checked, session, events, findings, found, unknown } = result;
  const verdict = {
    equal: "replayed to the byte",
    changed: `the same state, and ${plural(found, "difference")} of what this version derives from it`,
    damaged: "the journal is damaged",
  }[result.verdict];
  return [
    `Session ${session}: ${verdict}.`,
    `${plural(events, "event")}, ${plural(checked.decisions, "decision")}, ${plural(checked.requests, "request")} and ${plural(checked.amounts, "amount")} were derived anew.`,
    ...(unknown === 0
      ? []
      : [`${plural(unknown, "event")} of kinds that this version does not know were not checked.`]),
    ...findings
      .slice(0, PRINTED_MAX)
      .flatMap(({ kind, seq, recorded, now }) => [
        `event ${seq}: ${kind}`,
        `  recorded: ${safeLine(recorded)}`,
        `  now:      ${safeLine(now)}`,
      ]),
    ...(found > PRINTED_MAX ? [`There are ${found - PRINTED_MAX} more: --json has them.`] : []),
  ];
}
