/**
 * What the answer of a sub-agent has to look like: a small part of JSON Schema, checked by hand. A model writes these schemas, so
 * nothing in them may be followed (`$ref`), run (`pattern`) or grow without bound; what is not known here is refused, not ignored.
 *
 * A1: an answer that is accepted has the shape that was asked for, and nothing besides.
 * A2: under a schema that is fit for quarantine an answer carries at most `CARRIES_BITS_MAX` of what a stranger chose: no words.
 */
import { isJsonObject, type Json, type JsonObject } from "../../kernel/json.ts";

const SCHEMA_CHARS_MAX = 8_000;
const DEPTH_MAX = 6;
const NODES_MAX = 200;
const ENUM_MAX = 100;
/** What a quarantined answer may carry: some choices and some numbers. Bits. */
export const CARRIES_BITS_MAX = 256;
const NUMBER_BITS = 64;
/** Of one choice that it may hand back: it is a name for something, and no text. */
const CHOICE_CHARS_MAX = 64;

const SCALARS = ["string", "number", "integer", "boolean", "null"] as const;
type Kind = (typeof SCALARS)[number] | "object" | "array";

const COMMON = ["type", "title", "description", "enum", "const", "$schema"];
const KEYWORDS: { readonly [K in Kind]: readonly string[] } = {
  object: [...COMMON, "properties", "required", "additionalProperties"],
  array: [...COMMON, "items", "minItems", "maxItems"],
  string: [...COMMON, "minLength", "maxLength"],
  number: [...COMMON, "minimum", "maximum"],
  integer: [...COMMON, "minimum", "maximum"],
  boolean: COMMON,
  null: COMMON,
};
const COUNTS = ["minItems", "maxItems", "minLength", "maxLength"];

class Unfit extends Error {
  override readonly name = "Unfit";
}

/** One sentence about what is wrong with a schema; null where it can be used. @param quarantined A2 */
export function schemaProblem(schema: JsonObject, quarantined: boolean): string | null {
  return problemOf(() => {
    const walk = { nodes: 0 };
    checkSchema(schema, "", 0, walk);
    if (JSON.stringify(schema).length > SCHEMA_CHARS_MAX) throw new Unfit(`it has over ${SCHEMA_CHARS_MAX} characters`);
    if (kindOf(schema, "") !== "object") throw new Unfit("it must be the schema of an object");
    if (!quarantined) return;
    const bits = carried(schema, "");
    // What is no number at all (nothing times without end) is not below it either.
    if (!(bits <= CARRIES_BITS_MAX))
      throw new Unfit(`its answers could carry ${Math.ceil(bits)} bits, and ${CARRIES_BITS_MAX} are allowed`);
  });
}

/** One sentence about where an answer does not fit a schema that has no problem; null where it fits. */
export function answerProblem(schema: JsonObject, answer: Json): string | null {
  return problemOf(() => {
    checkValue(schema, answer, "");
  });
}

function problemOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof Unfit) return error.message;
    throw error;
  }
}

function checkSchema(schema: Json, at: string, depth: number, walk: { nodes: number }): void {
  if (!isJsonObject(schema)) throw new Unfit(`${named(at)} is no schema`);
  if (depth > DEPTH_MAX) throw new Unfit(`it is nested more than ${DEPTH_MAX} deep`);
  if (++walk.nodes > NODES_MAX) throw new Unfit(`it has more than ${NODES_MAX} parts`);
  const kind = kindOf(schema, at);
  const unknown = Object.keys(schema).find((keyword) => !KEYWORDS[kind].includes(keyword));
  if (unknown !== undefined) throw new Unfit(`${named(at)} uses "${unknown.slice(0, 40)}", which is not known here`);
  checkKeywords(schema, at);
  for (const [name, part] of Object.entries(propertiesOf(schema))) checkSchema(part, `${at}.${name}`, depth + 1, walk);
  if (kind === "array") checkSchema(schema["items"] ?? null, `${at}[]`, depth + 1, walk);
}

function checkKeywords(schema: JsonObject, at: string): void {
  checkChoices(schema, at);
  for (const count of COUNTS)
    if (!isAbsentOr(schema[count], (value) => Number.isSafeInteger(value) && Number(value) >= 0))
      throw new Unfit(`${count} of ${named(at)} is no count`);
  for (const bound of ["minimum", "maximum"])
    if (!isAbsentOr(schema[bound], Number.isFinite)) throw new Unfit(`${bound} of ${named(at)} is no number`);
  if (!isAbsentOr(schema["properties"], isJsonObject)) throw new Unfit(`the properties of ${named(at)} are none`);
  const has = (name: Json): boolean => Object.hasOwn(propertiesOf(schema), String(name));
  if (!isAbsentOr(schema["required"], (value) => Array.isArray(value) && list(value).every(has)))
    throw new Unfit(`${named(at)} requires what it does not have`);
  if (!isAbsentOr(schema["additionalProperties"], (value) => typeof value === "boolean"))
    throw new Unfit(`additionalProperties of ${named(at)} must be true or false`);
}

function checkChoices(schema: JsonObject, at: string): void {
  const { enum: choices } = schema;
  if (!isAbsentOr(choices, (value) => list(value).length > 0 && list(value).length <= ENUM_MAX))
    throw new Unfit(`${named(at)} needs 1 to ${ENUM_MAX} choices`);
  const all = [...list(choices), ...("const" in schema ? [schema["const"] ?? null] : [])];
  if (all.some((one) => typeof one === "object" && one !== null))
    throw new Unfit(`the choices of ${named(at)} must be plain values`);
}

function isAbsentOr(value: Json | undefined, is: (value: Json) => boolean): boolean {
  return value === undefined || is(value);
}

function kindOf(schema: JsonObject, at: string): Kind {
  const { type, enum: choices } = schema;
  if (type === "object" || type === "array") return type;
  const scalar = SCALARS.find((one) => one === type);
  if (scalar !== undefined) return scalar;
  // Choices say what they are themselves.
  if (type === undefined && (choices !== undefined || "const" in schema)) return "string";
  throw new Unfit(`${named(at)} needs one type: object, array, ${SCALARS.join(", ")}`);
}

/** The choices are the asker's, and so are names: but what comes back of a reader is taken for nobody's words. */
function checkShort(schema: JsonObject, at: string): void {
  const all = [...list(schema["enum"]), schema["const"] ?? null, ...Object.keys(propertiesOf(schema))];
  if (all.some((one) => typeof one === "string" && one.length > CHOICE_CHARS_MAX))
    throw new Unfit(`the choices and names of ${named(at)} must have at most ${CHOICE_CHARS_MAX} characters here`);
}

function carriedByList(schema: JsonObject, at: string): number {
  const { maxItems, items = null } = schema;
  if (typeof maxItems !== "number") throw new Unfit(`${named(at)} needs maxItems here`);
  return isJsonObject(items) ? maxItems * carried(items, `${at}[]`) + Math.log2(maxItems + 1) : 0;
}

/** A2. Bits that an answer under this schema can carry at most. */
function carried(schema: JsonObject, at: string): number {
  const { enum: choices, minimum, maximum } = schema;
  checkShort(schema, at);
  if ("const" in schema) return 0;
  if (Array.isArray(choices)) return Math.log2(choices.length);
  switch (kindOf(schema, at)) {
    case "null":
      return 0;
    case "boolean":
      return 1;
    case "string":
      throw new Unfit(`${named(at)} could carry a stranger's words: strings need an enum here`);
    case "integer":
    case "number": {
      if (typeof minimum !== "number" || typeof maximum !== "number")
        throw new Unfit(`${named(at)} needs a minimum and a maximum here`);
      return schema["type"] === "number" ? NUMBER_BITS : Math.log2(Math.max(1, maximum - minimum + 1));
    }
    case "array":
      return carriedByList(schema, at);
    case "object": {
      if (schema["additionalProperties"] === true)
        throw new Unfit(`${named(at)} must not have additional properties here`);
      const parts = Object.entries(propertiesOf(schema));
      // Whether an optional one is there says something, too.
      return parts.reduce((sum, [name, part]) => sum + 1 + carried(part, `${at}.${name}`), 0);
    }
  }
}

function checkValue(schema: JsonObject, value: Json, at: string): void {
  const { enum: choices, type } = schema;
  if (Array.isArray(choices) && !choices.some((one) => one === value))
    throw new Unfit(`${named(at)} is none of the choices`);
  if ("const" in schema && schema["const"] !== value)
    throw new Unfit(`${named(at)} must be ${JSON.stringify(schema["const"])}`);
  if (type !== undefined) checkTyped(kindOf(schema, at), schema, value, at);
}

function checkTyped(kind: Kind, schema: JsonObject, value: Json, at: string): void {
  if (!isOfKind(kind, value)) throw new Unfit(`${named(at)} must be of the type ${kind}`);
  if (typeof value === "number") within(value, schema["minimum"], schema["maximum"], named(at));
  if (typeof value === "string")
    within(value.length, schema["minLength"], schema["maxLength"], `the length of ${named(at)}`);
  if (Array.isArray(value)) {
    within(value.length, schema["minItems"], schema["maxItems"], `the length of ${named(at)}`);
    const { items = null } = schema;
    if (isJsonObject(items)) for (const [i, item] of value.entries()) checkValue(items, item, `${at}[${i}]`);
  } else if (isJsonObject(value)) checkMembers(schema, value, at);
}

/** A1. What a schema does not name is not let through, unless it says so. */
function checkMembers(schema: JsonObject, value: JsonObject, at: string): void {
  const properties = propertiesOf(schema);
  for (const name of list(schema["required"]))
    if (!Object.hasOwn(value, String(name))) throw new Unfit(`${named(`${at}.${String(name)}`)} is missing`);
  for (const [name, member] of Object.entries(value)) {
    const part = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (part !== undefined) checkValue(part, member, `${at}.${name}`);
    else if (schema["additionalProperties"] !== true) throw new Unfit(`it has a member that was not asked for`);
  }
}

function within(value: number, min: Json | undefined, max: Json | undefined, what: string): void {
  if (typeof min === "number" && value < min) throw new Unfit(`${what} must be at least ${min}`);
  if (typeof max === "number" && value > max) throw new Unfit(`${what} must be at most ${max}`);
}

function isOfKind(kind: Kind, value: Json): boolean {
  switch (kind) {
    case "object":
      return isJsonObject(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "integer":
      return Number.isSafeInteger(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === kind;
  }
}

function propertiesOf(schema: JsonObject): { readonly [name: string]: JsonObject } {
  const { properties = null } = schema;
  return isJsonObject(properties) ? (properties as { readonly [name: string]: JsonObject }) : {}; // `checkSchema` looks at each
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : []; // an array of JSON
}

function named(at: string): string {
  return at === "" ? "the answer" : `"${at.replace(/^\./, "").slice(0, 80)}"`;
}
