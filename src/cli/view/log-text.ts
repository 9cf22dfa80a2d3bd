/**
 * Lines of a log that a service of continuous integration reads: some begin with commands to it. Whoever writes them (a
 * model, a tool, the name of a file) must not command: not set outputs, not mask, not close groups, not annotate.
 *
 * GitHub takes `::name …::` at the beginning of a line, after blanks, and `##[name …]` anywhere; Azure `##vso[…]` and
 * TeamCity `##teamcity[…]`. A backslash in between makes it text that a person still reads. GitLab's markers need escape
 * sequences, which `safe-text.ts` takes away.
 */

const AT_BEGINNING = /^((?:[\s\u0085]|\u001b\[[0-9;]*m)*):(?=:)/;
const ANYWHERE = /#(?=#\w*\[)/g;

/** @param line without its newline */
export function withoutCommands(line: string): string {
  return line.replace(AT_BEGINNING, "$1\\:").replaceAll(ANYWHERE, "#\\");
}

/** The same for a line of JSON, which stays the same value: what is replaced stands only within strings. */
export function jsonWithoutCommands(json: string): string {
  return json.replaceAll(/##(?=\w*\[)/g, "#\\u0023");
}
