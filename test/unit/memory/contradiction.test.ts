import { describe, expect, it } from "vitest";
import type { Memory } from "../../../src/kernel/memory.ts";
import { contradiction } from "../../../src/memory/contradiction.ts";
import { memory } from "../../support/memories.ts";

function verdict(
  newer: string,
  older: string,
  facts: Partial<Memory> = {},
  olderFacts: Partial<Memory> = {},
): string | null {
  const found = contradiction(
    memory("new", newer, { days: 1, ...facts }),
    memory("old", older, { days: 730, ...olderFacts }),
  );
  return found?.certainty ?? null;
}

describe("a newer memory takes the place of an older one", () => {
  it.each([
    ["we moved to React", "use jQuery"],
    ["We moved from jQuery to React in 2025.", "The frontend is built with jQuery."],
    ["The project switched over to pnpm", "Install with npm"],
    ["Tests now use vitest", "we use jest for tests"],
    ["Deploys no longer go through the staging cluster", "Deploys go through the staging cluster first"],
    ["port: 9090", "Port: 8080"],
    ["api base = /v2", "api base: /v1"],
  ])("%s | %s", (newer, older) => {
    expect(verdict(newer, older)).toBe("clear");
  });

  it("where both answer the same error", () => {
    const error = "ENOSPC: System limit for number of file watchers reached";
    expect(
      verdict(
        "raise fs.inotify.max_user_watches",
        "restart the watcher",
        { kind: "anti_pattern", resolves: error },
        { kind: "anti_pattern", resolves: error },
      ),
    ).toBe("clear");
  });
});

describe("where there is doubt both stay", () => {
  it.each([
    ["the build is slow on CI", "the build runs in docker"],
    ["use React for new pages", "legacy pages need lint rules"],
    ["we moved to Berlin", "use jQuery"],
    ["we moved to React", "React components live in src/ui"],
    ["we moved away from React", "use jQuery"],
    ["port: 8080", "port: 8080"],
  ])("%s | %s", (newer, older) => {
    expect(verdict(newer, older)).toBeNull();
  });

  it.each([
    ["components are written in React", "use jQuery"],
    ["we moved to React", "jQuery is vendored in the folder lib for legacy"],
  ])("and a person is asked: %s | %s", (newer, older) => {
    expect(verdict(newer, older)).toBe("likely");
  });
});

describe("nothing takes a place that it must not", () => {
  it("an older one never, and neither one of another project", () => {
    expect(contradiction(memory("old", "we moved to React", { days: 900 }), memory("new", "use jQuery"))).toBeNull();
    expect(verdict("we moved to React", "use jQuery", { project: "q" })).toBeNull();
  });

  it("what strangers had a part in never", () => {
    expect(verdict("we moved to React", "use jQuery", { untrusted: true })).toBeNull();
  });

  it("what was derived from a journal not that of a person", () => {
    expect(verdict("we moved to React", "use jQuery", { origin: "consolidation" }, { origin: "user" })).toBeNull();
    expect(verdict("we moved to React", "use jQuery", { origin: "model" }, { origin: "user" })).toBe("clear");
  });
});
