/** Success criteria: what makes one prove nothing, and several as one command. */

/** Why a command succeeds whatever was done; null where nothing says so. Its text is looked at, it is not run. */
export function provesNothing(command: string): string | null {
  const text = command.replaceAll(/(^|\s)#.*$/gm, "$1").trim();
  if (text === "") return "it runs nothing";
  const last =
    text
      .split(/\n|;(?!;)/)
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .at(-1) ?? "";
  if (/(?:^|[^&])&$/.test(text)) return "it does not wait for what it starts";
  const alternative = /\|\|\s*([^|&;]+)$/.exec(last)?.[1]?.trim();
  if (alternative !== undefined && isIdle(alternative)) return `\`|| ${alternative}\` makes every end a success`;
  const simple =
    last
      .split(/&&|\|\|/)
      .at(-1)
      ?.trim() ?? "";
  const pipe = simple.split(/(?<!\|)\|(?!\|)/).map((part) => part.trim());
  const end = pipe.at(-1) ?? "";
  if (pipe.length > 1 && /^(?:tee|cat|head|tail|less|more|sort|wc)\b/.test(end) && !/pipefail/.test(text))
    return `the last command of the pipe (\`${end}\`) decides, and it succeeds`;
  if (last === simple && isIdle(simple)) return "it always succeeds";
  return null;
}

function isIdle(command: string): boolean {
  return /^(?:true|:|exit(?:\s+0)?|(?:echo|printf|sleep)\b(?![^\n]*[|&<]).*|test\s+1(?:\s+-eq\s+1)?|\[\s+1(?:\s+-eq\s+1)?\s+\]|(?:\/usr)?\/bin\/true)$/.test(
    command,
  );
}

/** One after the other; the first that is red ends it, and is named. */
export function verifyCommand(criteria: readonly string[]): string | null {
  const [first, ...more] = criteria;
  if (first === undefined) return null;
  if (more.length === 0) return first;
  const all = String(criteria.length);
  return criteria
    .map((one, i) => {
      const said = quoted(`success criterion ${String(i + 1)} of ${all} is red: ${one}`);
      return `bash -c ${quoted(one)} || { printf '%s\\n' ${said}; exit 1; }`;
    })
    .join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
