/**
 * The contract of a model adapter (M1 to M3 of `model/model.ts`): what every adapter makes of recorded streams, whole, cut at
 * every place, aborted, silent. Any test runner can run the cases. With vitest:
 *
 *     describeModel({ describe, it }, "my provider", { recordings: await readRecordings(directory), make }, { skip: [] });
 */
import { invariant } from "../kernel/harness-error.ts";
import { answerCases } from "./model-contract/answer-cases.ts";
import type { ModelContractCase, ModelUnderTest } from "./model-contract/case.ts";
import { cutCases } from "./model-contract/cut-cases.ts";
import { endCases } from "./model-contract/end-cases.ts";
import type { ContractRunner } from "./store-contract.ts";

export type { ModelContractCase, ModelUnderTest } from "./model-contract/case.ts";
export { readRecordings, recording } from "./model-contract/recording.ts";
export type { Expectation, Recording } from "./model-contract/recording.ts";

export const modelContract: readonly ModelContractCase[] = [...answerCases, ...cutCases, ...endCases];

/** A skip says why. */
export interface ModelContractSkip {
  readonly reason: string;
  /** Names of cases. */
  readonly tests: readonly string[];
}

export function describeModel(
  { describe, it }: ContractRunner,
  name: string,
  under: ModelUnderTest,
  options: { readonly skip: readonly ModelContractSkip[] },
): void {
  for (const { reason, tests } of options.skip) {
    invariant(reason.trim() !== "", "a skip has a reason");
    const unknown = tests.find((test) => !modelContract.some((one) => one.name === test));
    invariant(unknown === undefined, `the model contract has a case "${unknown ?? ""}"`);
  }
  describe(`the contract of a model, kept by ${name}`, () => {
    for (const one of modelContract) {
      const skip = options.skip.find(({ tests }) => tests.includes(one.name));
      if (skip) it.skip(`${one.name} (reason: ${skip.reason})`, () => one.run(under));
      else it(one.name, () => one.run(under));
    }
  });
}
