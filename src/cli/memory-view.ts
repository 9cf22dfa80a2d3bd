/** Which memories a command is about, and how they are shown. */
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type MemoryId, parseMemoryId } from "../kernel/ids.ts";
import type { Memory, MemoryKind, MemoryScope, MemoryState } from "../kernel/memory.ts";
import type { MemoryView } from "../store/memories.ts";
import type { Store } from "../store/port.ts";
import type { Face } from "./face.ts";
import { knownProjects, projectKey } from "./project-key.ts";

export interface ViewOptions {
  readonly kind?: MemoryKind;
  readonly scope?: MemoryScope;
  readonly allProjects?: true;
}

export const OF = { tenant: LOCAL_TENANT, principal: LOCAL_PRINCIPAL } as const;

/** Nobody looks at a table that is wider; programs take --json. */
export const UNLIMITED_COLUMNS = 10_000;

/** One view for each place: what is the person's own is in the first alone. */
export async function viewsOf(
  store: Store,
  { kind, scope, allProjects }: ViewOptions,
  { cwd, environment }: Face,
  states: readonly MemoryState[],
): Promise<readonly MemoryView[]> {
  const here = await projectKey(store, { directory: cwd, path: environment.all["PATH"] });
  const others = allProjects === true ? (await knownProjects(store)).map(({ project }) => project) : [];
  const projects = [...new Set([here, ...others])];
  const kinds = kind === undefined ? {} : { kinds: [kind] };
  return projects.flatMap((project, i): MemoryView[] => {
    const all = (["user", "project", "team"] as const).filter((one) => i === 0 || one !== "user");
    const scopes = all.filter((one) => scope === undefined || one === scope);
    return scopes.length === 0 ? [] : [{ ...OF, project, scopes, states, ...kinds }];
  });
}

export async function listed(store: Store, views: readonly MemoryView[], limit: number): Promise<readonly Memory[]> {
  const found: Memory[] = [];
  for (const view of views) found.push(...(await store.listMemories(view, limit)));
  return found.sort((a, b) => b.created_at - a.created_at).slice(0, limit);
}

/** @throws HarnessError `usage`: all are looked up first, so that a typing error changes nothing */
export async function namedMemories(store: Store, named: readonly string[]): Promise<readonly Memory[]> {
  const ids: readonly MemoryId[] = [...new Set(named.map(parseMemoryId))];
  const found = new Map((await store.getMemories(OF, ids)).map((memory) => [memory.id, memory]));
  return ids.map((id) => {
    const memory = found.get(id);
    if (memory !== undefined) return memory;
    throw new HarnessError("usage", `There is no memory ${id}.`, "`belay memory list --state all` lists them.");
  });
}
