/**
 * Names of hosts, as a proxy must read them: one spelling for each host, and everything that two programs could read as two
 * different hosts is none.
 *
 * N1: what is compared is what is resolved and connected to: no part of a name is dropped in between.
 */
import { domainToASCII } from "node:url";
import { isAddress } from "../../kernel/public-address.ts";

/** Of a host name, as DNS has it. */
const HOST_CHARS_MAX = 253;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
/** The last label of what the rules of URLs take for an IPv4 address: `0x7f`, `017700000001`, `1`. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;
const PORT_MAX = 65_535;
/** Names below `*.`: a whole top-level domain is nobody's allow list. */
const SUFFIX_LABELS_MIN = 2;

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Lower case, without a trailing dot; addresses without brackets. Null when it is no host in the one notation. */
export function canonicalHost(text: string): string | null {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed.includes(":") && isAddress(bracketed) ? bracketed.toLowerCase() : null;
  const host = text.toLowerCase().replace(/\.$/, "");
  if (host === "" || host.length > HOST_CHARS_MAX) return null;
  const labels = host.split(".");
  if (!labels.every((label) => LABEL.test(label))) return null;
  if (NUMBER.test(labels.at(-1) ?? "")) return isAddress(host) ? host : null;
  return host;
}

/** Of `host:port` (CONNECT). Null when it is anything else. */
export function readTarget(text: string): Target | null {
  const [, name, digits] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text) ?? [];
  const host = canonicalHost(name ?? "");
  const port = Number(digits);
  return host === null || port < 1 || port > PORT_MAX ? null : { host, port };
}

/** Whether one of the entries names the target. An entry that cannot be read allows nothing. */
export function isListed({ host, port }: Target, entries: readonly string[]): boolean {
  return entries.some((text) => {
    const entry = readEntry(text);
    if (entry === null || (entry.port !== null && entry.port !== port)) return false;
    return entry.below ? host.endsWith(`.${entry.host}`) && !isAddress(host) : host === entry.host;
  });
}

interface Entry {
  readonly host: string;
  /** Every name below it, and not itself. */
  readonly below: boolean;
  /** Null is any. */
  readonly port: number | null;
}

/** `example.com`, `*.example.com`, `[2001:db8::1]:8443`, `bücher.example`. */
function readEntry(text: string): Entry | null {
  const [, star, name, digits] = /^(\*\.)?(\[[^\]]*\]|[^:*]+)(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  if (name === undefined) return null;
  // A person writes a name in their own letters; on the wire it is written in these.
  const host = canonicalHost(/^[\x20-\x7e]*$/.test(name) ? name : domainToASCII(name));
  if (host === null) return null;
  const below = star !== undefined;
  if (below && (isAddress(host) || host.split(".").length < SUFFIX_LABELS_MIN)) return null;
  return { host, below, port: digits === undefined ? null : Number(digits) };
}
