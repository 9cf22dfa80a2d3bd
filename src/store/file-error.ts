/** Errors of the file system, as the store's own kinds. */
import type { ErrorKind } from "../kernel/error-kind.ts";
import { HarnessError } from "../kernel/harness-error.ts";

const READ_ONLY: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "ENOENT",
  "EEXIST",
  "EISDIR",
  "ELOOP",
]);
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

export function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}

/** @throws HarnessError `store_full`, `store_read_only` or `store_io`; what is no error of the file system, as it is. */
export function rethrowAsStoreError(path: string, error: unknown): never {
  if (!isErrno(error)) throw error;
  const kind = kindOf(error.code ?? "");
  throw new HarnessError(kind, `${HAPPENED[kind]} (${path}: ${error.code ?? "unknown"}).`, TODO[kind], {
    cause: error,
  });
}

/** For clean-up, whose failure changes nothing. What is no error of the file system is thrown on. */
export function ignoreErrno(error: unknown): void {
  if (!isErrno(error)) throw error;
}

type FileKind = Extract<ErrorKind, "store_full" | "store_read_only" | "store_io">;

function kindOf(code: string): FileKind {
  if (READ_ONLY.has(code)) return "store_read_only";
  return FULL.has(code) ? "store_full" : "store_io";
}

const HAPPENED: { readonly [Kind in FileKind]: string } = {
  store_full: "The disk is full",
  store_read_only: "The store cannot be written",
  store_io: "A file of the store failed",
};
const TODO: { readonly [Kind in FileKind]: string } = {
  store_full: "Free space, then resume: everything acknowledged is kept.",
  store_read_only: "Make belay's home writable or set BELAY_HOME, then resume.",
  store_io: "Check the disk, then resume.",
};
