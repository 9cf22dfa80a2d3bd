/**
 * The contract of a store: what every back-end must do, as cases that any test runner can run. With vitest:
 *
 *     describeStore({ describe, it }, "my store", make, { skip: [] });
 */
import { invariant } from "../kernel/harness-error.ts";
import { blobCases } from "./store-contract/blob-cases.ts";
import type { ContractCase, MakeStore, Need } from "./store-contract/case.ts";
import { cellCases } from "./store-contract/cell-cases.ts";
import { leaseCases } from "./store-contract/lease-cases.ts";
import { ledgerCases } from "./store-contract/ledger-cases.ts";
import { memoryCases } from "./store-contract/memory-cases.ts";
import { recordCases } from "./store-contract/record-cases.ts";
import { sessionCases } from "./store-contract/session-cases.ts";
import { sharedLedgerCases } from "./store-contract/shared-ledger-cases.ts";

export type { ContractCase, MakeStore, Need, StoreUnderTest } from "./store-contract/case.ts";

export const storeContract: readonly ContractCase[] = [
  ...sessionCases,
  ...leaseCases,
  ...recordCases,
  ...blobCases,
  ...ledgerCases,
  ...sharedLedgerCases,
  ...cellCases,
  ...memoryCases,
];

/** A skip says why. */
export interface ContractSkip {
  readonly reason: string;
  /** Names of cases; or a need that the back-end cannot meet, for all cases that have it: this is checked. */
  readonly tests: readonly string[] | { readonly needs: Need };
}

/** What is needed of a test runner. */
export interface ContractRunner {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: ((name: string, body: () => Promise<void>) => void) & {
    readonly skip: (name: string, body: () => Promise<void>) => void;
  };
}

export function describeStore(
  { describe, it }: ContractRunner,
  name: string,
  make: MakeStore,
  options: { readonly skip: readonly ContractSkip[] },
): void {
  refuseUnknownNames(options.skip);
  describe(`the contract of a store, kept by ${name}`, () => {
    for (const { tests, reason } of options.skip) {
      if ("needs" in tests) it(`without "${tests.needs}": ${reason}`, () => lacks(make, tests.needs));
    }
    for (const one of storeContract) {
      const skip = options.skip.find(({ tests }) =>
        "needs" in tests ? tests.needs === one.needs : tests.includes(one.name),
      );
      if (!skip) it(one.name, () => one.run(make));
      else if (!("needs" in skip.tests)) it.skip(`${one.name} (reason: ${skip.reason})`, () => one.run(make));
    }
  });
}

/** What is left out as impossible must be impossible. */
async function lacks(make: MakeStore, need: Need): Promise<void> {
  const under = await make();
  await under.dispose();
  invariant(under[need] === undefined, `a store that can "${need}" runs the cases that need it`);
}

/** A skip that fits nothing hides that a case was renamed. */
function refuseUnknownNames(skips: readonly ContractSkip[]): void {
  for (const { tests, reason } of skips) {
    invariant(reason.trim() !== "", "a skip has a reason");
    if ("needs" in tests) continue;
    const unknown = tests.find((name) => !storeContract.some((one) => one.name === name));
    invariant(unknown === undefined, `the store contract has a case "${unknown ?? ""}"`);
  }
}
