/**
 * Commands that wait for input keep the network that they were started with. When the session's label takes some of it away they
 * are ended before anything else runs: one of them could be told what to send, or watch for a file that says it.
 */
import type { CommandNetwork, RunningCommand } from "../workspace/shell.ts";
import { commandNetwork } from "./command-network.ts";
import type { Drive } from "./run.ts";

/** What each was started with. */
const reaches = new WeakMap<RunningCommand, CommandNetwork>();

/** @param network of the call that has just run: what it left waiting was started with that */
export function noteReach(interactive: Drive["interactive"], network: CommandNetwork): void {
  for (const command of interactive.values()) if (!reaches.has(command)) reaches.set(command, network);
}

export async function endOverreaching(run: Drive): Promise<void> {
  if (run.interactive.size === 0) return;
  const open = commandNetwork(run.config(), run.state().label, run.host.clock.now());
  for (const [handle, command] of run.interactive) {
    if (isWithin(reaches.get(command) ?? "all", open)) continue;
    run.interactive.delete(handle);
    await command.kill("stopped");
  }
}

function isWithin(network: CommandNetwork, open: CommandNetwork): boolean {
  if (network === "none" || open === "all") return true;
  if (network === "all" || open === "none") return false;
  return network.domains.every((domain) => open.domains.includes(domain));
}
