/** Grants as people write them: a yes beforehand, for one sink, one destination and one label, until a day. */
import { createHash } from "node:crypto";
import { HarnessError } from "../kernel/harness-error.ts";
import { canonicalJson } from "../kernel/json.ts";
import { type Grant, SINKS, type Sink } from "../kernel/permissions.ts";
import type { Read } from "./amount.ts";

const DESTINATION_CHARS_MAX = 500;
/** Characters of a grant that a message repeats. */
const GRANT_CHARS_SHOWN = 200;
const DAY = String.raw`\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?`;
/** The destination may hold colons itself: a port, an address. */
const WRITTEN = new RegExp(`^([^:]*):(.*):(untrusted|secret)(?::(${DAY}))?$`, "s");

/** What a grant is made of, as in the settings. */
export interface GrantText {
  readonly sink: Sink;
  readonly destination: string;
  readonly label: Grant["label"];
  /** A day, or an instant with its zone. Absent: until it is taken away. */
  readonly expires?: string | undefined;
}

/** `network:registry.example.com:untrusted` or `network:registry.example.com:untrusted:2027-01-01`. */
export function readGrant(text: string): Read<Grant> {
  const [whole, sink = "", destination = "", label, expires] = WRITTEN.exec(text.trim()) ?? [];
  if (whole === undefined)
    return {
      wrong: "It must be sink:destination:label[:until], such as network:registry.example.com:untrusted:2027-01-01.",
    };
  if (!isSink(sink)) return { wrong: `Its sink must be one of ${SINKS.join(", ")}.` };
  return grantOf({ sink, destination, label: label === "secret" ? "secret" : "untrusted", expires });
}

/** For the command line. @throws HarnessError `usage` */
export function parseGrant(text: string): Grant {
  const found = readGrant(text);
  if ("value" in found) return found.value;
  throw new HarnessError(
    "usage",
    `The grant "${text.slice(0, GRANT_CHARS_SHOWN)}" cannot be used: ${found.wrong.replace(/\.$/, "")}.`,
    "Write it as sink:destination:label, with :2027-01-01 behind it where it is to end.",
  );
}

/** The same grant has the same id wherever it is written. */
export function grantOf({ sink, destination, label, expires }: GrantText): Read<Grant> {
  const wrong = destinationTrouble(destination);
  if (wrong !== null) return { wrong };
  const until = expires === undefined ? null : instantOf(expires);
  if (Number.isNaN(until)) return { wrong: "Its end must be a day such as 2027-01-01, or an instant with its zone." };
  const facts = { sink, destination, label, expires_at: until };
  const id = `grt_${createHash("sha256").update(canonicalJson(facts)).digest("hex").slice(0, 12)}`;
  return { value: { id, ...facts } };
}

function isSink(text: string): text is Sink {
  return SINKS.some((sink) => sink === text);
}

/** A grant for everything is no grant. */
function destinationTrouble(destination: string): string | null {
  if (destination === "" || destination.trim() !== destination)
    return "Its destination must not be empty or begin or end with a blank.";
  if (destination.length > DESTINATION_CHARS_MAX)
    return `Its destination has more than ${DESTINATION_CHARS_MAX} characters.`;
  if (/[\p{C}\p{Z}]/u.test(destination)) return "Its destination holds blanks or characters that cannot be seen.";
  const host = destination.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/:\d*$/, "");
  return /^[*?./:]*$/.test(host) || /^\*\.[^.]+$/.test(host)
    ? "Its destination must name somebody: not `*` alone, and no whole top-level domain."
    : null;
}

/** A day begins at midnight, UTC: the grant ends then. NaN for what is no date. */
function instantOf(text: string): number {
  if (!new RegExp(`^${DAY}$`).test(text)) return Number.NaN;
  const instant = Date.parse(text.length === "2027-01-01".length ? `${text}T00:00:00Z` : text);
  // 31 February is read as a day of March elsewhere.
  return Number.isNaN(instant) || !isDay(text.slice(0, 10)) ? Number.NaN : instant;
}

function isDay(day: string): boolean {
  const read = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(read) && new Date(read).toISOString().startsWith(day);
}
