/**
 * Finds what reads like an attack on the model: orders to forget its orders, words in the role of the system, requests to give
 * secrets away, addresses that would carry them, text that is hidden. It raises an event and a warning, never a permission, and
 * finding nothing proves nothing. Linear in the length of the text, and bounded in what it says.
 */
import { neutralise } from "../../kernel/neutralise.ts";
import { folded } from "./folded.ts";
import { COMPACT_PHRASES, FOLDED_PHRASES, NATIVE_PHRASES, type Phrase, type PhraseKind } from "./phrases.ts";

/** Of one text. */
export const FINDINGS_MAX = 12;
const EXCERPT_CHARS_MAX = 120;
/** What is looked through: of a longer text its beginning and its end. Characters. */
const LOOKED_AT_CHARS_MAX = 2_000_000;

export interface Finding {
  readonly kind: PhraseKind | "hidden_text" | "image_exfiltration" | "template_token";
  /** Neutralised. */
  readonly excerpt: string;
}

export function suspect(text: string): readonly Finding[] {
  return suspectBeside(text, neutralise(text).hidden);
}

/** @param hidden what invisible characters in the text spelled */
export function suspectBeside(whole: string, hidden: readonly string[]): readonly Finding[] {
  const text = boundedOf(whole);
  const findings: Finding[] = [
    ...hidden.filter(isReadable).map((said) => finding("hidden_text", said)),
    ...phrasesIn(text),
    ...carriersIn(text),
  ];
  for (const decoded of decodedIn(text))
    if (phrasesIn(decoded).length > 0) findings.push(finding("hidden_text", decoded));
  const seen = new Set<string>();
  return findings
    .filter(({ kind, excerpt }) => !seen.has(`${kind} ${excerpt}`) && seen.add(`${kind} ${excerpt}`))
    .slice(0, FINDINGS_MAX);
}

function boundedOf(text: string): string {
  if (text.length <= LOOKED_AT_CHARS_MAX) return text;
  const half = LOOKED_AT_CHARS_MAX / 2;
  return `${text.slice(0, half)}\n${text.slice(-half)}`;
}

function finding(kind: Finding["kind"], text: string): Finding {
  const line = neutralise(text.slice(0, EXCERPT_CHARS_MAX * 2))
    .text.replaceAll(/\s+/g, " ")
    .trim();
  const cut = line.length > EXCERPT_CHARS_MAX ? `${line.slice(0, EXCERPT_CHARS_MAX - 1)}…` : line;
  return { kind, excerpt: neutralise(cut).text.slice(0, EXCERPT_CHARS_MAX).toWellFormed() };
}

/** Something that is meant to be read. */
function isReadable(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return letters >= 6 && letters >= text.length / 3;
}

function phrasesIn(text: string): readonly Finding[] {
  const plain = folded(text).text;
  const found = matches(wordsOf(plain), FOLDED_PHRASES);
  if (ASCII.test(text)) return found;
  const native = wordsOf(text);
  return [...found, ...matches(native, NATIVE_PHRASES), ...matches(native.replaceAll(" ", ""), COMPACT_PHRASES)];
}

function matches(words: string, phrases: readonly Phrase[]): readonly Finding[] {
  return phrases.flatMap(({ kind, pattern }) => {
    const found = pattern.exec(words);
    return found === null ? [] : [finding(kind, found[0])];
  });
}

const NO_CHARACTER = /[\0-\x08\x0e-\x1f\x7f-\x9f\p{Cf}\p{Default_Ignorable_Code_Point}]+/gu;
/** A full stop ends a sentence when nothing follows it directly; an empty line does, too. */
const SENTENCE_ENDS = /[!?;。؟]|[.:](?=\s|$)|\n\s{0,80}\n/g;
const ASCII = /^[\0-\x7f]*$/;

/** Lower case; letters and digits, the end of a sentence as ` . `, every other run of signs as one blank, and invisible ones as nothing. */
function wordsOf(text: string): string {
  const other = ASCII.test(text) ? /[^a-z0-9\0]+/g : /[^\p{L}\p{N}\p{M}\0]+/gu;
  return text
    .replaceAll(NO_CHARACTER, "")
    .toLowerCase()
    .replaceAll(SENTENCE_ENDS, "\0")
    .replaceAll(other, " ")
    .replaceAll(/ ?\0[ \0]*/g, " . ");
}

/** An image or a link whose address has room for what the model knows, commands that send secrets away, tokens of templates. */
const CARRIERS: readonly (readonly [Finding["kind"], RegExp])[] = [
  [
    "image_exfiltration",
    /!\[[^\]\n]{0,200}\]\(\s{0,4}<?https?:\/\/[^\s)]{1,300}[?&/=](?:\{\{?|%7b|\[\[?|<|\$\{)[^\s)]{1,100}/i,
  ],
  [
    "image_exfiltration",
    /!\[[^\]\n]{0,200}\]\(\s{0,4}<?https?:\/\/[^\s)]{1,300}[?&](?:data|d|q|exfil|leak|secrets?|stolen|payload|conversation|history|context|prompt|summary|env|keys?|passwords?)=[^\s)]{6,200}\)/i,
  ],
  [
    "image_exfiltration",
    /<img\s[^>]{0,200}src\s{0,4}=\s{0,4}["']?https?:\/\/[^\s"'>]{1,300}[?&](?:data|exfil|leak|secrets?|stolen|payload|conversation|history)=[^>]{0,200}>/i,
  ],
  [
    "exfiltration",
    /\b(?:curl|wget|nc|fetch)\b[^\n]{0,120}(?:\$\(|`|@|<|\|)[^\n]{0,40}(?:\.ssh\/|id_rsa|id_ed25519|\.aws\/credentials|\/etc\/passwd|\/etc\/shadow|\bprintenv\b|\.env\b|\.netrc|\.npmrc)/i,
  ],
  [
    "exfiltration",
    /(?:\.ssh\/|id_rsa|id_ed25519|\.aws\/credentials|\/etc\/passwd|\/etc\/shadow|\bprintenv\b|(?<![\w.])env\b|\.env\b|\.netrc)[^\n]{0,80}\|[^\n]{0,80}\b(?:curl|wget|nc|ncat|telnet)\s/i,
  ],
  ["template_token", /<\s{0,4}\|\s{0,4}(?:im_start|im_end|system|start_header_id|eot_id|endoftext)\s{0,4}\|\s{0,4}>/i],
  ["template_token", /(?:^|\n)\s{0,8}(?:\[INST\]|<<SYS>>|<start_of_turn>)/i],
];

/** Of each kind the first. */
function carriersIn(text: string): readonly Finding[] {
  const found = new Map<Finding["kind"], Finding>();
  for (const [kind, pattern] of CARRIERS) {
    const match = found.has(kind) ? null : pattern.exec(text);
    if (match !== null) found.set(kind, finding(kind, match[0]));
  }
  return [...found.values()];
}

const ENCODED = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}={0,2}/g;
const HEX = /(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){16,}(?![0-9a-fA-F])/g;
const REFERENCES = /(?:&#(?:x[0-9a-f]{2,6}|[0-9]{2,7});){8,}/gi;
const PERCENT = /(?:%[0-9a-f]{2}|[a-z0-9]){12,}/gi;
/** Runs that are decoded, and what of each. */
const RUNS_MAX = 200;
const RUN_CHARS_MAX = 8_000;

/** What base64, hexadecimal digits and character references spell, where it is text. */
function* decodedIn(text: string): Generator<string> {
  for (const run of runsOf(text, ENCODED)) yield* printable(Buffer.from(run, "base64").toString("utf8"));
  for (const run of runsOf(text, HEX))
    yield* printable(Buffer.from(run.slice(0, run.length & ~1), "hex").toString("utf8"));
  for (const run of runsOf(text, REFERENCES)) yield* printable(dereferenced(run));
  for (const run of runsOf(text, PERCENT)) if (run.includes("%")) yield* printable(unescapedOf(run));
}

function* runsOf(text: string, pattern: RegExp): Generator<string> {
  let runs = 0;
  for (const [run] of text.matchAll(pattern)) {
    if (++runs > RUNS_MAX) return;
    yield run.slice(0, RUN_CHARS_MAX);
  }
}

function* printable(text: string): Generator<string> {
  const strange = text.match(/[^\p{L}\p{N}\p{P}\p{Zs}\n\t]|\ufffd/gu)?.length ?? 0;
  if (text.includes(" ") && strange <= text.length / 10) yield text;
}

function dereferenced(run: string): string {
  return run.replaceAll(/&#(x?)([0-9a-f]+);/gi, (_, hex: string, digits: string) => {
    const code = Number.parseInt(digits, hex === "" ? 10 : 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : " ";
  });
}

function unescapedOf(run: string): string {
  return Buffer.from(
    run.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  ).toString("utf8");
}
