/**
 * Operating errors: something outside failed. The kind decides what happens next (`ERROR_TABLE`), the message is two
 * sentences: what happened to which id, and what to do. Outcomes (denied, refused, cancelled …) are values and never
 * thrown; programmer errors are `assert`.
 */
import type { ErrorKind } from "./error-kind.ts";

export class HarnessError extends Error {
  override readonly name = "HarnessError";
  readonly kind: ErrorKind;
  /** What happened, to which id. One sentence. */
  readonly happened: string;
  /** What to do. One sentence. */
  readonly todo: string;

  constructor(kind: ErrorKind, happened: string, todo: string, options?: { readonly cause?: unknown }) {
    super(`${happened} ${todo}`, options);
    this.kind = kind;
    this.happened = happened;
    this.todo = todo;
  }
}

/** A programmer error: loud, never caught, never retried. @param invariant names the rule, as in "invariant S2: …". */
export function invariant(condition: boolean, name: string): asserts condition {
  if (!condition) throw new InvariantError(name);
}

export class InvariantError extends Error {
  override readonly name = "InvariantError";
}
