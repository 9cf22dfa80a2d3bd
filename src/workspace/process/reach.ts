/**
 * What belongs to a command and how far a kill reaches: a PID namespace (everything, surely) or a process group
 * (everything that did not leave it).
 */
import type { ProcessIdentity } from "../../kernel/process-identity.ts";
import { isAlive } from "./identity.ts";
import { innermostPid, namespaceMembers, familyMembers, signalProcess } from "./table.ts";

export interface Reach {
  /** Pids of running processes of the command itself, without belay's own around it. */
  members(): readonly number[];
  /** KILL for all of it. */
  killAll(): void;
  /** Whether nothing of it runs any more. */
  isGone(): boolean;
}

/** @param identity the first process of the namespace: when it dies, the kernel kills the rest. */
export function namespaceReach(identity: ProcessIdentity): Reach {
  const { namespace } = identity;
  const all = (): readonly number[] =>
    namespace === null ? [] : namespaceMembers(namespace).map((member) => member.pid);
  return {
    // 1 is the sandbox's own first process and 2 the supervising script.
    members: () => all().filter((pid) => (innermostPid(pid) ?? 0) > 2),
    killAll: () => {
      if (isAlive(identity)) signalProcess(identity.pid, "SIGKILL");
    },
    isGone: () => !isAlive(identity) && all().length === 0,
  };
}

/** @param identity the supervising script, leader of its group; @param watch the pid of the watch beside it */
export function groupReach(identity: ProcessIdentity, watch: () => number | null): Reach {
  const all = (): readonly number[] => familyMembers(identity.pid).map((member) => member.pid);
  return {
    members: () => all().filter((pid) => pid !== identity.pid && pid !== watch()),
    killAll: () => {
      for (const pid of all()) signalProcess(pid, "SIGKILL");
    },
    isGone: () => all().length === 0,
  };
}
