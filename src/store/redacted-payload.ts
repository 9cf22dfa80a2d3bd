/**
 * Redaction of an event's payload, guided by its schema: text is redacted, words that belay itself reads (enums, literals)
 * are not, so that a secret that happens to be such a word cannot make a journal unreadable. What a provider signed is kept
 * to the byte: `signature` of thinking and `data` of redacted thinking.
 */
import type * as z from "zod";
import type { Redactor } from "./redaction.ts";

export interface RedactedPayload {
  readonly value: unknown;
  /** How many secrets were replaced. */
  readonly count: number;
}

export function redactPayload(schema: z.ZodType, value: unknown, redactor: Redactor): RedactedPayload {
  let count = 0;

  const text = (plain: string): string => {
    const redacted = redactor.redact(plain);
    count += redacted.count;
    return redacted.text;
  };
  const free = (json: unknown): unknown => {
    const redacted = redactor.redactJson(json);
    count += redacted.count;
    return redacted.value;
  };

  const walk = (type: z.core.$ZodType, json: unknown): unknown => {
    // The definitions of zod's own schemas: `$ZodTypes` is the union of all of them.
    const { def } = (type as z.core.$ZodTypes)._zod;
    switch (def.type) {
      case "enum":
      case "literal":
        return json;
      case "string":
        return typeof json === "string" ? text(json) : json;
      case "nullable":
      case "optional":
        return json === null || json === undefined ? json : walk(def.innerType, json);
      case "array":
        return Array.isArray(json) ? json.map((item) => walk(def.element, item)) : free(json);
      case "object":
        return isObject(json) ? members(def.shape, json) : free(json);
      case "union": {
        const option = optionOf(def.options, json);
        return option ? walk(option, json) : free(json);
      }
      default:
        return free(json);
    }
  };

  const members = (
    shape: Readonly<Record<string, z.core.$ZodType>>,
    json: Readonly<Record<string, unknown>>,
  ): unknown =>
    Object.fromEntries(
      Object.entries(json).map(([key, member]) => {
        const type = shape[key];
        if (isSigned(json, key)) return [key, member];
        return [key, type ? walk(type, member) : free(member)];
      }),
    );

  const redacted = walk(schema, value);
  return { value: redacted, count };
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether a provider checks the bytes of this member. */
function isSigned(part: Readonly<Record<string, unknown>>, key: string): boolean {
  return (
    (part["type"] === "thinking" && key === "signature") || (part["type"] === "redacted_thinking" && key === "data")
  );
}

/** The option whose fixed members (its discriminator) are those of the value; of plain types the one that fits. */
function optionOf(options: readonly z.core.$ZodType[], json: unknown): z.core.$ZodType | undefined {
  return options.find((option) => {
    const fixed = option._zod.propValues;
    if (!fixed || Object.keys(fixed).length === 0) return (option as z.ZodType).safeParse(json).success; // every schema here is a ZodType
    return isObject(json) && Object.entries(fixed).some(([key, values]) => values.has(json[key] as string));
  });
}
