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
  if (isDiskFull(error)) {
    const todo = "Free space, then run the command again: everything acknowledged is kept.";
    return { kind: "store_full", happened: `The disk is full (${message}).`, todo };
  }
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
  const { kind } = failureOf(error);
  return kind === "internal" ? EXIT_TABLE.failed.code : exitCodeOfError(kind);
}

/** Wherever a file was being written: it is no defect of belay's. */
function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

/** With every cause. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}
