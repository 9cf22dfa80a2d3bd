import { describe, expect, it } from "vitest";
import type { BlobHash } from "../../../src/kernel/ids.ts";
import { textTokens } from "../../../src/kernel/bound.ts";
import { type AssembledPart, overTarget, type PartKind, rowOfPart } from "../../../src/context/price.ts";

const part = (kind: PartKind, name: string, tokens: number): AssembledPart => ({
  name,
  kind,
  tokens,
  bytes: tokens * 3,
  hash: "",
  origin: "belay",
});

describe("the price of a part", () => {
  it("is a token for three bytes, begun ones counted", () => {
    expect(["", "a", "abc", "abcd", "é€"].map(textTokens)).toEqual([0, 1, 1, 2, 2]);
  });

  it("stands in a row with its hash and who wrote it", () => {
    expect(rowOfPart("file", "a.ts", { type: "text", text: "abc", origin: { from: "workspace", by: "a.ts" } })).toEqual(
      {
        name: "a.ts",
        kind: "file",
        tokens: 1,
        bytes: 3,
        hash: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        origin: "workspace a.ts",
      },
    );
    const blob = "sha256:x" as BlobHash; // of the shape of one
    const image = rowOfPart("task", "task", { type: "image", media_type: "image/png", blob, origin: { from: "user" } });
    expect(image).toMatchObject({ tokens: 1_600, bytes: 0, origin: "user" });
  });
});

describe("the targets", () => {
  const small = [part("system", "system prompt", 700), part("tools", "tool read", 800), part("task", "task", 5_000)];

  it("hold where the task alone is large", () => {
    expect(overTarget(small)).toBeNull();
  });

  it("name the three biggest parts of what stands before the task", () => {
    const parts = [
      ...small,
      part("instructions", "AGENTS.md", 9_000),
      part("agents", "sub-agents", 1_530),
      part("memory", "memory", 900),
    ];
    expect(overTarget(parts)).toEqual({
      what: "before_task",
      tokens: 3_030,
      target: 2_500,
      biggest: [
        { name: "sub-agents", tokens: 1_530 },
        { name: "tool read", tokens: 800 },
        { name: "system prompt", tokens: 700 },
      ],
    });
  });

  it("count the task and its files in the working context, the first place where they are passed first", () => {
    expect(overTarget([...small, part("file", "big.ts", 4_000)])).toMatchObject({
      what: "working",
      tokens: 10_500,
      biggest: [{ name: "task" }, { name: "big.ts" }, { name: "tool read" }],
    });
    expect(overTarget(small, { before_task: 10, working: 20 })?.what).toBe("before_task");
    expect(overTarget([part("task", "task", 10_000)])).toBeNull();
    expect(overTarget([part("task", "task", 10_001)])?.tokens).toBe(10_001);
  });
});
