/** `belay emulate`: a model server that follows a scenario, for trying agents without a provider. */
import { type Command, InvalidArgumentError } from "commander";
import type { Emulator } from "../../testing/emulator/emulator.ts";
import type { LimitsInput } from "../../testing/emulator/limits/limits.ts";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { Face } from "../face.ts";
import { wholeNumber } from "../settings.ts";

const PORT_MAX = 65_535;
/** What `--limit` takes; what it all means is in docs/emulator.md. */
const NUMBERS = [
  "requests",
  "input_tokens",
  "output_tokens",
  "tokens",
  "concurrency",
  "spend_usd",
  "burst_s",
] as const satisfies readonly (keyof LimitsInput)[];

interface EmulateOptions {
  readonly port?: number;
  readonly apiKey?: string;
  readonly limit?: LimitsInput;
}

export const defineEmulate: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("emulate")
    .description("serve Anthropic's and OpenAI's APIs from a scenario file, on loopback")
    .argument("<scenario>", "a YAML file (docs/emulator.md)")
    .option("-p, --port <n>", "the port; without it a free one", wholeNumber(PORT_MAX))
    .option("--api-key <key>", "the only key that is let in, without it any")
    .option("--limit <name=n,…>", `enforced for each key and model: ${NUMBERS.join(", ")}, headers=false`, limitsOf)
    .addHelpText(
      "after",
      examples(
        "belay emulate scenario.yaml --port 8020",
        "belay emulate scenario.yaml --limit requests=50,input_tokens=20000,output_tokens=8000",
        'ANTHROPIC_BASE_URL=http://127.0.0.1:8020 ANTHROPIC_API_KEY=any belay run "…"',
      ),
    )
    .action((scenario: string, options: EmulateOptions) =>
      context.does(() => emulate(scenario, options, context.face)),
    );
};

/** Serves until a signal ends it. */
async function emulate(scenario: string, options: EmulateOptions, face: Face): Promise<number> {
  const { resolve } = await import("node:path");
  const { startEmulator } = await import("../../testing/emulator/emulator.ts");
  const emulator = await startEmulator({
    scenarioFile: resolve(face.cwd, scenario),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
    ...(options.limit === undefined ? {} : { limits: options.limit }),
  });
  face.out.line(`export ANTHROPIC_BASE_URL=${emulator.url}`);
  const key = options.apiKey ?? "emulated";
  face.out.line(`export ANTHROPIC_API_KEY=${key}`);
  face.out.line(`export OPENAI_BASE_URL=${emulator.url}/v1`);
  face.out.line(`export OPENAI_API_KEY=${key}`);
  face.err.line(`belay: emulating on ${emulator.url}; Ctrl+C ends it.`);
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => {
        done();
      });
  });
  for (const line of summaryOf(emulator)) face.err.line(`belay: ${line}`);
  await emulator.close();
  return 0;
}

/** @throws InvalidArgumentError */
function limitsOf(text: string, before: LimitsInput | undefined): LimitsInput {
  return text.split(",").reduce<LimitsInput>((limits, one) => ({ ...limits, ...limitOf(one) }), before ?? {});
}

function limitOf(text: string): LimitsInput {
  const [name, value = ""] = text.split("=", 2).map((part) => part.trim());
  if (name === "headers" && (value === "true" || value === "false")) return { headers: value === "true" };
  const known = NUMBERS.find((number) => number === name);
  const amount = Number(value);
  if (known === undefined || value === "" || !(amount > 0))
    throw new InvalidArgumentError(
      `"${text}" is none of ${NUMBERS.join(", ")} with a number above 0, or headers=false.`,
    );
  return { [known]: amount };
}

/** One line for all, and one for each key and model that was refused something. */
function summaryOf(emulator: Emulator): readonly string[] {
  const counts = emulator.counts();
  const sum = (of: "served" | "refused" | "outages"): number => counts.reduce((total, pool) => total + pool[of], 0);
  const refused = sum("refused") === 0 ? "" : `, refused ${sum("refused")} for a limit`;
  const outages = sum("outages") === 0 ? "" : `, ${sum("outages")} met an outage`;
  const each = counts
    .filter((pool) => pool.refused > 0)
    .map(({ key, model, served, refused_for }) => {
      const why = Object.entries(refused_for).map(([what, times]) => `${what} ${times}`);
      return `${key} ${model}: answered ${served}; refused for ${why.join(", ")}.`;
    });
  return [`answered ${sum("served")} requests${refused}${outages}.`, ...each];
}
