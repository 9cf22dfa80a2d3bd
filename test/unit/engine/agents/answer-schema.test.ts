/** Schemas that a model wrote: what is taken, what is refused, and what an answer may then be. */
import { describe, expect, test } from "vitest";
import { answerProblem, schemaProblem } from "../../../../src/engine/agents/answer-schema.ts";
import type { Json, JsonObject } from "../../../../src/kernel/json.ts";

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: "object", properties, ...more });

function nested(depth: number): JsonObject {
  return depth === 0 ? { type: "string" } : object({ a: nested(depth - 1) });
}

describe("a schema", () => {
  test.each<[string, JsonObject, string]>([
    ["that points elsewhere", object({ a: { $ref: "#/$defs/a", type: "string" } }), '"a" uses "$ref"'],
    ["with a pattern to run", object({ a: { type: "string", pattern: "(a+)+$" } }), '"a" uses "pattern"'],
    ["of two types", object({ a: { type: ["string", "null"] } }), '"a" needs one type'],
    ["of a text alone", { type: "string" }, "it must be the schema of an object"],
    ["that is too deep", nested(8), "nested more than 6 deep"],
    [
      "that is too wide",
      object(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, { type: "null" }]))),
      "more than 200 parts",
    ],
    ["that is too long", object({ a: { type: "string", description: "x".repeat(9_000) } }), "over 8000 characters"],
    ["with choices that are objects", object({ a: { enum: [{}] } }), "must be plain values"],
    [
      "with a bound that is none",
      object({ a: { type: "array", items: { type: "null" }, maxItems: -1 } }),
      "is no count",
    ],
    ["that requires what it has not", object({}, { required: ["a"] }), "requires what it does not have"],
    ["whose items are missing", object({ a: { type: "array" } }), '"a[]" is no schema'],
  ])("%s is refused", (_name, schema, why) => {
    expect(schemaProblem(schema, false)).toContain(why);
  });

  test("in quarantine carries no words and few bits", () => {
    const fit = object({
      ok: { type: "boolean" },
      n: { type: "integer", minimum: 0, maximum: 1_000 },
      k: { enum: ["a", "b"] },
    });
    expect(schemaProblem(fit, true)).toBeNull();
    const numbers = object(
      Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, { type: "number", minimum: 0, maximum: 1 }])),
    );
    expect(schemaProblem(numbers, true)).toContain("could carry 260 bits, and 256 are allowed");
    expect(schemaProblem(object({ n: { type: "integer" } }), true)).toContain("needs a minimum and a maximum");
  });
});

describe("a schema in quarantine", () => {
  const integer = (minimum: number, maximum: number): JsonObject => ({ type: "integer", minimum, maximum });
  const listOf = (items: JsonObject, maxItems?: number): JsonObject =>
    maxItems === undefined ? { type: "array", items } : { type: "array", items, maxItems };
  const endless = listOf(integer(-1e308, 1e308), 0);

  test.each<[string, JsonObject, string]>([
    ["with names by a pattern", object({}, { patternProperties: { ".*": {} } }), 'uses "patternProperties"'],
    ["with any further names", object({}, { additionalProperties: true }), "must not have additional properties"],
    ["with further names of a type", object({}, { additionalProperties: { type: "string" } }), "must be true or false"],
    ["with names that are checked", object({}, { propertyNames: { enum: ["a"] } }), 'uses "propertyNames"'],
    ["with one of several", object({ a: { anyOf: [{ type: "string" }] } }), '"a" needs one type'],
    ["with a format", object({ a: { type: "string", format: "date" } }), 'uses "format"'],
    ["with a text of one character", object({ a: { type: "string", maxLength: 1 } }), "strings need an enum"],
    ["with choices that are texts", object({ a: { enum: ["a", "x".repeat(65)] } }), "at most 64 characters"],
    ["with a constant that is a text", object({ a: { const: "send the keys ".repeat(9) } }), "at most 64 characters"],
    ["with a name that is a text", object({ ["send the keys ".repeat(9)]: { type: "null" } }), "at most 64 characters"],
    ["with a number without end", object({ a: integer(-1e308, 1e308) }), "could carry Infinity bits"],
    ["with large numbers", object({ a: listOf(integer(0, 2 ** 53), 5) }), "could carry 269 bits"],
    ["with a list without end", object({ a: listOf({ type: "null" }) }), "needs maxItems"],
    ["with a list of lists", object({ a: listOf(listOf({ type: "boolean" }, 40), 40) }), "256 are allowed"],
    ["with many choices many times", object({ a: listOf({ enum: ["a", "b", "c", "d"] }, 200) }), "256 are allowed"],
    [
      "with nothing times without end beside what is too much",
      object({ a: endless, b: listOf(integer(0, 255), 9_999) }),
      "256 are allowed",
    ],
    ["that is nested 20 deep", nested(20), "nested more than 6 deep"],
    ["with choices that are none", object({ a: { type: "string", enum: [] } }), "needs 1 to 100 choices"],
  ])("%s is refused", (_name, schema, why) => {
    expect(schemaProblem(schema, true)).toContain(why);
  });

  test("may be at the limit, to the bit", () => {
    const bits = (count: number): JsonObject => object({ a: integer(0, 2 ** 53 - 1), b: listOf(integer(0, 1), count) });
    // 1 for each name, 53 for the number, one for each item, and the length of the list.
    expect(schemaProblem(bits(192), true)).toBeNull();
    expect(schemaProblem(bits(194), true)).toContain("256 are allowed");
  });
});

describe("an answer", () => {
  const schema = object(
    {
      name: { type: "string", minLength: 2, maxLength: 5 },
      list: { type: "array", maxItems: 2, items: { type: "integer", minimum: 1 } },
      kind: { const: "x" },
    },
    { required: ["name"] },
  );

  test.each<[string, Json, string | null]>([
    ["that fits", { name: "abc", list: [1, 2], kind: "x" }, null],
    ["without what is required", { list: [] }, '"name" is missing'],
    ["with another type", { name: 1 }, '"name" must be of the type string'],
    ["that is too short", { name: "a" }, 'the length of "name" must be at least 2'],
    ["with too many items", { name: "abc", list: [1, 2, 3] }, 'the length of "list" must be at most 2'],
    ["with a wrong item", { name: "abc", list: [0] }, '"list[0]" must be at least 1'],
    ["with half a number", { name: "abc", list: [1.5] }, '"list[0]" must be of the type integer'],
    ["with another constant", { name: "abc", kind: "y" }, '"kind" must be "x"'],
    ["with more than was asked for", { name: "abc", other: 1 }, "it has a member that was not asked for"],
    [
      "that plays with names",
      JSON.parse('{"name":"abc","__proto__":{"a":1}}') as Json,
      "it has a member that was not asked for",
    ],
    ["that is a list", [], "the answer must be of the type object"],
  ])("%s", (_name, answer, problem) => {
    expect(answerProblem(schema, answer)).toBe(problem);
  });
});
