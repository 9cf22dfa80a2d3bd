/** `node mutant-child.ts INDEX SEEDS`: plants a defect while the engine is loaded, and prints the first seed that finds it. */
import { registerHooks } from "node:module";
import { MUTANTS } from "./mutants.ts";
import type { Seeds } from "./seeds-child.ts";

const [index = "0", count = "100"] = process.argv.slice(2);
const mutant = MUTANTS[Number(index)];
if (mutant === undefined) throw new Error(`there is no mutant ${index}`);

let planted = false;
registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (!url.endsWith(`/${mutant.file}`) || loaded.source == null) return loaded;
    const text = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
    if (text.split(mutant.find).length !== 2) return loaded;
    planted = true;
    return { ...loaded, source: text.replace(mutant.find, () => mutant.replace) };
  },
});
const { runSeeds } = await import("./seeds-child.ts");
const seeds: Seeds | null = planted ? await runSeeds(1, Number(count), 1) : null;
process.stdout.write(`${JSON.stringify({ planted, found: seeds?.failed[0] ?? null })}\n`);
