/** docs/exit-codes.md: the table of the kernel, for whoever writes a workflow or a scheduler. */
import { RETRY_TEXT } from "../src/cli/exit-codes.ts";
import { EXIT_TABLE } from "../src/kernel/outcome.ts";

export function exitCodesPage(): string {
  const rows = Object.entries(EXIT_TABLE).map(
    ([name, { code, retry, meaning }]) => `| ${code} | \`${name}\` | ${RETRY_TEXT[retry]} | ${meaning} |`,
  );
  const later = Object.values(EXIT_TABLE).flatMap(({ code, retry }) => (retry === "later" ? [String(code)] : []));
  return `<!-- Printed by \`npm run docs\` from src/kernel/outcome.ts. Do not edit. -->

# Exit codes

The exit code of \`belay run\` and \`belay resume\` tells a scheduler what to do without reading the log. The same number is
in the report of \`--output json\` (\`exit_code\`) and, on GitHub Actions, in the step's outputs.

| code | name | can the same again help? | what it means |
| --- | --- | --- | --- |
${rows.join("\n")}

- **no**: there is nothing to do again.
- **yes, later** (${later.join(", ")}): the cause passes by itself. Go on with \`belay resume\`, not with a new \`belay run\`: what was
  finished is kept and is not paid for twice.
- **after a change**: the same again ends the same way. Somebody has to change something first: the command line, a limit,
  the task, the code.

\`belay permissions audit\` exits with 1 when it found something, and with 2 when the settings cannot be read.
\`belay prompts check\` exits with 3 when a prompt is not as locked, and with 2 without a lock file that can be used.

Any other code is not belay's: 137 is a kill that no program can take (the machine ran out of memory, a supervisor lost
patience). The journal is whole; \`belay resume\` goes on.

Exit codes only grow: a code keeps its meaning.
`;
}
