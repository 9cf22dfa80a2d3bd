/** Accepts the prompts of this repository as they are, belay's own among them: `belay prompts lock`, from the sources. */
import { join } from "node:path";
import { lockText } from "../src/context/prompt-lock.ts";
import { presentPrompts } from "../src/cli/project-prompts.ts";
import { writeLockFile } from "../src/cli/prompt-lock-file.ts";
import { builtInTools } from "../src/tool/registry.ts";

const { top, prompts } = presentPrompts(join(import.meta.dirname, ".."), builtInTools());
writeLockFile(top, lockText(prompts));
console.log("belay.prompts.lock is written: look at what changed in it before you commit it");
