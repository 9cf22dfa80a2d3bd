/** Who drives a session: this process, or one of which it can be known whether it still runs. */
import { randomBytes } from "node:crypto";
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { Owner } from "../store/port.ts";
import { identityOf, isAlive } from "../workspace/process/identity.ts";

const TOKEN_BYTES = 16;

/** With a new token: every claim has its own. */
export function thisProcess(): Owner {
  const { pid, start_time, boot_id } = identityOf(process.pid);
  return { token: randomBytes(TOKEN_BYTES).toString("hex"), host: hostOfPids(), pid, start_time, boot_id };
}

/** Null: it runs where this process cannot look. Its lease has to run out. */
export function isOwnerAlive({ host, pid, start_time, boot_id }: Owner): boolean | null {
  if (host !== hostOfPids()) return null;
  return isAlive({ pid, start_time, boot_id, namespace: null });
}

/** A pid means something on one machine, and in one container of it: two can have the same host name. */
function hostOfPids(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch (error) {
    if (error instanceof Error && "code" in error) return hostname(); // a system without /proc has one set of pids
    throw error;
  }
}
