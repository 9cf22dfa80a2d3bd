/** docs/errors.md, from the tables of the kernel. */
import { ERROR_TABLE, type ErrorRow, type Subsystem } from "../src/kernel/error-kind.ts";
import { EXIT_TABLE } from "../src/kernel/outcome.ts";

/** The sections of the page, in the order in which they are read. */
const SECTIONS: { readonly [S in Subsystem]: string } = {
  provider: "The model's provider",
  budget: "Money and models",
  store: "The store",
  git: "Git",
  workspace: "The workspace",
  snapshot: "Snapshots",
  sandbox: "The sandbox",
  process: "Processes",
  tool: "Tools",
  hook: "Hooks",
  mcp: "MCP servers",
  oauth: "Logins",
  configuration: "Configuration",
  internal: "belay itself",
};

const cell = (text: string): string => text.replaceAll("|", "\\|");

function limitOf({ limit }: ErrorRow): string {
  if (limit === undefined) return "";
  if (limit.total_ms === 0) return limit.attempts === 1 ? "once" : `${limit.attempts} times, at once`;
  return `${limit.attempts} times, ≤ ${limit.cap_ms / 1000} s each, ≤ ${limit.total_ms / 1000} s in all`;
}

function section(subsystem: Subsystem, title: string): string {
  const rows = Object.entries(ERROR_TABLE).filter(([, row]) => row.subsystem === subsystem);
  if (rows.length === 0) return "";
  const lines = rows.map(
    ([kind, row]) =>
      `| \`${kind}\` | ${row.handling.replace("_", " ")} | ${limitOf(row)} | ${cell(row.meaning)} | ${cell(row.remedy)} |`,
  );
  return `## ${title}\n\n| kind | handling | limit | what it means | what is done, or what to do |\n| --- | --- | --- | --- | --- |\n${lines.join("\n")}\n`;
}

export function errorsPage(): string {
  const exits = Object.entries(EXIT_TABLE).map(
    ([name, row]) => `| ${row.code} | \`${name}\` | ${row.retry.replace("_", " ")} | ${cell(row.meaning)} |`,
  );
  return `<!-- Printed by \`npm run errors\` from src/kernel/error-kind.ts and src/kernel/outcome.ts. Do not edit. -->

# Errors and exit codes

Everything that can go wrong has a kind from this closed list, and every kind has one handling. \`belay errors\` prints the
same table; \`belay errors classify\` sorts a provider's answers into it.

- **retry**: the same is sent again after an exponential, jittered, bounded wait.
- **repair**: the request is changed and sent again; a second time of the same kind ends the run.
- **compact**: the conversation is made smaller and sent again.
- **fall back**: the next model is used, where one is configured.
- **wait**: belay waits for as long as the other side said, within limits.
- **pause**: the run ends resumable: somebody has to change something first.
- **escalate**: a person is asked.
- **abort**: the run ends: neither time nor a retry helps.
- **surface**: it is handed on, to the model as a result or to the user as a message, and the run goes on.

${Object.entries(SECTIONS)
  // the keys of SECTIONS are the subsystems, by its type
  .map(([subsystem, title]) => section(subsystem as Subsystem, title))
  .filter((text) => text !== "")
  .join("\n")}
## Exit codes

| code | name | can the same again help? | what it means |
| --- | --- | --- | --- |
${exits.join("\n")}
`;
}
