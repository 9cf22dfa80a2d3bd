/** A pseudo-terminal for a command, by `script` of util-linux: no native module, and it runs inside the sandbox too. */
import { HarnessError } from "../../kernel/harness-error.ts";

/** What programs that fill the line are told. */
const COLUMNS = 120;
const ROWS = 40;

/** The words that run `command` at a terminal of its own and end with its exit code. @throws `process_failed` without `script` */
export function terminalCommand(script: string | null, bash: string, command: string): readonly string[] {
  if (script === null) {
    throw new HarnessError(
      "process_failed",
      "An interactive command needs a pseudo-terminal, and `script` is not installed.",
      "Install it: apt-get install bsdutils (util-linux elsewhere); or run the command without `interactive`.",
    );
  }
  const sized = `stty cols ${String(COLUMNS)} rows ${String(ROWS)} 2>/dev/null; exec ${quoted(bash)} -c ${quoted(command)}`;
  return [script, "-qfec", sized, "/dev/null"];
}

/** One word for a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
