/**
 * The forms in which a known secret turns up: as it is, escaped for JSON, HTML, shells and addresses, in base64 wherever it begins
 * in the encoded text, in hexadecimal. What was made from it in another way (turned round, encrypted, one character per line) is
 * not recognised.
 */

/** No form is shorter: it would be found where there is no secret. Characters. */
export const FORM_CHARS_MIN = 8;
/** Of a secret of several lines, each is one by itself when it is so long. Characters. */
const LINE = /^[A-Za-z0-9+/=_-]{32,}$/;

export function formsOf(value: string): ReadonlySet<string> {
  const escaped = jsonEscaped(value);
  const percent = encodeURIComponent(value.toWellFormed());
  const strict = percent.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const hex = Buffer.from(value, "utf8").toString("hex");
  const forms = [
    ...[value, escaped, jsonEscaped(escaped), escaped.replaceAll("/", String.raw`\/`), asciiEscaped(escaped)],
    ...[percent, strict, percent.replaceAll("%20", "+"), lowerPercent(percent), lowerPercent(strict)],
    ...[htmlEscaped(value), value.replaceAll("'", String.raw`'\''`), value.replaceAll("'", "''")],
    ...[hex, hex.toUpperCase(), ...base64Forms(value)],
    ...lines(value),
  ];
  return new Set(forms.filter((form) => form.length >= FORM_CHARS_MIN));
}

function jsonEscaped(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** As encoders write it that keep to ASCII, and those that guard against HTML. */
function asciiEscaped(escaped: string): string {
  return escaped.replace(
    /[<>&\u0080-\uffff]/g,
    (character) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function lowerPercent(encoded: string): string {
  return encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

function htmlEscaped(value: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return value.replace(/[&<>"']/g, (character) => names[character] ?? character);
}

const BITS_PER_BYTE = 8;
const BITS_PER_CHARACTER = 6;

/** Three, by what stands before it: the characters that the value alone decides. */
function base64Forms(value: string): readonly string[] {
  const bytes = Buffer.from(value, "utf8");
  return [0, 1, 2].flatMap((before) => {
    const from = Math.ceil((before * BITS_PER_BYTE) / BITS_PER_CHARACTER);
    const to = Math.floor(((before + bytes.length) * BITS_PER_BYTE) / BITS_PER_CHARACTER);
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    return [padded.toString("base64").slice(from, to), padded.toString("base64url").slice(from, to)];
  });
}

/** Those of a key, say; and all of them together, as they are found when line ends are left out. */
function lines(value: string): readonly string[] {
  if (!value.includes("\n")) return [];
  const all = value.split(/\r?\n/).map((line) => line.trim());
  return [...all.filter((line) => LINE.test(line)), all.join("")];
}
