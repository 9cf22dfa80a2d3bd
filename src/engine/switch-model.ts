/** Another model takes over. */
import type { Draft } from "../kernel/events/index.ts";
import { modelInUse } from "../kernel/model-in-use.ts";
import type { Step } from "../kernel/step.ts";
import type { Drive } from "./run.ts";

export function switched(
  { to, error, message }: Extract<Step, { readonly kind: "switch_model" }>,
  run: Pick<Drive, "state">,
): Draft {
  return { kind: "ModelSwitched", data: { from: modelInUse(run.state()), to, kind: error, message } };
}
