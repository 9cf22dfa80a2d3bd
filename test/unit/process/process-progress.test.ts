import { expect, it } from "vitest";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { PROGRESS_BYTES_MAX, PROGRESS_INTERVAL_MS, ProgressFeed } from "../../../src/workspace/process/progress.ts";

it("shows a burst as one piece, and of a flood the newest part", async () => {
  const clock = manualClock();
  const shown: string[] = [];
  const feed = new ProgressFeed(clock, (text) => shown.push(text));
  for (const word of ["one ", "two ", "three "]) feed.add(Buffer.from(word));
  expect(shown).toEqual([]);
  await clock.advance(PROGRESS_INTERVAL_MS);
  for (let i = 0; i < 100; i++) feed.add(Buffer.from("x".repeat(1_000)));
  await clock.advance(PROGRESS_INTERVAL_MS);
  expect(shown).toEqual(["one two three ", "x".repeat(PROGRESS_BYTES_MAX)]);
});

it("waits for the rest of a character, and at the end shows what there is", async () => {
  const clock = manualClock();
  const shown: string[] = [];
  const feed = new ProgressFeed(clock, (text) => shown.push(text));
  const euro = Buffer.from("€");
  feed.add(Buffer.concat([Buffer.from("5 "), euro.subarray(0, 2)]));
  await clock.advance(PROGRESS_INTERVAL_MS);
  feed.add(euro.subarray(2));
  await clock.advance(PROGRESS_INTERVAL_MS);
  feed.add(Buffer.from("end"));
  feed.end();
  expect(shown).toEqual(["5 ", "€end"]);
});
