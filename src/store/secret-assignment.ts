/** Secrets without a form of their own, told by where they stand: behind a telling name, in an address, in a header. */
import { isPlaceholder, looksRandom } from "./looks-random.ts";
import type { SecretPattern } from "./secret-pattern.ts";

const TELLING_ANCHORS: readonly string[] = [
  ...["passw", "passphrase", "_pass", "-pass", "pwd", "secret", "token", "credential", "webhook_url"],
  ...[
    "api",
    "access",
    "private",
    "account",
    "encryption",
    "signing",
    "master",
    "app",
    "auth",
    "deploy",
    "storage",
    "sharedaccess",
  ].flatMap((word) => [`${word}key`, `${word}_key`, `${word}-key`]),
];
/** Names that are assigned secrets, with the rest of the identifier. What stands before in it does not matter. */
const TELLING =
  "(?:passw(?:or)?d|passphrase|[_-]pass(?![a-z])|pwd|secret|token|credentials?|webhook_url|(?:api|access|private|account|encryption|signing|master|app|auth|deploy|storage|sharedaccess)[_-]?key)" +
  // Not what tells of it in other words: its hash, its version, its public half.
  "[A-Za-z0-9_-]{0,20}(?![A-Za-z0-9_-])(?<!hash|digest|checksum|fingerprint|integrity|version|public)";
/** Between name and value; quotes may be escaped, as in JSON inside JSON. A type may stand between. */
const ASSIGNED = String.raw`(?:\\{0,3}["'])?\]?(?:\s{0,2}:\s{0,2}&?(?:'static\s)?(?:str|string|String))?\s{0,3}(?::=|=>|={1,3}|:|,(?=\s?\\{0,3}["']))\s{0,3}`;
const QUOTE = String.raw`\\{0,3}["'\x60]`;

/** Of chance, and not what code says: a chain of names, a call's beginning. */
function isRandomValue(text: string): boolean {
  return looksRandom(text) && !isPlaceholder(text) && !CHAIN.test(text);
}
const CHAIN = /^[A-Za-z_$][A-Za-z_$0-9]{0,40}(?:(?:\?\.|\.|::|->)[A-Za-z_$][A-Za-z_$0-9]{0,40})+$/;

/** A password that a person chose is one as well, where nothing but a password can stand. */
function isPassword(text: string): boolean {
  if (isPlaceholder(text)) return false;
  const classes = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(text)).length;
  return looksRandom(text) || (text.length >= 8 && classes >= 2 && /[0-9]|[^A-Za-z0-9_.-]/.test(text));
}

/** `user:password` in base64. */
function isBasic(text: string): boolean {
  return /^[\x20-\x7e]{1,200}:[\x20-\x7e]{3,}$/.test(Buffer.from(text, "base64").toString("latin1"));
}

const ADDRESSES: readonly SecretPattern[] = [
  {
    name: "url_password",
    anchors: ["://"],
    pattern: /:\/\/[^\s:/@"'<>]{0,120}:(?<secret>[^\s/@"'<>]{6,300})(?=@[A-Za-z0-9[_.-])/y,
    accept: isPassword,
    guessed: true,
  },
  {
    name: "url_password",
    anchors: ["://"],
    pattern: /:\/\/(?<secret>[^\s:/@"'<>]{16,300})(?=(?::[^\s/@"'<>]{0,300})?@[A-Za-z0-9[_.-])/y,
    accept: isRandomValue,
    guessed: true,
  },
  // Signatures that open a stored object to whoever has the address.
  {
    name: "url_signature",
    anchors: ["sig=", "signature="],
    pattern: /(?<=[?&;](?:amp;)?|X-Amz-|X-Goog-|X-Oss-)(?:sig|signature)=(?<secret>[A-Za-z0-9%+/=_-]{16,1000})/iy,
    accept: looksRandom,
    guessed: true,
  },
];

const HEADERS: readonly SecretPattern[] = [
  {
    name: "bearer",
    anchors: ["bearer"],
    pattern: /bearer\s{1,3}(?<secret>[A-Za-z0-9_+/=.~-]{16,4000})/iy,
    accept: isRandomValue,
    guessed: true,
  },
  {
    name: "basic",
    anchors: ["basic"],
    pattern: /basic\s{1,3}(?<secret>[A-Za-z0-9_+/-]{8,2000}={0,2})/iy,
    accept: (text) => looksRandom(text) || isBasic(text),
    guessed: true,
  },
  {
    name: "authorization",
    anchors: ["authorization"],
    pattern:
      /authorization\\{0,3}["']?\s{0,3}[:=,]\s{0,3}\\{0,3}["'\x60]?(?:[A-Za-z][A-Za-z0-9-]{1,30}\s{1,3})?(?<secret>[^\s"'\x60\\,;]{12,4000})/iy,
    accept: isRandomValue,
    guessed: true,
  },
  {
    name: "cookie",
    anchors: ["cookie"],
    pattern:
      /cookie\\{0,3}["']?\s{0,3}[:=,]\s{0,3}\\{0,3}["'\x60]?(?<secret>[A-Za-z0-9_.-]{1,100}=[^\r\n"'\x60\\]{8,2000})/iy,
    accept: (text) => text.split(/;\s*/).some((pair) => isCookieValue(pair.slice(pair.indexOf("=") + 1))),
    guessed: true,
  },
  {
    name: "cookie",
    anchors: ["sess", "sid="],
    pattern: /(?:sess(?:ion)?[A-Za-z0-9_.-]{0,20}|sid)=(?<secret>[^\s;,&"'\x60\\<>]{16,1000})/iy,
    accept: isCookieValue,
    guessed: true,
  },
];

/** Not the ids of sessions of belay: they tell nothing, and stand in all its output. */
function isCookieValue(text: string): boolean {
  return text.length >= 16 && isRandomValue(text) && !/^[a-z]{2,6}_[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}

const FILES: readonly SecretPattern[] = [
  {
    name: "netrc_password",
    anchors: ["machine", "default"],
    pattern:
      /(?:machine\s{1,8}\S{1,255}|default)\s{1,8}login\s{1,8}\S{1,255}\s{1,8}(?:account\s{1,8}\S{1,255}\s{1,8})?password\s{1,8}(?<secret>\S{6,500})/y,
    accept: (text) => !isPlaceholder(text),
    lines: 3,
    guessed: true,
  },
  {
    name: "pgpass_password",
    anchors: [":5432:", ":5433:", ":5434:", ":6432:", ":6543:", ":*:"],
    pattern: /:(?:\d{4}|\*):[A-Za-z0-9_*-]{1,63}:[A-Za-z0-9_*.-]{1,63}:(?<secret>[^\s:"'\x60]{6,300})/y,
    accept: isPassword,
    guessed: true,
  },
];

const ASSIGNMENTS: readonly SecretPattern[] = [
  {
    name: "aws_secret_key",
    anchors: ["aws"],
    pattern: new RegExp(
      `aws[_-]?(?:secret)?[_-]?(?:access)?[_-]?(?:secret|key)(?:[_-]?key)?${ASSIGNED}(?:${QUOTE})?(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])`,
      "iy",
    ),
  },
  {
    name: "assigned",
    anchors: TELLING_ANCHORS,
    pattern: new RegExp(`${TELLING}(?:${ASSIGNED}|\\(\\s{0,3})${QUOTE}(?<secret>[^"'\\x60\\s\\\\]{8,512})`, "iy"),
    accept: isRandomValue,
    guessed: true,
  },
  {
    name: "assigned",
    anchors: TELLING_ANCHORS,
    pattern: new RegExp(`${TELLING}${ASSIGNED}(?<secret>[A-Za-z0-9_+/=.~!@#%^&*-]{12,512})`, "iy"),
    accept: isRandomValue,
    guessed: true,
  },
  // Between tags, and behind an option of a command.
  {
    name: "assigned",
    anchors: TELLING_ANCHORS,
    pattern: new RegExp(`${TELLING}>(?<secret>[^<>\\s"']{8,512})(?=<)`, "iy"),
    accept: isRandomValue,
    guessed: true,
  },
  {
    name: "assigned",
    anchors: TELLING_ANCHORS,
    pattern: new RegExp(
      `(?<=--[A-Za-z0-9-]{0,30}|\\bENV\\s[A-Za-z0-9_]{0,40}|\\bsetenv\\s[A-Za-z0-9_]{0,40})${TELLING}\\s{1,3}(?:${QUOTE})?(?<secret>[^\\s"'\\x60\\\\-][^\\s"'\\x60\\\\]{7,511})`,
      "iy",
    ),
    accept: isRandomValue,
    guessed: true,
  },
];

export const ASSIGNED_SECRETS: readonly SecretPattern[] = [...ADDRESSES, ...HEADERS, ...FILES, ...ASSIGNMENTS];
