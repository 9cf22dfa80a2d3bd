/** What the model says in the demo. */
import type { ScenarioInput } from "../src/testing/emulator/scenario.ts";

export const FIX_TASK = "fix the failing test";
export const LOG_TASK = "write the log";
export const LOG_FILE = "work.log";
export const ENTRIES = 8;

const write = (from: number): string =>
  `for i in $(seq ${from} ${ENTRIES}); do echo "entry $i" >> ${LOG_FILE}; echo "wrote entry $i"; sleep 0.3; done`;

/** Reads better when it comes like typing. */
const TYPING = { chunk_chars: 6, chunk_delay_ms: 15, latency_ms: 250 };

export const DEMO_SCENARIO: ScenarioInput = {
  conversations: [
    {
      task_contains: FIX_TASK,
      turns: [
        {
          ...TYPING,
          say: "I'll read the code and its test first.",
          call: [
            { tool: "read", input: { path: "sum.js" } },
            { tool: "read", input: { path: "sum.test.js" } },
          ],
        },
        {
          ...TYPING,
          say: "`sum` subtracts where it should add.",
          call: [{ tool: "edit", input: { path: "sum.js", old_string: "a - b", new_string: "a + b" } }],
          // The provider is overloaded once: the wait is shown, and the call is sent again.
          fault: { status: 529, retry_after: 1 },
        },
        { ...TYPING, say: "Now the test.", call: [{ tool: "bash", input: { command: "node --test" } }] },
        { ...TYPING, say: "Fixed: `sum` now adds. `node --test` passes, 1 of 1." },
      ],
    },
    {
      task_contains: LOG_TASK,
      turns: [
        { ...TYPING, say: "This takes a moment.", call: [{ tool: "bash", input: { command: write(1) } }] },
        { ...TYPING, say: `${LOG_FILE} is complete.` },
        {
          // Only where there is no sandbox: the model is told that the outcome is unknown, and looks before it goes on.
          ...TYPING,
          match: { tool_result_contains: "outcome unknown" },
          say: "The command was interrupted. I'll write only the lines that are missing.",
          call: [
            {
              tool: "bash",
              input: {
                command: `for i in $(seq $(($(wc -l < ${LOG_FILE}) + 1)) ${ENTRIES}); do echo "entry $i" >> ${LOG_FILE}; done; wc -l ${LOG_FILE}`,
              },
            },
          ],
        },
      ],
    },
  ],
};
