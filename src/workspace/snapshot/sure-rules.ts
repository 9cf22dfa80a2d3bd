/**
 * Whether a directory is ignored by its own name. Git calls a directory ignored also when all that it holds happens to be; a
 * new file in such a one may not be ignored, so it has to be looked into each time. Says yes only where that is certain.
 */
import { type BytePath, nameOf } from "../byte-path.ts";

/** A rule without a pattern in it: characters that mean themselves. */
const LITERAL = /^[A-Za-z0-9._@+\-/ ]+$/;
const ANY_DEPTH = "/**/";

/** @param rules the frozen rules, in which the last one that matches wins */
export function surelyIgnored(rules: Uint8Array, directories: Iterable<BytePath>): boolean {
  const lines = Buffer.from(rules.buffer, rules.byteOffset, rules.byteLength).toString("latin1").split("\n");
  // What stands before a rule that takes something out again may have been taken out.
  const certain = lines.slice(lines.findLastIndex((line) => line.startsWith("!")) + 1).flatMap(matcherOf);
  return [...directories].every((path) => certain.some((matches) => matches(path)));
}

type Matcher = (path: BytePath) => boolean;

function matcherOf(line: string): readonly Matcher[] {
  const rule = line.replace(/\/$/, "");
  const deep = rule.indexOf(ANY_DEPTH);
  if (deep > 0 && LITERAL.test(rule.slice(0, deep)) && isName(rule.slice(deep + ANY_DEPTH.length))) {
    const below = `${rule.slice(1, deep)}/`;
    const name = rule.slice(deep + ANY_DEPTH.length);
    return rule.startsWith("/") ? [(path) => path.startsWith(below) && nameOf(path) === name] : [];
  }
  if (!LITERAL.test(rule)) return [];
  if (rule.includes("/")) return [(path) => path === rule.replace(/^\//, "")];
  return [(path) => nameOf(path) === rule];
}

function isName(text: string): boolean {
  return LITERAL.test(text) && !text.includes("/");
}
