/**
 * What a session has taken in, as far as it matters for what it may do: text of strangers, and secrets. The label is the join of
 * all that entered; it only ever rises. It is folded from the origin of every content part, so it survives a resume, a fork and
 * a compaction, and every rise names the event that made it.
 */
import type { Origin, PlainPart } from "./content.ts";
import type { ToolCallId } from "./ids.ts";

/** What raised a label. */
export interface LabelSource {
  readonly seq: number;
  /** `web https://example.com/page`, `a command with network`. */
  readonly what: string;
  readonly call: ToolCallId | null;
}

export interface SessionLabel {
  /** Integrity: text that neither the user nor their repository wrote. Empty is trusted. */
  readonly untrusted: readonly LabelSource[];
  /** Confidentiality: values that must not leave. Empty is none seen. */
  readonly secret: readonly LabelSource[];
}

export const CLEAN_LABEL: SessionLabel = { untrusted: [], secret: [] };

/** Sources that a state remembers of each kind; the first ones explain it. */
export const LABEL_SOURCES_MAX = 20;

export type LabelKind = keyof SessionLabel;

export function isUntrusted({ from, untrusted }: Origin): boolean {
  return from === "web" || from === "mcp" || untrusted === true;
}

export function raise(label: SessionLabel, kind: LabelKind, source: LabelSource): SessionLabel {
  const known = label[kind];
  if (known.length >= LABEL_SOURCES_MAX || known.some(({ what }) => what === source.what)) return label;
  return { ...label, [kind]: [...known, source] };
}

/** Joins what parts bring in. */
export function joinParts(
  label: SessionLabel,
  parts: readonly PlainPart[],
  at: Pick<LabelSource, "seq" | "call">,
): SessionLabel {
  let joined = label;
  for (const { origin } of parts) {
    const what = `${origin.from}${origin.by === undefined ? "" : ` ${origin.by}`}`;
    if (isUntrusted(origin)) joined = raise(joined, "untrusted", { ...at, what });
    if (origin.secret === true) joined = raise(joined, "secret", { ...at, what });
  }
  return joined;
}
