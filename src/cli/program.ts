/** All commands, what `--help` says about them, and where their errors end up. */
import { Command, CommanderError } from "commander";
import { EXIT_TABLE } from "../kernel/outcome.ts";
import type { CommandContext, DefineCommand } from "./command.ts";
import { defineApply, defineMerge } from "./commands/deliver.ts";
import { defineApprovals } from "./commands/approvals.ts";
import { defineBatch } from "./commands/batch.ts";
import { defineBudget } from "./commands/budget.ts";
import { defineCancel } from "./commands/cancel.ts";
import { defineCheck } from "./commands/check.ts";
import { defineContext } from "./commands/context.ts";
import { defineCost } from "./commands/cost.ts";
import { defineDiff } from "./commands/diff.ts";
import { defineDream } from "./commands/dream.ts";
import { defineEmulate } from "./commands/emulate.ts";
import { defineErrors } from "./commands/errors.ts";
import { defineRecord } from "./commands/record.ts";
import { defineMemory } from "./commands/memory.ts";
import { defineModels } from "./commands/models.ts";
import { definePermissions } from "./commands/permissions.ts";
import { definePrompts } from "./commands/prompts.ts";
import { defineReplay } from "./commands/replay.ts";
import { defineResume } from "./commands/resume.ts";
import { defineRollback } from "./commands/rollback.ts";
import { defineRun } from "./commands/run.ts";
import { defineSessions } from "./commands/sessions.ts";
import { defineTrust } from "./commands/trust.ts";
import { examples } from "./command.ts";
import type { Face } from "./face.ts";
import { exitCodeOfFailure, failureText } from "./failure.ts";
import { VERSION } from "./version.ts";

const COMMANDS: readonly DefineCommand[] = [
  defineRun,
  defineResume,
  defineCancel,
  defineApprovals,
  defineSessions,
  defineReplay,
  defineDiff,
  defineRollback,
  defineMerge,
  defineApply,
  defineCheck,
  defineBatch,
  defineModels,
  defineCost,
  defineContext,
  defineBudget,
  defineTrust,
  definePermissions,
  definePrompts,
  defineMemory,
  defineDream,
  defineErrors,
  defineEmulate,
  defineRecord,
];

/** @returns the exit code */
export async function runProgram(argv: readonly string[], face: Face): Promise<number> {
  let code: number = EXIT_TABLE.completed.code;
  const debug = wantsDebug(argv);
  const program = createProgram(face, {
    face,
    debug: () => debug,
    does: async (work) => {
      code = await work();
    },
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    // commander has already said what was wrong; help and the version end with 0
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_TABLE.usage.code;
    face.err.line(failureText(error, debug));
    return exitCodeOfFailure(error);
  }
}

export function createProgram(face: Face, context: CommandContext): Command {
  const program = new Command("belay")
    .description("Runs coding agents the way a database runs transactions: journaled, confined, crash-safe.")
    .version(VERSION, "-V, --version", "print the version")
    .option("--debug", "print the stack of an error")
    .helpOption("-h, --help", "print help")
    .showHelpAfterError("(--help says how)")
    .configureOutput({
      writeOut: (text) => {
        face.out.write(text);
      },
      writeErr: (text) => {
        face.err.write(text);
      },
      getOutHelpWidth: () => face.out.columns(),
      getErrHelpWidth: () => face.err.columns(),
      getOutHasColors: () => face.out.colors,
      getErrHasColors: () => face.err.colors,
    })
    .exitOverride()
    .addHelpText(
      "after",
      examples(
        'belay run "fix the failing test"',
        'belay run "add a --json flag, see @docs/cli.md" --verify "npm test"',
        'belay resume --message "also update the changelog"',
        "belay merge",
        "belay budget set --daily 20",
      ) +
        "\nbelay reads BELAY_HOME, BELAY_STORE (postgres://…) and the keys and addresses of model providers (ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY;\n`belay models` lists all) from the environment.\nSettings are read from /etc/belay/settings.json, which restricts, and settings.json in BELAY_HOME (docs/models.md).\n",
    );
  for (const define of COMMANDS) define(program, context);
  return program;
}

/** Up to `--`: what follows it belongs to the command. */
function wantsDebug(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end === -1 ? argv : argv.slice(0, end)).includes("--debug");
}
