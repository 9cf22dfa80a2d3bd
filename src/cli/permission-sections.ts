/** What belay's own settings files may say about permissions, confinement and information flow. */
import * as z from "zod";
import { GLOB_CHARS_MAX } from "../context/glob.ts";
import { GRANTS_MAX, PERMISSION_MODES, RULE_CHARS_MAX, RULES_MAX, SINKS } from "../kernel/permissions.ts";
import type { Read } from "./amount.ts";
import { grantOf } from "./grant.ts";
import { readSize } from "./size.ts";

const DOMAINS_MAX = 500;
const PATHS_MAX = 200;
const PATH_CHARS_MAX = 4_096;
const PROCESSES_MAX = 1_000_000;
/** Patterns of files that `belay prompts` looks at. */
const PROMPT_GLOBS_MAX = 50;

/** Text that one of the readers understands. */
export function text<T>(read: (text: string) => Read<T>): z.ZodPipe<z.ZodString, z.ZodTransform<T, string>> {
  return z.string().transform((said, context) => {
    const found = read(said);
    if ("value" in found) return found.value;
    context.issues.push({ code: "custom", message: found.wrong, input: said });
    return z.NEVER;
  });
}

const rules = z.array(z.string().max(RULE_CHARS_MAX)).max(RULES_MAX);
const paths = z.array(z.string().min(1).max(PATH_CHARS_MAX)).max(PATHS_MAX);

/** A host, or everything below one; nothing that a name server and a proxy could read differently. */
export function readDomain(text: string): Read<string> {
  const said = text.toLowerCase();
  const names = said.replace(/^\*\./, "").split(".");
  const isHost = said.length <= 253 && names.every((name) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(name));
  if (!isHost) return { wrong: "It must be a host such as example.com or *.example.com." };
  return said.startsWith("*.") && names.length < 2
    ? { wrong: "It must not be a whole top-level domain." }
    : { value: said };
}

const grant = z
  .strictObject({
    sink: z.enum(SINKS),
    destination: z.string(),
    label: z.enum(["untrusted", "secret"]),
    expires: z.string().optional(),
  })
  .transform((said, context) => {
    const found = grantOf(said);
    if ("value" in found) return found.value;
    context.issues.push({ code: "custom", message: found.wrong, input: said });
    return z.NEVER;
  });

export const PERMISSION_SECTIONS = {
  permissions: z.strictObject({
    allow: rules.optional(),
    ask: rules.optional(),
    deny: rules.optional(),
    defaultMode: z.enum(PERMISSION_MODES).optional(),
    disableBypassPermissionsMode: z.literal("disable").optional(),
    additionalDirectories: paths.optional(),
  }),
  grants: z.array(grant).max(GRANTS_MAX),
  sandbox: z.strictObject({
    domains: z.array(text(readDomain)).max(DOMAINS_MAX).optional(),
    processes: z.int().positive().max(PROCESSES_MAX).optional(),
    memory: text(readSize).optional(),
    disk: text(readSize).optional(),
    allow_read: paths.optional(),
  }),
  flow: z.strictObject({ public: z.boolean().optional() }),
};

/** A path below the project's top, or many. */
const promptGlob = z
  .string()
  .min(1)
  .max(GLOB_CHARS_MAX)
  .refine((glob) => !glob.startsWith("/") && !glob.split("/").includes(".."), "It must stay within the project.");

/** What a project's own file may hold: nothing that acts. */
export const projectSchema = z
  .strictObject({ ...PERMISSION_SECTIONS, prompts: z.array(promptGlob).max(PROMPT_GLOBS_MAX) })
  .partial();

export type PermissionSections = z.infer<typeof projectSchema>;
