/**
 * What an address of the web must look like before anything is asked of it, and the one form in which its host is compared with
 * rules. Pure: nothing is resolved here, so a name that leads to a private address is still a name.
 *
 * U1: a host has one spelling. Everything that a URL parser would quietly turn into another host (decimal, octal and short
 *     addresses, percent signs, full-width letters, a trailing dot, a back-slash) is refused, not corrected.
 * U2: what was read here is what is fetched: `href` is made from the same parse as `host`.
 */

/** Characters. An address is also a way to carry something out. */
export const FETCH_URL_CHARS_MAX = 2_000;

/** From here on a port may be named that is not the scheme's own. */
const FREE_PORTS_FROM = 1_025;
const PORT_MAX = 65_535;

/** Services behind ports above 1024 that read a request as commands, or that only machines of one house ask. */
const SERVICE_PORTS: ReadonlySet<number> = new Set([
  ...[1194, 1433, 1434, 1521, 1701, 1719, 1720, 1723, 1883, 2049, 2082, 2083, 2086, 2087, 2181, 2375, 2376, 2377, 2379],
  ...[2380, 2483, 2484, 3128, 3260, 3268, 3269, 3306, 3389, 3659, 4045, 4190, 4369, 4789, 5060, 5061, 5355, 5432, 5433],
  ...[5671, 5672, 5900, 5901, 5902, 5903, 5984, 5985, 5986, 6000, 6001, 6002, 6003, 6379, 6380, 6443, 6566, 6665, 6666],
  ...[6667, 6668, 6669, 6679, 6697, 7000, 7001, 7199, 7473, 7474, 7687, 8086, 8200, 8201, 8300, 8301, 8302, 8500, 8501],
  ...[8600, 8883, 9000, 9042, 9092, 9100, 9160, 9200, 9300, 9418, 10_080, 10_250, 10_255, 10_256, 11_211, 15_672],
  ...[16_379, 26_379, 26_257, 27_017, 27_018, 27_019, 28_015, 28_017],
]);

export interface FetchAddress {
  /** Canonical: lower case, names of other scripts as punycode, IPv6 in brackets. */
  readonly host: string;
  readonly scheme: "http" | "https";
  readonly port: number;
  /** The whole address without its fragment. */
  readonly href: string;
}

export type ReadAddress =
  | { readonly ok: true; readonly address: FetchAddress }
  /** A clause that goes after "The address". */
  | { readonly ok: false; readonly problem: string };

const PARTS = /^(https?):\/\/([^/?#]*)([^#]*)/i;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** A label of a name in ASCII. Underscores occur in names that resolve. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const HOST_CHARS_MAX = 253;

export function readFetchAddress(text: string): ReadAddress {
  if (text.length > FETCH_URL_CHARS_MAX) return no(`is longer than ${String(FETCH_URL_CHARS_MAX)} characters`);
  if (/[\s\\\p{Cc}\p{Cf}\p{Cs}\p{Zs}]/u.test(text)) return no("holds a blank, a back-slash or an invisible character");
  const [, scheme_text = "", authority = ""] = PARTS.exec(text) ?? [];
  const scheme = scheme_text.toLowerCase();
  if (scheme !== "http" && scheme !== "https") return no("does not begin with https:// or http://");
  if (authority.includes("@")) return no("holds a user or a password");
  const [, raw_host = "", raw_port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority) ?? [];
  if (raw_host === "") return no("names no host");
  const port = portOf(raw_port, scheme);
  if (port === null) return no("names a port that is not fetched from (80, 443 and free ports above 1024 are)");
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return no("cannot be read");
  const host = url.hostname;
  if (!isSpelledPlainly(raw_host, host))
    return no("spells its host in an unusual way: write the plain name or address");
  url.hash = "";
  return { ok: true, address: { host, scheme, port, href: url.href } };
}

/** The canonical host of what `web_fetch` would be called with, or null where it would refuse the address unseen. */
export function fetchDestination(input: { readonly [field: string]: unknown } | string): string | null {
  const url = typeof input === "string" ? input : input["url"];
  if (typeof url !== "string") return null;
  const read = readFetchAddress(url);
  return read.ok ? read.address.host : null;
}

function no(problem: string): ReadAddress {
  return { ok: false, problem };
}

function portOf(raw: string | undefined, scheme: "http" | "https"): number | null {
  if (raw === undefined) return scheme === "https" ? 443 : 80;
  if (!/^[1-9]\d{0,4}$/.test(raw)) return null;
  const port = Number(raw);
  if (port === 80 || port === 443) return port;
  return port >= FREE_PORTS_FROM && port <= PORT_MAX && !SERVICE_PORTS.has(port) ? port : null;
}

/** U1. */
function isSpelledPlainly(raw: string, host: string): boolean {
  const lower = raw.toLowerCase();
  if (host.startsWith("[")) return /^\[[0-9a-f:.]+\]$/.test(lower);
  if (IPV4.test(host)) return lower === host;
  if (host === "" || host.length > HOST_CHARS_MAX) return false;
  const written = raw.split(".");
  const read = host.split(".");
  return written.length === read.length && read.every((label, index) => isSameLabel(written[index] ?? "", label));
}

/** A label of another script must stay one: letters that fold to ASCII (full-width, circled, the Kelvin sign) are a disguise. */
function isSameLabel(written: string, read: string): boolean {
  if (!LABEL.test(read)) return false;
  if (/^[\0-\x7f]*$/.test(written)) return written.toLowerCase() === read;
  return read.startsWith("xn--") && /^[\p{L}\p{M}0-9-]+$/u.test(written) && written.normalize("NFKC") === written;
}
