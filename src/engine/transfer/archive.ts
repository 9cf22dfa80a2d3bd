/**
 * The file that a session travels in: gzip over parts, each a line that says what it is and how many bytes follow, with their
 * SHA-256. The last part says how many there were, and the SHA-256 over all hashes: a file that was cut or changed is seen.
 *
 * ```
 * {"part":"session","bytes":812,"sha256":"…"}\n<812 bytes>\n      who and what; always first
 * {"part":"records","bytes":…,"sha256":"…"}\n<JSON Lines>\n        the journal, byte for byte
 * {"part":"blob","name":"sha256:…","more":true,…}\n<bytes>\n       large texts, in pieces
 * {"part":"pack","more":true,…}\n<bytes>\n                         the files, as a git pack, in pieces
 * {"part":"end","bytes":…,"sha256":"…"}\n{"parts":n,"sha256":"…"}\n
 * ```
 */
import * as z from "zod";
import { lazy } from "../../kernel/lazy.ts";

export const ARCHIVE_FORMAT = "belay-session";
export const ARCHIVE_VERSION = 1;

/** What one part may hold; larger things come in several. Bytes. */
export const PART_BYTES_MAX: number = 1024 * 1024;
/** The first part names ignored paths and rules. Bytes. */
export const SESSION_PART_BYTES_MAX: number = 32 * 1024 * 1024;
/** Of the line before a part. Bytes. */
export const PART_LINE_BYTES_MAX = 1_024;
/** All parts, unpacked: a small file can unpack without end. Bytes. */
export const ARCHIVE_BYTES_MAX: number = 16 * 1024 * 1024 * 1024;
/** One blob: more than belay keeps of anything. Bytes. */
export const ARCHIVED_BLOB_BYTES_MAX: number = 256 * 1024 * 1024;
/** Blobs of one session. */
export const ARCHIVED_BLOBS_MAX = 200_000;
/** Trees that can be gone back to. */
const TREES_MAX = 100_000;

const SHA256 = /^[0-9a-f]{64}$/;
const OBJECT = /^[0-9a-f]{40}$/;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

const object = lazy(() => z.string().regex(OBJECT));

export const partLine = lazy(() =>
  z.object({
    part: z.enum(["session", "records", "blob", "pack", "end"]),
    bytes: z.int().nonnegative(),
    sha256: z.string().regex(SHA256),
    /** Of a blob. */
    name: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/)
      .optional(),
    /** Another piece of the same follows. */
    more: z.boolean().optional(),
  }),
);
export type PartLine = z.infer<ReturnType<typeof partLine>>;

/** Looked at alone, so that a file of a later version is called that. */
export const sessionVersion = lazy(() => z.object({ format: z.literal(ARCHIVE_FORMAT), version: z.int().positive() }));

export const sessionPart = lazy(() =>
  z.object({
    format: z.literal(ARCHIVE_FORMAT),
    version: z.literal(ARCHIVE_VERSION),
    /** The version that wrote it. */
    belay: z.string().max(100),
    tenant: z.string().regex(NAME),
    principal: z.string().regex(NAME),
    session: z.string().regex(NAME),
    root: z.string().regex(NAME),
    trace: z.string().regex(/^[0-9a-f]{32}$/),
    /** Of the last event. */
    seq: z.int().positive(),
    hash: z.string().regex(SHA256),
    /** Null when there was no workspace, or its files could not be had: `without_files` says which. */
    workspace: z
      .object({
        base: object(),
        tree: object(),
        exact: z.boolean(),
        trees: z.array(object()).max(TREES_MAX),
        commit: object().nullable(),
        facts: z.object({
          head: object().nullable(),
          submodules: z.array(z.string()),
          ignored_but_tracked: z.array(z.string()),
          sparse: z.array(z.string()),
          rules: z.string(),
        }),
      })
      .nullable(),
    without_files: z.string().max(500).nullable(),
  }),
);
export type SessionPart = z.infer<ReturnType<typeof sessionPart>>;

export const endPart = lazy(() => z.object({ parts: z.int().nonnegative(), sha256: z.string().regex(SHA256) }));

export const recordLine = lazy(() =>
  z.object({
    seq: z.int().positive(),
    kind: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
    hash: z.string().regex(SHA256),
    body: z.string(),
    blob: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/)
      .nullable(),
  }),
);
