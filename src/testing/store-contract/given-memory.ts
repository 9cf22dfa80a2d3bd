import type { Memory } from "../../kernel/memory.ts";

type Named = Pick<Memory, "tenant" | "principal" | "id" | "text">;

/** What is known of a project, and in use; for another scope or state, facts say so. */
export function givenMemory({ project, ...facts }: Named & Partial<Memory>, of: string): Memory {
  return {
    kind: "semantic",
    scope: "project",
    project: project ?? (facts.scope === "user" ? "" : of),
    resolves: "",
    origin: "user",
    untrusted: false,
    confidence: 0.75,
    state: "active",
    evidence: [],
    created_at: 1_000,
    used_at: 1_000,
    uses: 0,
    superseded_by: null,
    ...facts,
  };
}
