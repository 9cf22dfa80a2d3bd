/**
 * Whether an address belongs to the public internet. Everything else is somebody's inside: loopback, private networks, the
 * link and what clouds answer on it (metadata with keys), documentation, multicast, and every way to write one of these as
 * something else (mapped, translated, tunnelled).
 *
 * A1: what is not surely public is not public: also what cannot be read.
 * A2: one notation only: four decimal numbers without leading zeros, or IPv6 without a zone.
 */

/** IPv4 networks that are not public: address and prefix length. */
const INSIDE_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32], // answers inside a cloud, with a number of the public range
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** Of 2000::/3, the one part of IPv6 that is given out: what is not public in it. The first groups, and bits of them. */
const INSIDE_V6: readonly (readonly [readonly number[], number])[] = [
  [[0x2001, 0x0000], 23], // protocols of their own, tunnels among them
  [[0x2001, 0x0db8], 32],
  [[0x2002], 16], // carries an IPv4 address
  [[0x3fff, 0x0000], 20],
];

export function isPublicAddress(ip: string): boolean {
  const v4 = readV4(ip);
  if (v4 !== null) return !INSIDE_V4.some(([network, bits]) => samePrefix(v4, readV4(network) ?? 0, bits));
  const v6 = readV6(ip);
  if (v6 === null || ((v6[0] ?? 0) & 0xe000) !== 0x2000) return false;
  if (carriesV4(v6) || AS112_V6.every((group, i) => v6[i] === group)) return false;
  return !INSIDE_V6.some(([network, bits]) => samePrefix(firstBits(v6), firstBits(network), bits));
}

/** Answers for private names, wherever it is asked. */
const AS112_V6 = [0x2620, 0x004f, 0x8000];

/** An IPv4 address behind a global prefix (ISATAP). */
function carriesV4([, , , , flags, mark]: readonly number[]): boolean {
  return mark === 0x5efe && (flags === 0 || flags === 0x0200);
}

/** Whether the text is an address in the one notation. */
export function isAddress(text: string): boolean {
  return readV4(text) !== null || readV6(text) !== null;
}

function samePrefix(a: number, b: number, bits: number): boolean {
  const shift = 32 - bits;
  return a >>> shift === b >>> shift;
}

function firstBits([first = 0, second = 0]: readonly number[]): number {
  return ((first << 16) | second) >>> 0;
}

/** As one number; null when it is none in the one notation. */
function readV4(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Eight groups; null when it is none. */
function readV6(text: string): readonly number[] | null {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return null;
  const halves = withoutV4(text)?.split("::");
  if (halves === undefined || halves.length > 2) return null;
  const [head, tail] = [groups(halves[0] ?? ""), groups(halves[1] ?? "")];
  if (head === null || tail === null) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  const zeros = 8 - head.length - tail.length;
  return zeros < 1 ? null : [...head, ...Array.from({ length: zeros }, () => 0), ...tail];
}

/** `::ffff:1.2.3.4` as `::ffff:102:304`. */
function withoutV4(text: string): string | null {
  const at = text.lastIndexOf(":") + 1;
  if (!text.includes(".")) return text;
  const v4 = readV4(text.slice(at));
  return v4 === null ? null : `${text.slice(0, at)}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
}

function groups(text: string): readonly number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part)) ? parts.map((part) => parseInt(part, 16)) : null;
}
