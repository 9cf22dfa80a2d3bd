/** Both ways to cache behind one question, on one clock that turns can move on. */
import type { Clock } from "../../../kernel/clock.ts";
import { createAutomaticCache } from "./automatic.ts";
import { createKeptPrompts, type Kept } from "./kept.ts";
import { type CacheAnswer, createMarkedCache } from "./marked.ts";
import type { CacheBlock, CacheKind } from "./prompt.ts";

export interface CountedPrompt {
  readonly kind: CacheKind;
  readonly blocks: readonly CacheBlock[];
  readonly body: unknown;
  readonly model: string;
  /** Whose cache it is: the API key. */
  readonly workspace: string;
  readonly conversation: string;
}

export interface PromptCounter {
  /** Reads only: what is to be remembered is said by `commit` and `keep`. */
  look(prompt: CountedPrompt): CacheAnswer;
  /** Compares with the last prompt of the conversation, and remembers this one. */
  keep(prompt: CountedPrompt): Kept;
  /** Moves the caches' clock on. */
  move(ms: number): void;
}

/** @param minTokens the least that is cached; absent: by model */
export function createPromptCounter(clock: Clock, minTokens: number | undefined): PromptCounter {
  const marked = createMarkedCache();
  const automatic = createAutomaticCache();
  const keptPrompts = createKeptPrompts();
  let moved = 0;
  return {
    look: ({ kind, blocks, body, model, workspace }) => {
      const request = { blocks, model, workspace, now: clock.now() + moved, minTokens };
      return kind === "marked" ? marked.look(request) : automatic.look(request, body);
    },
    keep: ({ conversation, blocks }) => keptPrompts.next(conversation, blocks),
    move: (ms) => {
      moved += ms;
    },
  };
}
