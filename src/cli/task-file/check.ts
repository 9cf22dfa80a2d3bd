/**
 * What stands against a task: what is not understood, and what leaves open when it is done, how long it may take or what it is
 * about. Pure: what of the surroundings it needs is handed in.
 */
import type * as z from "zod";
import { provesNothing } from "./criteria.ts";
import { limitsSchema, TASK_KINDS, type TaskFile, taskSchema } from "./schema.ts";
import { phaseDefinition } from "../work-sections.ts";
import type { Source } from "./source.ts";

export interface Finding {
  readonly line: number;
  readonly what: string;
  readonly mend: string;
}

export interface Known {
  /** Whether there is such a file, or a file that fits such a glob. */
  readonly exists: (input: string) => boolean;
  readonly phases: readonly string[];
  readonly isModel: (name: string) => boolean;
  readonly tools: readonly string[];
}

export type Checked = { readonly task: TaskFile } | { readonly findings: readonly Finding[] };

/** Findings of one task that are named. */
const FINDINGS_MAX = 30;
const OBJECTIVE_WORDS_MIN = 4;

export function checkTask(source: Source, known: Known): Checked {
  const findings: Finding[] = [];
  const parsed = taskSchema().safeParse(source.value);
  if (!parsed.success) findings.push(...parsed.error.issues.flatMap((issue) => ofIssue(issue, source)));
  // What could be read is looked at too: one go names all.
  const said = membersOf(source.value);
  const at = (...path: readonly PropertyKey[]): number => source.lineOf(path);
  findings.push(...ofObjective(said["objective"], at), ...ofCriteria(said["success_criteria"], at));
  findings.push(...ofInputs(said["inputs"], at, known), ...ofLimits(said["limits"], at), ...ofNames(said, at, known));
  const sorted = findings.toSorted((a, b) => a.line - b.line).slice(0, FINDINGS_MAX);
  return parsed.success && sorted.length === 0 ? { task: parsed.data } : { findings: sorted };
}

type At = (...path: readonly PropertyKey[]) => number;

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  // An object that YAML made has texts as names.
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map((one) => (typeof one === "string" ? one : "")) : [];
}

const MEND = {
  kind: `Say one of ${TASK_KINDS.join(", ")}.`,
  objective: "Say what is to be true when it is done.",
  inputs: "Name the files or globs that it is about: `inputs: [src/parse.ts]`.",
  success_criteria: "Name a command that succeeds when it is done and not before: `success_criteria: [npm test]`.",
  limits: "Say how far it may go: `limits: { turns: 40, cost: 2.00 }`.",
} as const;

function ofIssue(issue: z.core.$ZodIssue, source: Source): readonly Finding[] {
  const line = source.lineOf(issue.path);
  const [member] = issue.path;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const allowed = keysAt(issue.path);
      const near = nearest(key, allowed);
      const mend = near === null ? `Known are ${allowed.join(", ")}.` : `Did you mean \`${near}\`?`;
      return { line: source.lineOf([...issue.path, key]), what: `\`${key}\` is not known`, mend };
    });
  }
  if (issue.path.length === 1 && issue.code === "invalid_type" && isMissing(member, source)) {
    const name = String(member) as keyof typeof MEND; // only these are needed
    return [
      { line, what: `there ${name === "inputs" || name === "limits" ? "are" : "is"} no \`${name}\``, mend: MEND[name] },
    ];
  }
  if (issue.code === "invalid_union") {
    const inner = issue.errors.flat().filter((one) => one.path.length > 0 || one.code === "unrecognized_keys");
    if (inner.length > 0)
      return inner.flatMap((one) => ofIssue({ ...one, path: [...issue.path, ...one.path] }, source));
  }
  const place = issue.path
    .map((key, i) => (typeof key === "number" ? `[${String(key)}]` : `${i === 0 ? "" : "."}${String(key)}`))
    .join("");
  const what = `${place === "" ? "the whole" : `\`${place}\``}: ${issue.message.replace(/\.$/, "").replace(/^Invalid input: /, "")}`;
  return [{ line, what, mend: mendOf(member) }];
}

function mendOf(member: PropertyKey | undefined): string {
  const known = Object.entries(MEND).find(([name]) => name === member);
  return known?.[1] ?? "`belay check --schema` says what may stand there.";
}

function isMissing(member: PropertyKey | undefined, source: Source): boolean {
  return typeof member === "string" && membersOf(source.value)[member] === undefined;
}

function keysAt([first, ...more]: readonly PropertyKey[]): readonly string[] {
  if (first === "limits") return Object.keys(limitsSchema().shape);
  if (first === "phases" && more.length > 0) return Object.keys(phaseDefinition.shape);
  return Object.keys(taskSchema().shape);
}

/** Say nothing about what is to be done. */
const VAGUE = new Set(
  (
    "improve enhance optimize optimise clean cleanup up tidy polish refactor rework modernize modernise fix fixes better make update work on handle " +
    "the a an this that these those it its all some any our my and or of in to for with please just more most " +
    "code codebase project repo repository app application system thing things stuff everything something bug bugs issue issues " +
    "problem problems performance quality tests test file files module modules nicer good great best faster cleaner simpler"
  ).split(" "),
);

function ofObjective(said: unknown, at: At): readonly Finding[] {
  if (typeof said !== "string" || said.trim() === "") return [];
  const words = said.toLowerCase().match(/[\p{L}\p{N}_./-]+/gu) ?? [];
  const telling = words.filter((word) => !VAGUE.has(word.replaceAll(/[.]+$/g, "")));
  const line = at("objective");
  if (telling.length === 0 && words.length > 0) {
    const what = `the objective is vague: "${said.trim().slice(0, 60)}" fits any project`;
    return [{ line, what, mend: "Name what is wrong or missing, where, and what it shall be instead." }];
  }
  if (words.length >= OBJECTIVE_WORDS_MIN && telling.length >= 2) return [];
  return [{ line, what: "the objective is too short to be understood", mend: MEND.objective }];
}

function ofCriteria(said: unknown, at: At): readonly Finding[] {
  if (said === undefined) return [];
  const criteria = textsOf(said);
  if (Array.isArray(said) && criteria.length === 0)
    return [{ line: at("success_criteria"), what: "there is no success criterion", mend: MEND.success_criteria }];
  return criteria.flatMap((command, i) => {
    const why = command.trim() === "" ? null : provesNothing(command);
    if (why === null) return [];
    const what = `the success criterion \`${command.trim().slice(0, 80)}\` proves nothing: ${why}`;
    return [{ line: at("success_criteria", i), what, mend: "Name a command that fails as long as it is not done." }];
  });
}

function ofInputs(said: unknown, at: At, { exists }: Known): readonly Finding[] {
  if (said === undefined) return [];
  const inputs = textsOf(said);
  if (Array.isArray(said) && inputs.length === 0)
    return [{ line: at("inputs"), what: "there are no `inputs`", mend: MEND.inputs }];
  return inputs.flatMap((input, i) =>
    input.trim() === "" || exists(input.trim())
      ? []
      : [
          {
            line: at("inputs", i),
            what: `no file fits the input \`${input.slice(0, 80)}\``,
            mend: "Correct the path: it is relative to where belay is started.",
          },
        ],
  );
}

function ofLimits(said: unknown, at: At): readonly Finding[] {
  if (said === undefined || said === null || Object.keys(membersOf(said)).length > 0) return [];
  return [{ line: at("limits"), what: "there is no bound", mend: MEND.limits }];
}

function ofNames(said: Readonly<Record<string, unknown>>, at: At, known: Known): readonly Finding[] {
  const { model, phases, allowed_tools } = said;
  const wrongModel: readonly Finding[] =
    typeof model !== "string" || model.trim() === "" || known.isModel(model.trim())
      ? []
      : [
          {
            line: at("model"),
            what: `\`${model}\` is no model that is known`,
            mend: "`belay models` lists providers and aliases.",
          },
        ];
  const wrong = (list: unknown, member: string, names: readonly string[], noun: string): readonly Finding[] =>
    textsOf(list).flatMap((name, i) => {
      if (name === "" || names.includes(name) || /^mcp__/.test(name)) return [];
      const near = nearest(name, names);
      const mend = near === null ? `Known are ${names.join(", ")}.` : `Did you mean \`${near}\`?`;
      return [{ line: at(member, i), what: `there is no ${noun} \`${name}\``, mend }];
    });
  return [
    ...wrongModel,
    ...wrong(phases, "phases", known.phases, "phase"),
    ...wrong(allowed_tools, "allowed_tools", known.tools, "tool"),
  ];
}

/** Null where none is near. */
function nearest(name: string, known: readonly string[]): string | null {
  const wanted = name.toLowerCase().replaceAll("-", "_");
  const ranked = known
    .map((one) => ({ one, far: distance(wanted, one.toLowerCase()) }))
    .toSorted((a, b) => a.far - b.far);
  const [best] = ranked;
  if (best === undefined) return null;
  const begins = known.find((one) => wanted.length >= 4 && (one.startsWith(wanted) || one.split("_").includes(wanted)));
  return best.far <= Math.max(1, Math.floor(best.one.length / 3)) ? best.one : (begins ?? null);
}

const NAME_CHARS_MAX = 80;

function distance(a: string, b: string): number {
  if (a.length > NAME_CHARS_MAX) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min((row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
