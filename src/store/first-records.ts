/** What a session begins with, as every back-end takes it. */
import { invariant } from "../kernel/harness-error.ts";
import type { FirstRecords } from "./port.ts";

export const NO_RECORDS: FirstRecords = { records: [], blobs: [] };

export function requireFirst({ records }: FirstRecords): void {
  const gapless = records.every(({ seq }, i) => seq === i + 1);
  invariant(gapless, "invariant S2: a session's records begin with 1 and have no gaps");
}
