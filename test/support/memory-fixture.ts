/** Memories to be put, with the facts that matter. */
import { LOCAL_TENANT, type MemoryId, type PrincipalId } from "../../src/kernel/ids.ts";
import type { Memory } from "../../src/kernel/memory.ts";
import type { MemoryChanges, MemoryView } from "../../src/store/memories.ts";
import type { Store } from "../../src/store/port.ts";
import { givenMemory } from "../../src/testing/store-contract/given-memory.ts";

export const MEMORY_PROJECT = "hash-of-a-repository";
export const MEMORY_ASKER = { tenant: LOCAL_TENANT, principal: "principal-1" as PrincipalId };
export const MEMORY_VIEW: MemoryView = { ...MEMORY_ASKER, project: MEMORY_PROJECT };

export function memoryId(name: string | number): MemoryId {
  return `mem_${String(name).padStart(4, "0")}` as MemoryId; // of the shape
}

/** Of the project, unless facts say otherwise. */
export function memoryOf(name: string | number, facts: Partial<Memory> = {}): Memory {
  return givenMemory({ ...MEMORY_ASKER, id: memoryId(name), text: `text of ${name}`, ...facts }, MEMORY_PROJECT);
}

export function changeMemories(store: Store, changes: Partial<MemoryChanges>): Promise<void> {
  return store.changeMemories(MEMORY_ASKER, { put: [], forget: [], used: [], ...changes });
}

export async function searchedIds(store: Store, query: string): Promise<readonly MemoryId[]> {
  return (await store.searchMemories(MEMORY_VIEW, query, 99)).map(({ memory }) => memory.id);
}
