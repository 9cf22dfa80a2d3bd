/** curl and wget: `execute`, because they speak to other machines. Not on the lists: configuration, uploads of files, files as names. */
import type { ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { interpret } from "./interpret.ts";
import { notListed } from "./scan.ts";
import type { ProgramTable } from "./table.ts";

const ADDRESS = /^(?:https?:\/\/|localhost(?:[:/]|$)|127\.0\.0\.1(?:[:/]|$))/i;
/** Everything but an address: also `file:`, `scp:`, and a host whose first letters choose the protocol. */
const NO_ADDRESS = new RegExp(`^(?!${ADDRESS.source.slice(1)})`, "i");

const CURL: ProgramTable = {
  options: `-[sSLIfvikgGjN0146] -H=text -X=text -d=text -m=number -A=text -b=text -r=text --silent --show-error --location --head --fail --fail-with-body --verbose
    --include --compressed --get --header=text --request=text --data=text --data-raw=text --json=text --max-time=number
    --connect-timeout=number --retry=number --retry-delay=number --retry-connrefused --max-redirs=number --user-agent=text --range=text
    --http1.1 --http2 --no-progress-meter --progress-bar --no-buffer --globoff --ipv4 --ipv6 --tlsv1.2 --help --version`,
  beyond: "-o=output -O --output=output --remote-name --output-dir=write --create-dirs",
  effect: "execute",
  operands: "text*",
  refuse: NO_ADDRESS,
  network: true,
};
const WGET: ProgramTable = {
  options: `-[qSvcN46] -T=number -t=number -U=text --quiet --server-response --spider --verbose --no-verbose -nv --timeout=number --tries=number
    --header=text --user-agent=text --max-redirect=number --continue --timestamping --https-only --help --version`,
  beyond: "-O=output --output-document=output -P=write --directory-prefix=write",
  effect: "execute",
  operands: "text*",
  refuse: NO_ADDRESS,
  network: true,
};

export function readDownload(name: string, words: readonly ShellWord[]): ProgramReading {
  // In a value of curl `@` names a file whose content is sent, and cookies without `=` are a file.
  const file = words.find((word, n) => {
    const text = word.text.replace(/^(?:-[A-Za-z]*[Hdb]|--[a-z-]+=)/, "");
    const cookies = /^-[A-Za-z]*b$/.test(words[n - 1]?.text ?? "") || /^-[A-Za-z]*b./.test(word.text);
    return text.startsWith("@") || (cookies && !word.text.startsWith("--") && !text.includes("="));
  });
  if (file !== undefined) return notListed(file, "It names a file whose content would be sent.");
  const reading = interpret(words, name === "curl" ? CURL : WGET);
  // Without a name it chooses one itself.
  if (
    name !== "wget" ||
    reading.kind !== "known" ||
    words.some(({ text }) => /^(?:--spider|-[a-zA-Z]*O.*|--output-document.*)$/.test(text))
  )
    return reading;
  return { ...reading, paths: [{ path: ".", access: "write", plain: true }] };
}
