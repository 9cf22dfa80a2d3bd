/** Defects that are planted in the engine, one at a time, to see that the simulation finds them. Each is one exact text of it. */
export interface Mutant {
  /** The defect, as a user would tell it. */
  readonly symptom: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Takes some thousand seeds: hunted only in the long tests. */
  readonly rare?: true;
}

export const MUTANTS: readonly Mutant[] = [
  {
    symptom: "an append is acknowledged and was never stored",
    file: "src/store/journal-writer.ts",
    find: "await store.append(",
    replace: "void (",
  },
  {
    symptom: "a tool runs before its intent is durable",
    file: "src/engine/run-tools.ts",
    find: "return run.record([...(snapshot",
    replace: "return run.stage([...(snapshot",
  },
  {
    symptom: "a model is asked before its call is durable",
    file: "src/engine/reserve.ts",
    find: "await run.record(intent.drafts(",
    replace: "void run.record(intent.drafts(",
  },
  {
    symptom: "a process that was frozen and lost its session sends its request",
    file: "src/engine/call-model.ts",
    find: "await run.ownership.whileOwned(() =>",
    replace: "await (async (ask: () => Promise<ModelAnswer>) => ask())(() =>",
    rare: true,
  },
  {
    symptom: "a call whose outcome is unknown runs again",
    file: "src/engine/recover.ts",
    find: "if (!started.confined)",
    replace: "if (false)",
    // What acts on the network has no snapshot to go back to, and a label takes the network from most commands: other defences
    // stand behind this one. `test/crash/half-done.test.ts` looks at it directly.
    rare: true,
  },
  {
    symptom: "a command that can reach the network counts as confined and runs again",
    file: "src/engine/judge-tools.ts",
    find: 'return sandbox.mode === "bwrap" && !sandbox.network && confinement.domains.length === 0;',
    replace: "return true;",
    rare: true,
  },
  {
    symptom: "a half-done change is not rolled back before it runs again",
    file: "src/engine/recover.ts",
    find: "await workspace.restore(tree)",
    replace: "[]",
  },
  {
    symptom: "processes of a dead run are left running",
    file: "src/engine/recover.ts",
    find: "run.host.endProcess(process)",
    replace: 'Promise.resolve("dead")',
    rare: true,
  },
  {
    symptom: "a result of a batch is dropped from the conversation",
    file: "src/kernel/conversation.ts",
    find: "[...results, ...state.inbox]",
    replace: "[...results.slice(1), ...state.inbox]",
  },
  {
    symptom: "a failing model is asked again without bound",
    file: "src/kernel/decide.ts",
    find: "if (series.count > attempts || wait > left || (left <= 0 && wait > 0))",
    replace: "if (wait > 9e15)",
  },
  {
    symptom: "a call is sent although its worst case is over the limit of tokens",
    file: "src/kernel/decide.ts",
    find: "if (tokens > limits.tokens)",
    replace: "if (tokens > 9e15)",
  },
  {
    symptom: "a call is sent although a cap leaves less than its worst case",
    file: "src/store/ledger-rule.ts",
    find: "asked === null || spent + held + asked > cap",
    replace: "asked === null",
  },
  {
    symptom: "a process that lost its session while it was frozen goes on writing to the workspace",
    file: "src/engine/ownership.ts",
    find: "while (!isFresh()) await renew();",
    replace: "",
  },
  {
    symptom: "hours in which the machine was suspended count as work",
    file: "src/engine/drive.ts",
    find: "run.host.clock.monotonic() - run.began",
    replace: "run.host.clock.now() - (run.state().run?.started_at ?? run.host.clock.now())",
  },
  {
    symptom: "a tool does not hear of a cancel",
    file: "src/engine/run-tools.ts",
    find: 'run.signal.addEventListener("abort", cancel, { once: true });',
    replace: "",
  },
  {
    symptom: "one cancel is written many times while the store is slow",
    file: "src/engine/stopping.ts",
    find: "|| asked.has(run)",
    replace: "",
  },
  {
    symptom: "a run whose workspace cannot be opened for the report ends in an exception",
    file: "src/engine/session.ts",
    find: "if (!(error instanceof HarnessError)) throw error;\n    return null;",
    replace: "throw error;",
  },
  {
    symptom: "a secret is written to the journal",
    file: "src/store/seal.ts",
    find: "data: redacted.value,",
    replace: "data: draft.data,",
  },
];
