/**
 * From a host to the addresses that may be connected to: resolved once, every one checked.
 *
 * W1: what is connected to was checked, because nothing resolves again between the check and the connection.
 * W2: one address that is not public refuses the host: a name that leads inside and outside is a trap or a mistake.
 */
import { isIP } from "node:net";
import { FetchRefusal } from "./refusal.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Never called with an address, only with names. */
export type Lookup = (host: string) => Promise<readonly ResolvedAddress[]>;

export interface Destination {
  readonly addresses: readonly ResolvedAddress[];
}

export async function systemLookup(host: string): Promise<readonly ResolvedAddress[]> {
  const { lookup } = await import("node:dns/promises");
  return lookup(host, { all: true, order: "verbatim" });
}

/** @param host canonical, IPv6 in brackets */
export async function resolveOnce(
  host: string,
  lookup: Lookup,
  isAllowed: (address: string) => boolean,
): Promise<Destination> {
  const literal = host.startsWith("[") ? host.slice(1, -1) : host;
  const family = isIP(literal);
  const found = family > 0 ? [{ address: literal, family }] : await answerOf(host, lookup);
  const addresses = found.map(({ address }) => ({ address, family: isIP(address) }));
  if (addresses.length === 0) throw new FetchRefusal(`${host} has no address. Check the spelling.`);
  if (!addresses.every((one) => one.family > 0 && isAllowed(one.address)))
    throw new FetchRefusal(
      family > 0
        ? `${host} is not a public address, and only public ones are fetched from.`
        : `${host} leads to an address that is not public, and only public ones are fetched from.`,
    );
  return { addresses };
}

async function answerOf(host: string, lookup: Lookup): Promise<readonly ResolvedAddress[]> {
  try {
    return await lookup(host);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new FetchRefusal(
      code === "ENOTFOUND" || code === "ENODATA"
        ? `There is no host ${host}. Check the spelling.`
        : `${host} could not be resolved${code === "" ? "" : ` (${code})`}. Try again later.`,
      { cause: error },
    );
  }
}
