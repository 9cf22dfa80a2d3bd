/** Sessions in this process, over real git, SQLite and processes, with a scripted model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Host } from "../../src/engine/host.ts";
import { type LiveSession, startSession } from "../../src/engine/session.ts";
import type { SessionConfig } from "../../src/kernel/config.ts";
import { textPart } from "../../src/kernel/content.ts";
import type { Event } from "../../src/kernel/events/index.ts";
import { isUnknown } from "../../src/kernel/fold.ts";
import { LOCAL_TENANT, type SessionId } from "../../src/kernel/ids.ts";
import { readEvents } from "../../src/store/journal.ts";
import { probeSandbox } from "../../src/workspace/sandbox/probe.ts";
import { makeRepository } from "../crash/work-scenario.ts";
import { testConfig } from "./config.ts";

/** The sandbox where the machine has one; sessions that do not test confinement run without it elsewhere. */
export const SANDBOX = (await probeSandbox()).mode;

export interface TestPlace {
  readonly directory: string;
  readonly home: string;
  readonly repository: string;
}

/** Tests that run beside each other hand in the one of their own context: the global one belongs to whichever began last. */
export type Finished = (clean: () => void | Promise<void>) => void;

/** A directory that is removed when the test ends, with a small repository in it. */
export function testPlace(finished: Finished = onTestFinished): TestPlace {
  const directory = mkdtempSync(join(tmpdir(), "belay-session-"));
  finished(() => rmSync(directory, { recursive: true, force: true }));
  const repository = join(directory, "repository");
  makeRepository(repository);
  return { directory, home: join(directory, "home"), repository };
}

export function start(host: Host, place: TestPlace, facts: Partial<SessionConfig> = {}): Promise<LiveSession> {
  return startSession(host, {
    task: [textPart("do the work", { from: "user" })],
    title: "do the work",
    config: testConfig({ sandbox: { mode: SANDBOX, network: false }, ...facts }),
    place: { cwd: place.repository, source: place.repository, sessions: join(place.home, "sessions") },
  });
}

export async function eventsOf(host: Host, session: SessionId): Promise<readonly Event[]> {
  const events: Event[] = [];
  for await (const event of readEvents(host.store, LOCAL_TENANT, session)) if (!isUnknown(event)) events.push(event);
  return events;
}

/** The kinds of the events, in order. */
export function kinds(events: readonly Event[]): readonly string[] {
  return events.map((event) => event.kind);
}

/** The text of what the model saw as the result of the n-th finished call. */
export function resultTexts(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) =>
    event.kind === "ToolFinished"
      ? [
          `${event.data.status}: ${event.data.content.map((part) => (part.type === "text" ? part.text : "[image]")).join("\n")}`,
        ]
      : [],
  );
}
