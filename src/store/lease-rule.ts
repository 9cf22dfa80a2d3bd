/**
 * Who may write: the rule of invariant S3, in one place for every back-end.
 *
 * A lease that ran out stays its holder's until somebody else claims: a late renew is harmless, because a claim raises
 * the epoch in the same atomic step that it looks.
 */
import type { ClaimCommand, Lease, Owner, SessionRow } from "./port.ts";
import { leaseHeld } from "./refusal.ts";

/** What of a row the rule looks at. */
export type LeaseFields = Pick<SessionRow, "owner" | "epoch" | "lease_until" | "last_seq" | "cancel_requested">;

/** @throws HarnessError `lease_held` when another owner is in the way. */
export function refuseWhileHeld(row: LeaseFields, command: ClaimCommand, now: number): void {
  const { owner } = row;
  if (owner && isDriven(row, now) && owner.token !== command.supersede) throw leaseHeld(command.session, owner);
}

/** @returns whether somebody may be driving the session now. */
export function isDriven(row: Pick<LeaseFields, "owner" | "lease_until">, now: number): boolean {
  return row.owner !== null && row.lease_until > now;
}

export function isHolder(row: LeaseFields, lease: Lease): boolean {
  return row.owner?.token === lease.token && row.epoch === lease.epoch;
}

/** What a claim makes of the row. A request to cancel was meant for the driver before. */
export function claimed(row: LeaseFields, owner: Owner, until: number): LeaseFields {
  return { owner, epoch: row.epoch + 1, lease_until: until, last_seq: row.last_seq, cancel_requested: false };
}

/** The lease as its holder sees it. `row` has an owner. */
export function leaseOf(of: Pick<Lease, "tenant" | "session" | "token">, row: LeaseFields): Lease {
  return {
    tenant: of.tenant,
    session: of.session,
    token: of.token,
    epoch: row.epoch,
    until: row.lease_until,
    last_seq: row.last_seq,
    cancel_requested: row.cancel_requested,
  };
}
