/** The hash of a request: it covers everything, and costs what was added. */
import { describe, expect, it } from "vitest";
import { requestHash } from "../../../src/engine/request.ts";
import type { Message } from "../../../src/kernel/content.ts";
import type { ModelRequest } from "../../../src/model/model.ts";

const VERSIONS = { prompt: "p", tools: "t" };

function requestOf(messages: readonly Message[]): ModelRequest {
  return {
    model: "m",
    system: "s",
    tools: [],
    messages,
    thinking_from: 0,
    max_tokens: 1,
    thinking_tokens: null,
  };
}

/** A message that counts how often its parts are looked at. */
function counted(text: string, looks: string[]): Message {
  return {
    role: "user",
    get parts() {
      looks.push(text);
      return [{ type: "text" as const, text, origin: { from: "user" as const } }];
    },
  };
}

const plain = (text: string): Message => counted(text, []);

describe("the hash of a request", () => {
  it("looks at each message once, however many requests of the session hold it", () => {
    const looks: string[] = [];
    const messages = Array.from({ length: 300 }, (_, n) => counted(`message ${n}`, looks));
    for (let n = 1; n <= messages.length; n++) requestHash(requestOf(messages.slice(0, n)), VERSIONS);
    expect(looks).toEqual(messages.map((_, n) => `message ${n}`));
  });

  it("is the same for equal requests, whatever was hashed before", () => {
    const grown = [plain("a"), plain("b"), plain("c")];
    for (let n = 1; n <= grown.length; n++) requestHash(requestOf(grown.slice(0, n)), VERSIONS);
    const fresh = requestHash(requestOf([plain("a"), plain("b"), plain("c")]), VERSIONS);
    expect(requestHash(requestOf(grown), VERSIONS)).toBe(fresh);
  });

  it("changes with any message, also an early one behind which the rest stayed", () => {
    const [first, last] = [plain("a"), plain("z")];
    const hashes = [
      [first, plain("b"), last],
      [first, plain("c"), last],
      [first, last],
      [plain("A"), plain("b"), last],
    ].map((messages) => requestHash(requestOf(messages), VERSIONS));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("changes with what stands beside the messages", () => {
    const messages = [plain("a")];
    const one = requestHash(requestOf(messages), VERSIONS);
    expect(requestHash({ ...requestOf(messages), max_tokens: 2 }, VERSIONS)).not.toBe(one);
    expect(requestHash(requestOf(messages), { ...VERSIONS, tools: "u" })).not.toBe(one);
  });
});
