/** `belay permissions audit`: what is wrong with the rules of this place, as written and by what was done with them. */
import { systemClock } from "../../host/system-clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { EXIT_TABLE } from "../../kernel/outcome.ts";
import { type JournalFacts, readJournals } from "../../observe/permissions/journals.ts";
import { FINDING_KINDS, type Finding, removal, sortedFindings } from "../../policy/audit/finding.ts";
import { historyFindings } from "../../policy/audit/history-findings.ts";
import { loosened } from "../../policy/audit/rule-difference.ts";
import { findingOf, ruleFindings } from "../../policy/audit/rule-findings.ts";
import type { Store } from "../../store/port.ts";
import type { Face } from "../face.ts";
import { type Inventory, permissionInventory } from "../permission-inventory.ts";
import { ruleChanges } from "../rule-changes.ts";
import { withStore } from "../session-choice.ts";
import { auditJson, auditLines, type AuditReport } from "../view/audit-view.ts";

export interface AuditOptions {
  readonly days: number;
  readonly allProjects?: true;
  readonly since?: string;
  readonly ignore?: readonly string[];
  readonly json?: true;
}

const DAY_MS = 86_400_000;
/** Nothing is said about the progress of what is done sooner, in milliseconds. */
const PROGRESS_AFTER_MS = 1_000;

export async function audit(options: AuditOptions, face: Face): Promise<number> {
  requireKinds(options.ignore ?? []);
  const inventory = await permissionInventory(face);
  const report = await withStore(face, (store) => auditOf(store, inventory, options, face));
  if (options.json === true) face.out.json(JSON.stringify(auditJson(report)));
  else for (const line of auditLines(report, face.out)) face.out.line(line);
  return report.findings.length === 0 ? EXIT_TABLE.completed.code : EXIT_TABLE.failed.code;
}

function requireKinds(kinds: readonly string[]): void {
  const unknown = kinds.find((kind) => !FINDING_KINDS.some((known) => known === kind));
  if (unknown === undefined) return;
  throw new HarnessError(
    "usage",
    `There is no kind of finding ${unknown.slice(0, 100)}.`,
    `Name one of ${FINDING_KINDS.join(", ")}.`,
  );
}

async function auditOf(store: Store, inventory: Inventory, options: AuditOptions, face: Face): Promise<AuditReport> {
  const now = systemClock.now();
  const since = now - options.days * DAY_MS;
  const facts = await journalFacts(
    store,
    { directory: inventory.project, since, all_projects: options.allProjects === true },
    face,
  );
  const { rules, places, own, shared, settings, project: directory } = inventory;
  const written = ruleFindings(inventory, places, now);
  // Of a rule that does nothing anyway it is not said besides that nobody used it.
  const named = new Set(written.flatMap(({ file, pointer }) => (pointer === null ? [] : [`${file}${pointer}`])));
  const others = rules.filter(({ file, pointer }) => !named.has(`${file}${pointer}`));
  const unused = await historyFindings(facts.here, facts.everywhere, { rules, places, own, shared });
  const past = unused.filter(
    ({ kind, file, pointer }) =>
      kind !== "never_used" || others.some((rule) => rule.file === file && rule.pointer === pointer),
  );
  const grown =
    options.since === undefined ? { findings: [], notes: [] } : await grownSince(store, inventory, options.since, face);
  const ignored = new Set<string>(options.ignore);
  const findings = sortedFindings([...written, ...past, ...grown.findings]).filter(({ kind }) => !ignored.has(kind));
  const said = settings.notes.filter((note) => !isFinding(note, findings));
  const notes = [...said, ...grown.notes, ...notesOf(facts, inventory)];
  return { directory, days: options.days, since, facts, findings, notes };
}

/** What reading the files has to say is not said twice. */
function isFinding(note: string, findings: readonly Finding[]): boolean {
  return findings.some(({ kind, rule, file }) => {
    if (file === null || !note.startsWith(`${file}: `)) return false;
    if (kind === "grant_expired") return note.endsWith(" is over");
    return kind === "unreadable" && rule !== null && note.includes(JSON.stringify(rule.rule));
  });
}

async function journalFacts(
  store: Store,
  query: Parameters<typeof readJournals>[1],
  { err }: Face,
): Promise<JournalFacts> {
  const began = systemClock.monotonic();
  let said = false;
  const facts = await readJournals(store, {
    ...query,
    onProgress: (done, of) => {
      if (!err.isTerminal || systemClock.monotonic() - began < PROGRESS_AFTER_MS) return;
      said = true;
      err.write(`\r${done} of ${of} sessions`);
    },
  });
  if (said) err.write("\r\u001b[2K");
  return facts;
}

async function grownSince(
  store: Store,
  { rules }: Inventory,
  since: string,
  face: Face,
): Promise<{ readonly findings: readonly Finding[]; readonly notes: readonly string[] }> {
  const { then, difference, notes } = await ruleChanges(store, face, since);
  const of =
    then === null
      ? ""
      : then.commit === null
        ? ` (session ${then.session ?? ""})`
        : ` (commit ${then.commit.slice(0, 12)})`;
  const findings = loosened(difference).map(({ rule, what }): Finding => {
    const message = `${what}${of}`;
    const located = rules.find((one) => rule !== null && one.behavior === rule.behavior && one.rule === rule.rule);
    if (located !== undefined) return findingOf("grown", "low", located, message, removal(located));
    return { kind: "grown", severity: "medium", rule, file: null, pointer: null, message, edits: [] };
  });
  return { findings, notes };
}

/** What the report does not rest on. */
function notesOf({ damaged, left_out, everywhere }: JournalFacts, { rules }: Inventory): readonly string[] {
  const ofAll = rules.some(
    ({ source, behavior }) => behavior === "allow" && (source === "user" || source === "managed"),
  );
  return [
    ...(damaged.length === 0
      ? []
      : [`${damaged.length} sessions could not be read and are not counted: ${damaged.slice(0, 3).join(", ")}.`]),
    ...(left_out === 0
      ? []
      : [`${left_out} older or longer sessions were beyond the limits and are not counted, or not whole.`]),
    ...(everywhere === null && ofAll
      ? ["Whether rules of your own are used is only known over all projects: --all-projects."]
      : []),
  ];
}
