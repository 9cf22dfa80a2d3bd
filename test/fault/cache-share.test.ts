/** What the prompt cache is worth: a task of fifty turns against the emulator, which keeps the cache as the provider documents it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemClock } from "../../src/host/system-clock.ts";
import { promptTokens } from "../../src/kernel/usage.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { testHost } from "../support/host.ts";
import { start, testPlace } from "../support/session.ts";

const TURNS = 50;
const SHARE_MIN = 0.9;

it(`${TURNS} turns of reading and editing read ${SHARE_MIN * 100} % of their input from the cache`, async () => {
  const place = testPlace();
  for (let n = 0; n < TURNS; n++)
    writeFileSync(join(place.repository, `part-${n}.ts`), `export const part${n} = ${n};\n`.repeat(40));
  const calls = Array.from({ length: TURNS - 1 }, (_, n) =>
    n % 3 === 2
      ? { tool: "write", input: { path: `made-${n}.ts`, content: `export const made = ${n};\n` } }
      : { tool: "read", input: { path: `part-${n}.ts` } },
  );
  const emulator = await startEmulator({
    scenario: { turns: [...calls.map((call) => ({ say: "Next.", call: [call] })), { say: "Done." }] },
  });
  const model = createAnthropicModel({ apiKey: "test-key", baseUrl: emulator.url, clock: systemClock });
  const live = await start(await testHost({ home: place.home, model }), place);
  const report = await live.done;
  await emulator.close();
  expect(report).toMatchObject({ outcome: "completed", turns: TURNS });
  const share = report.usage.cache_read_tokens / promptTokens(report.usage);
  console.log(
    `${TURNS} turns, ${promptTokens(report.usage)} tokens of input, ${(share * 100).toFixed(1)} % read from the cache, $${report.cost_usd?.toFixed(4)}`,
  );
  expect(share).toBeGreaterThanOrEqual(SHARE_MIN);
});
