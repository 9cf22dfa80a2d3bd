/**
 * What a secret looks like when nobody named it. A pattern is here when its form is unmistakable, or when a telling name is
 * assigned a value that no person would write as prose or code. Too eager is a fault too: code must stay code.
 *
 * Each expression is linear in its input: no nested repetition, every open end has a limit.
 */

export interface SecretPattern {
  /** Stands in the token. */
  readonly name: string;
  /** Global. The secret is the capture `secret` at the end of the match, or the whole match. */
  readonly pattern: RegExp;
  /** Looks at the secret once more. Absent: the form is proof enough. */
  readonly accept?: (secret: string) => boolean;
}

/** Names that are assigned secrets, with the rest of the identifier. What stands before in it does not matter. */
const TELLING =
  "(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key|credentials?)[A-Za-z0-9_-]{0,20}";
/** Between name and value; quotes may be escaped, as in JSON inside JSON. */
const ASSIGNED = String.raw`(?:\\{0,3}["'])?\s{0,3}(?::=|=>|[:=])\s{0,3}`;
const QUOTE = String.raw`\\{0,3}["'\x60]`;

export const SECRET_PATTERNS: readonly SecretPattern[] = [
  {
    name: "private_key",
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[^]){0,20000}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g,
  },
  // A block that was cut: its end is missing, and what is there is a key all the same.
  {
    name: "private_key",
    pattern: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[A-Za-z0-9+/=\s]){20,20000}/g,
  },
  { name: "anthropic_key", pattern: /\bsk-ant-[A-Za-z0-9_-]{16,300}/g },
  { name: "openai_key", pattern: /\bsk-[A-Za-z0-9_-]{20,300}/g, accept: looksRandom },
  { name: "github_token", pattern: /\b(?:gh[opsur]_[A-Za-z0-9]{30,300}|github_pat_[A-Za-z0-9_]{22,300})/g },
  { name: "gitlab_token", pattern: /\bglpat-[A-Za-z0-9_-]{20,100}/g },
  { name: "aws_access_key", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  {
    name: "aws_secret_key",
    pattern: new RegExp(
      `aws_?(?:secret)?_?(?:access)?_?(?:secret|key)(?:_?key)?${ASSIGNED}(?:${QUOTE})?(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])`,
      "gi",
    ),
  },
  { name: "google_key", pattern: /\bAIza[A-Za-z0-9_-]{35}/g },
  { name: "slack_token", pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,300}/g },
  { name: "stripe_key", pattern: /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,300}/g },
  { name: "npm_token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: "pypi_token", pattern: /\bpypi-AgEI[A-Za-z0-9_-]{40,400}/g },
  { name: "jwt", pattern: /\beyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{8,2000}/g },
  {
    name: "url_password",
    pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"']{1,80}:(?<secret>[^\s:/@"']{8,200})(?=@)/g,
    accept: looksRandom,
  },
  { name: "bearer", pattern: /\b(?:bearer|basic)\s{1,3}(?<secret>[A-Za-z0-9_+/=.~-]{16,2000})/gi, accept: looksRandom },
  {
    name: "assigned",
    pattern: new RegExp(`${TELLING}${ASSIGNED}${QUOTE}(?<secret>[^"'\\x60\\s\\\\]{8,300})`, "gi"),
    accept: looksRandom,
  },
  {
    name: "assigned",
    pattern: new RegExp(`${TELLING}${ASSIGNED}(?<secret>[A-Za-z0-9_+/=.~!@#%^&*-]{12,300})`, "gi"),
    accept: looksRandom,
  },
];

const LENGTH_MIN = 8;
const DISTINCT_MIN = 6;
/** Paths, addresses, placeholders, interpolation and calls. */
const CODE = /^(?:\.{0,2}\/|https?:|[<$%{])|\$\{|\(/;
/** Of neighbours: how many change between letter and digit or from small to capital. Identifiers stay below, random text above. */
const CHANGES_MIN = 0.25;

/** Whether a text is made by chance rather than written: passwords, keys and digests are; identifiers, prose and dates are not. */
export function looksRandom(text: string): boolean {
  if (text.length < LENGTH_MIN || CODE.test(text)) return false;
  const letters = text.replace(/[^A-Za-z0-9]/g, "");
  if (!/[0-9]/.test(letters) || !/[A-Za-z]/.test(letters) || new Set(letters).size < DISTINCT_MIN) return false;
  let changes = 0;
  for (let i = 1; i < letters.length; i++) {
    if (/^(?:[A-Za-z][0-9]|[0-9][A-Za-z]|[a-z][A-Z])$/.test(letters.slice(i - 1, i + 1))) changes += 1;
  }
  return changes / (letters.length - 1) >= CHANGES_MIN;
}
