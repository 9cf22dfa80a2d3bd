/** docs/cli.md: what `--help` says of every command. */
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { readEnvironment } from "../src/cli/environment.ts";
import { OutputStream } from "../src/cli/output-stream.ts";
import { createProgram } from "../src/cli/program.ts";
import { EXIT_TABLE } from "../src/kernel/outcome.ts";

const COLUMNS = 100;

export function cliPage(): string {
  const out = new OutputStream(Object.assign(new PassThrough(), { columns: COLUMNS }), {
    colors: false,
    redraws: false,
  });
  const face = { environment: readEnvironment({}, "/"), cwd: "/", stdin: new PassThrough(), out, err: out };
  const program = createProgram(face, { face, debug: () => false, does: () => Promise.resolve() });
  const codes = Object.entries(EXIT_TABLE).map(([name, { code, meaning }]) => `| ${code} | \`${name}\` | ${meaning} |`);
  return `<!-- Printed by \`npm run docs\` from src/cli. Do not edit. -->

# The command line

${sections(program, "belay").join("\n")}
## Exit codes

| code | name | what it means |
| --- | --- | --- |
${codes.join("\n")}
`;
}

function sections(command: Command, name: string): readonly string[] {
  const own = `## \`${name}\`\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
  return [
    own,
    ...command.commands
      .filter((child) => child.name() !== "help")
      .flatMap((child) => sections(child, `${name} ${child.name()}`)),
  ];
}

/** With the examples, which commander adds only when it prints. */
function helpOf(command: Command): string {
  const written: string[] = [];
  command.configureOutput({ writeOut: (text) => void written.push(text), getOutHelpWidth: () => COLUMNS });
  command.outputHelp();
  return written.join("").trim();
}
