/** How a sub-agent begins and is stopped: with what its parent has taken in, and with its parent. */
import type { Draft } from "../../kernel/events/index.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionId } from "../../kernel/ids.ts";
import type { SessionLabel } from "../../kernel/label.ts";
import type { NewSession } from "../../store/port.ts";
import type { Host } from "../host.ts";
import type { Drive } from "../run.ts";
import { requestStop } from "../stopping.ts";

export function labelDrafts(label: SessionLabel): readonly Draft[] {
  return (["untrusted", "secret"] as const).flatMap((kind) =>
    label[kind].map(({ what }): Draft => ({ kind: "LabelRaised", data: { label: kind, what, call: null } })),
  );
}

/** @param signal of whoever it works for; absent for a person's session */
export function stopWith(signal: AbortSignal | undefined, run: Drive): void {
  if (signal === undefined) return;
  const stop = (): void => void requestStop(run, "user", "the session that it works for was stopped");
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
}

/** Its parent names a sub-agent before it exists: a crash may have left the row, and nothing in it. */
export async function createRow(host: Host, named: boolean, row: NewSession): Promise<void> {
  try {
    await host.store.createSession(row);
  } catch (error) {
    if (!named || !(error instanceof HarnessError) || error.kind !== "session_exists") throw error;
  }
}

export function onlyByParent(session: SessionId, root: SessionId): HarnessError {
  return new HarnessError(
    "usage",
    `Session ${session} is a sub-agent that had not begun to work: it has no files without its parent.`,
    `Resume the session that it is part of: \`belay resume ${root}\`.`,
  );
}
