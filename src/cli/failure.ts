/** Errors as people see them: what happened, what to do. A stack only with --debug. */
import { HarnessError } from "../kernel/harness-error.ts";
import { EXIT_TABLE, exitCodeOfError } from "../kernel/outcome.ts";
import type { ErrorKind } from "../kernel/error-kind.ts";
import { safeText } from "./view/safe-text.ts";

export interface Failure {
  readonly kind: ErrorKind;
  readonly happened: string;
  readonly todo: string;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof HarnessError) return { kind: error.kind, happened: error.happened, todo: error.todo };
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: "internal",
    happened: `belay failed unexpectedly: ${message}`,
    todo: "Run it again with --debug and report what it prints; sessions can be resumed.",
  };
}

/** Lines for stderr. */
export function failureText(error: unknown, debug: boolean): string {
  const { happened, todo } = failureOf(error);
  const lines = [`belay: ${safeText(happened).trimEnd()}`, `       ${safeText(todo)}`];
  return [...lines, ...(debug ? [safeText(stackOf(error))] : [])].join("\n");
}

export function exitCodeOfFailure(error: unknown): number {
  return error instanceof HarnessError ? exitCodeOfError(error.kind) : EXIT_TABLE.failed.code;
}

/** With every cause. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}
