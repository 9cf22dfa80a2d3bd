/** What a snapshot does not cover, and why. */
export interface LeftOut {
  readonly why: "ignored" | "nested_repository" | "submodule" | "too_large" | "special_file" | "unreadable";
  readonly count: number;
  /** Relative paths, at most `LEFT_OUT_PATHS_MAX` of them. */
  readonly paths: readonly string[];
}

export const LEFT_OUT_PATHS_MAX = 20;
