/** For the environment of a command that a test starts from its sources: taking the types out of them again costs half of its start. */
import { join } from "node:path";

export const COMPILE_CACHE = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, "../../node_modules/.cache/belay-tests"),
} as const;
