/**
 * What every run needs and nobody has to be asked for: modules, schemas. Loaded while a run waits for something else (the
 * sandbox's trial, a file's sync), so that the first request does not wait for it. Only saves time: a failure is seen by
 * whoever needs the thing.
 */
import * as z from "zod";
import { promptOf } from "../engine/prompt.ts";
import { loadSdk } from "../model/anthropic/client.ts";
import { loadPrices } from "../model/prices.ts";
import { loadSqlite } from "../store/sqlite/sqlite-store.ts";
import { builtInTools } from "../tool/registry.ts";

/** Begins at once and returns at once; what is still under way when it is needed is waited for there. */
export function warmUp(provider: string): void {
  // A parser that is generated for a schema pays after hundreds of uses; a run's events are fewer and small.
  z.config({ jitless: true });
  void inTurn([
    () => Promise.resolve(promptOf(builtInTools())),
    loadSqlite,
    () => loadPrices(provider),
    () => (provider === "anthropic" ? loadSdk() : Promise.resolve()),
    // The runtime's own client is loaded when it is first named.
    () => Promise.resolve(globalThis.Headers),
  ]);
}

async function inTurn(loads: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const load of loads) await load().catch(() => undefined); // whoever needs it loads it again, and sees why it fails
}
