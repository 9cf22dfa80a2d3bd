/** Who drives a session: this process, or one of which it can be known whether it still runs. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Owner } from "../store/port.ts";
import { identityOf, isAlive } from "../workspace/process-identity.ts";

const TOKEN_BYTES = 16;

/** With a new token: every claim has its own. */
export function thisProcess(): Owner {
  const { pid, start_time, boot_id } = identityOf(process.pid);
  return { token: randomBytes(TOKEN_BYTES).toString("hex"), host: hostname(), pid, start_time, boot_id };
}

/** Null: it runs on another machine, where this one cannot look. */
export function isOwnerAlive({ host, pid, start_time, boot_id }: Owner): boolean | null {
  if (host !== hostname()) return null;
  return isAlive({ pid, start_time, boot_id, namespace: null });
}
