/** Schemas that several events share. The types they must agree with stand in `content.ts`, `usage.ts` and `ids.ts`. */
import * as z from "zod";
import type { NewWorkspace } from "../carry-over.ts";
import type { ModelPart, Origin, PlainPart } from "../content.ts";
import { ERROR_TABLE, type ErrorKind } from "../error-kind.ts";
import type { BlobHash, CheckpointId, MemoryId, ModelCallId, RunId, SessionId, ToolCallId, TreeHash } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import { lazy } from "../lazy.ts";
import type { NanoDollars } from "../money.ts";
import type { Outcome } from "../outcome.ts";
import type { ProcessIdentity } from "../process-identity.ts";
import type { Usage } from "../usage.ts";

/** Brands a string schema. The journal was written by us, so the text is trusted to be what its field says. */
const branded = <T extends string>(): z.ZodType<T> => z.string() as unknown as z.ZodType<T>;

export const sessionId = lazy(() => branded<SessionId>());
export const runId = lazy(() => branded<RunId>());
export const modelCallId = lazy(() => branded<ModelCallId>());
export const toolCallId = lazy(() => branded<ToolCallId>());
export const checkpointId = lazy(() => branded<CheckpointId>());
export const memoryId = lazy(() => branded<MemoryId>());
export const blobHash = lazy(() => branded<BlobHash>());
export const treeHash = lazy(() => branded<TreeHash>());

export const errorKind = lazy(() => z.enum(Object.keys(ERROR_TABLE) as [ErrorKind, ...ErrorKind[]]));
export const nano = lazy(() => z.int() as unknown as z.ZodType<NanoDollars>);
export const json = lazy(() => z.record(z.string(), z.json()) as unknown as z.ZodType<JsonObject>);

const OUTCOMES = [
  "completed",
  "needs_review",
  "needs_approval",
  "verification_failed",
  "budget_exhausted",
  "limit_reached",
  "loop_detected",
  "refused",
  "canceled",
  "failed",
] as const satisfies readonly Outcome[];

export const outcome = lazy(() => z.enum(OUTCOMES));

export const usage = lazy((): z.ZodType<Usage> =>
  z.object({
    input_tokens: z.int().nonnegative(),
    cache_read_tokens: z.int().nonnegative(),
    cache_write_5m_tokens: z.int().nonnegative(),
    cache_write_1h_tokens: z.int().nonnegative(),
    output_tokens: z.int().nonnegative(),
  }),
);

const origin = lazy(
  (): z.ZodType<Origin> =>
    z.object({
      from: z.enum(["user", "workspace", "web", "mcp", "tool", "model", "belay"]),
      by: z.string().optional(),
      untrusted: z.literal(true).optional(),
      secret: z.literal(true).optional(),
    }) as z.ZodType<Origin>, // zod writes optional members as `T | undefined`; canonical JSON never stores undefined
);

const opaque = lazy(() => z.object({ provider: z.string(), data: json() }).optional());

const text = lazy(() => z.object({ type: z.literal("text"), text: z.string(), origin: origin() }));

export const plainPart = lazy((): z.ZodType<PlainPart> =>
  z.discriminatedUnion("type", [
    text(),
    z.object({
      type: z.literal("image"),
      media_type: z.enum(["image/png", "image/jpeg", "image/gif", "image/webp"]),
      blob: blobHash(),
      origin: origin(),
    }),
  ]),
);

export const modelPart = lazy(
  (): z.ZodType<ModelPart> =>
    z.discriminatedUnion("type", [
      text().extend({ opaque: opaque() }),
      z.object({
        type: z.literal("thinking"),
        text: z.string(),
        signature: z.string(),
        origin: origin(),
        opaque: opaque(),
      }),
      z.object({ type: z.literal("redacted_thinking"), data: z.string(), origin: origin() }),
      z.object({
        type: z.literal("tool_use"),
        call: toolCallId(),
        provider_id: z.string(),
        name: z.string(),
        input: json(),
        origin: origin(),
        opaque: opaque(),
      }),
    ]) as z.ZodType<ModelPart>, // as for `origin`: no member is ever stored as undefined
);

export const newWorkspace = lazy((): z.ZodType<NewWorkspace> =>
  z.object({
    mode: z.enum(["clone", "copy", "in_place"]),
    branch: z.string().nullable(),
    tree: treeHash(),
    exact: z.boolean(),
  }),
);

export const processIdentity = lazy((): z.ZodType<ProcessIdentity> =>
  z.object({
    pid: z.int(),
    start_time: z.string().nullable(),
    boot_id: z.string().nullable(),
    namespace: z.string().nullable(),
  }),
);
