/** The exit codes as help: what each means, and whether the same again can help. */
import { EXIT_TABLE, type RetryHelps } from "../kernel/outcome.ts";

export const RETRY_TEXT: { readonly [R in RetryHelps]: string } = {
  no: "no",
  later: "yes, later",
  after_change: "after a change",
};

const NAME_COLUMNS = 21;
const RETRY_COLUMNS = 16;

/** For the end of `--help`. */
export function exitCodesHelp(): string {
  const rows = Object.entries(EXIT_TABLE).map(([name, { code, retry }]) =>
    `  ${String(code).padStart(3)}  ${name.padEnd(NAME_COLUMNS)}${RETRY_TEXT[retry].padEnd(RETRY_COLUMNS)}`.trimEnd(),
  );
  const head = `       ${"".padEnd(NAME_COLUMNS)}can the same again help?`;
  return `\nExit codes:\n${head}\n${rows.join("\n")}\n  docs/exit-codes.md says what each means.\n`;
}
