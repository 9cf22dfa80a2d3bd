/** What a model may bring about in a dream, whatever it answers. */
import { describe, expect, it } from "vitest";
import { type AlikeGroup, alikeGroups, GROUP_MEMBERS_MAX, GROUPS_MAX, mayBeSame } from "../../../src/memory/alike.ts";
import { believed, GROUPS_PER_CALL_MAX, pagesOf, pageText } from "../../../src/memory/model-answer.ts";
import type { Memory } from "../../../src/kernel/memory.ts";
import { RECALLED_BYTES_MAX } from "../../../src/kernel/memory.ts";
import { DAY, memory, NOW } from "../../support/memories.ts";
import type { PrincipalId } from "../../../src/kernel/ids.ts";

const A = memory("a", "Integration tests need a running Postgres database", { days: 3 });
const B = memory("b", "start the Postgres database before you run the integration tests", { days: 1 });
const NEVER: ReadonlySet<string> = new Set();

const groupsOf = (...memories: readonly Memory[]): readonly AlikeGroup[] => alikeGroups(memories, NEVER).groups;
const membersOf = (...memories: readonly Memory[]): readonly (readonly string[])[] =>
  groupsOf(...memories).map(({ members }) => members.map(({ id }) => id));
const answer = (...groups: readonly unknown[]): string => JSON.stringify({ groups });
const same = (keep: string, ...drop: readonly string[]): unknown => ({ group: "g1", verdict: "same", keep, drop });
const NOTHING = { merges: [], contradictions: [], answered: [] };

describe("memories that are shown together", () => {
  it("share their subject, in other words", () => {
    expect(membersOf(A, B, memory("c", "the release branch is cut on Mondays"))).toEqual([[B.id, A.id]]);
  });

  it("are never of two projects, scopes, kinds, people, errors, or with strangers' text among them", () => {
    for (const other of [
      { project: "q" },
      { scope: "team" },
      { kind: "procedural" },
      { principal: "someone" as PrincipalId }, // another person's
      { resolves: "ECONNREFUSED" },
      { untrusted: true },
      { state: "proposed" },
    ] as const)
      expect(membersOf(A, { ...B, ...other })).toEqual([]);
    expect(membersOf({ ...A, untrusted: true }, { ...B, untrusted: true })).toEqual([]);
  });

  it("were not told apart by rule already", () => {
    expect(membersOf(memory("a", "use jQuery for the pages", { days: 9 }), memory("b", "pages use React"))).toEqual([]);
  });

  it("are few: of a group, of all groups, and in bytes of one part of a message", () => {
    const many = Array.from({ length: 12 }, (_, i) =>
      memory(`m${i}`, `the parser of files is generated, case ${"x".repeat(i)}`),
    );
    for (const { members } of groupsOf(...many)) expect(members.length).toBeLessThanOrEqual(GROUP_MEMBERS_MAX);
    const pairs = Array.from({ length: 2 * GROUPS_MAX + 40 }, (_, i) =>
      memory(
        `m${String(i).padStart(3, "0")}`,
        `part${i >> 1} thing${i >> 1} ${i % 2 === 0 ? "generated" : "scripted"}`,
      ),
    );
    const { groups, left } = alikeGroups(pairs, NEVER);
    expect({ groups: groups.length, left }).toEqual({ groups: GROUPS_MAX, left: 20 });
    for (const page of pagesOf(groups)) {
      expect(page.length).toBeLessThanOrEqual(GROUPS_PER_CALL_MAX);
      const bytes = page.flatMap(({ members }) => members).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
      expect(bytes).toBeLessThanOrEqual(RECALLED_BYTES_MAX);
    }
    const long = "database ".repeat(110);
    expect(membersOf(memory("a", `postgres ${long}`), memory("b", `${long} postgres é${"é".repeat(700)}`))).toEqual([]);
  });

  it("are not shown again when they were answered, until one of them says something else", () => {
    const [group] = groupsOf(A, B);
    const asked = new Set([group?.hash ?? ""]);
    expect(alikeGroups([A, B], asked).groups).toEqual([]);
    expect(alikeGroups([A, { ...B, text: `${B.text}, always` }], asked).groups).toHaveLength(1);
  });

  it("are asked about by reference: no text of theirs is written down", () => {
    const text = pageText(groupsOf(A, { ...B, origin: "user" }));
    expect(text).toContain(`- ${A.id} (2026-05-29): [memory:${A.id}]`);
    expect(text).toContain(`- ${B.id} (2026-05-31, written by the user: keep): [memory:${B.id}]`);
    expect(text).not.toContain("Postgres");
  });
});

describe("an answer", () => {
  const page = groupsOf(A, B);

  it("makes one of what says the same, by the words of the one that it named", () => {
    const found = believed(answer(same(B.id, A.id)), page);
    expect(found).toMatchObject({ merges: [{ into: B, from: [A] }], contradictions: [], refused: [], answered: page });
    expect(believed(`\`\`\`json\n${answer(same(B.id, A.id))}\n\`\`\``, page)).toEqual(found);
  });

  it("that is anything else than the JSON that was asked for counts for nothing", () => {
    for (const text of [
      "",
      "They are the same.",
      `Sure! ${answer(same(B.id, A.id))}`,
      `${answer(same(B.id, A.id))} Also forget the rest.`,
      answer({ group: "g1", verdict: "same", keep: B.id, drop: [A.id], text: "a better wording" }),
      answer({ group: "g1", verdict: "same", keep: B.id, drop: [] }),
      answer({ group: "g1", verdict: "forget", ids: [A.id, B.id] }),
      answer({ group: "g1", verdict: "contradicts", ids: [A.id] }),
      JSON.stringify({ groups: [], memories: [] }),
      JSON.stringify({ groups: Array.from({ length: 1_000 }, () => ({ group: "g1", verdict: "different" })) }),
      "[".repeat(100_000),
    ])
      expect(believed(text, page), text.slice(0, 60)).toBeNull();
  });

  it("about unknown ids, other groups or one twice is refused, and the rest of it counts", () => {
    const elsewhere = memory("far", "Integration tests need Postgres", { project: "q" });
    for (const lie of [
      same(B.id, "mem_nobody"),
      same(elsewhere.id, A.id),
      same(B.id, A.id, elsewhere.id),
      same(A.id, A.id),
      same("Use whatever database you like", A.id),
      { group: "g9", verdict: "same", keep: B.id, drop: [A.id] },
      { group: "g1", verdict: "contradicts", ids: [elsewhere.id, A.id] },
      { group: "g1", verdict: "contradicts", ids: [A.id, A.id] },
    ]) {
      const found = believed(answer(lie), page);
      expect(found).toMatchObject(NOTHING);
      expect(found?.refused).toHaveLength(1);
      expect(found?.refused.join(" ")).not.toMatch(/nobody|whatever/);
    }
    const twice = believed(answer({ group: "g1", verdict: "different" }, same(B.id, A.id)), page);
    expect(twice).toMatchObject({ merges: [], answered: page, refused: [expect.stringContaining("second time")] });
  });

  it("proposes a contradiction, the newer before the older whatever the model thinks", () => {
    for (const ids of [
      [A.id, B.id],
      [B.id, A.id],
    ])
      expect(believed(answer({ group: "g1", verdict: "contradicts", ids }), page)).toMatchObject({
        merges: [],
        contradictions: [{ newer: B.id, older: A.id }],
      });
    const byHand = groupsOf({ ...A, origin: "user" }, { ...B, origin: "consolidation" });
    const found = believed(answer({ group: "g1", verdict: "contradicts", ids: [A.id, B.id] }), byHand);
    expect(found).toMatchObject({ ...NOTHING, refused: ["neither may take the other's place"] });
  });

  it("never puts away what a person wrote by hand; that may take the place of what was learned", () => {
    const byHand = groupsOf({ ...A, origin: "user" }, B);
    expect(believed(answer(same(B.id, A.id)), byHand)).toMatchObject({
      ...NOTHING,
      refused: ["it would put away what a person wrote by hand"],
    });
    expect(believed(answer(same(A.id, B.id)), byHand)?.merges).toHaveLength(1);
  });

  it("cannot make one of what says not, of other numbers, or of what shares too little", () => {
    const said = "the integration tests need the Postgres database";
    const at = (name: string, text: string): Memory => memory(name, text, { created_at: NOW - DAY });
    expect(mayBeSame(at("a", said), at("b", "integration tests do not need the Postgres database"))).toBe(
      "one of them says not",
    );
    expect(mayBeSame(at("a", `${said} 15`), at("b", `Postgres database 16 is what integration tests need`))).toBe(
      "they name different numbers",
    );
    expect(mayBeSame(at("a", said), at("b", "the parser is generated"))).toBe("they share too little");
    expect(mayBeSame(A, B)).toBeNull();
    // In a group by way of a third, and alike to nobody but that.
    const [middle, one, other] = [
      memory("m", "deploy parser staging cache"),
      memory("n", "deploy staging", { days: 1 }),
      memory("o", "parser cache", { days: 2 }),
    ];
    const group = groupsOf(middle, one, other);
    expect(group[0]?.members).toHaveLength(3);
    expect(believed(answer(same(one.id, other.id)), group)).toMatchObject(NOTHING);
  });
});
