/** `belay emulate`: a model server that follows a scenario, for trying agents without a provider. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { Face } from "../face.ts";
import { wholeNumber } from "../settings.ts";

const PORT_MAX = 65_535;

interface EmulateOptions {
  readonly port?: number;
  readonly apiKey?: string;
}

export const defineEmulate: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("emulate")
    .description("serve Anthropic's and OpenAI's APIs from a scenario file, on loopback")
    .argument("<scenario>", "a YAML file (docs/emulator.md)")
    .option("-p, --port <n>", "the port; without it a free one", wholeNumber(PORT_MAX))
    .option("--api-key <key>", "the only key that is let in, without it any")
    .addHelpText(
      "after",
      examples(
        "belay emulate scenario.yaml --port 8020",
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
  face.err.line(`belay: answered ${emulator.requests.length} requests.`);
  await emulator.close();
  return 0;
}
