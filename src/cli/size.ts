/** Sizes as people write them. */
import type { Read } from "./amount.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
/** A typing error must not mean "no limit". Bytes. */
const SIZE_MIN = 1024 ** 2;
const SIZE_MAX = 64 * 1024 ** 4;

/** `512M`, `8G`, `1.5GiB`; units are powers of 1024. Bytes. */
export function readSize(text: string): Read<number> {
  const [, amount = "", unit = ""] = /^(\d{1,15}(?:\.\d{1,3})?) ?([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (amount === "") return { wrong: "It must be a size such as 512M or 8G." };
  const bytes = Math.floor(Number(amount) * (UNITS[unit.toLowerCase()] ?? 1));
  if (bytes < SIZE_MIN || bytes > SIZE_MAX) return { wrong: "It must be from 1M to 64T." };
  return { value: bytes };
}
