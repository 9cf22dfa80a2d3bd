/** A job of CI that works on a fork's code. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { forkOf } from "../../../src/cli/ci-fork.ts";

function github(event: unknown): string | null {
  const directory = mkdtempSync(join(tmpdir(), "belay-event-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "event.json");
  writeFileSync(path, typeof event === "string" ? event : JSON.stringify(event));
  return forkOf({ GITHUB_EVENT_PATH: path });
}

const repository = { full_name: "owner/project" };
const pull = (full_name: string) => ({ repository, pull_request: { head: { repo: { full_name } } } });

describe("the code of a job", () => {
  it("is a fork's where the service says that the change comes from another repository", () => {
    expect(github(pull("stranger/project"))).toContain("stranger/project");
    expect(github({ repository, workflow_run: { head_repository: { full_name: "stranger/project" } } })).toContain(
      "stranger",
    );
    expect(
      forkOf({
        CI_PROJECT_ID: "1",
        CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "2",
        CI_MERGE_REQUEST_SOURCE_PROJECT_PATH: "s/p",
      }),
    ).toContain("s/p");
  });

  it("is a stranger's where a pull request names no repository: the fork was deleted", () => {
    expect(github({ repository, pull_request: { head: { repo: null } } })).not.toBeNull();
  });

  it("is the project's own everywhere else", () => {
    expect(github(pull("owner/project"))).toBeNull();
    expect(github({ repository, ref: "refs/heads/main" })).toBeNull();
    expect(github("no json")).toBeNull();
    expect(forkOf({ GITHUB_EVENT_PATH: "/nowhere/event.json" })).toBeNull();
    expect(forkOf({ CI_PROJECT_ID: "1", CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "1" })).toBeNull();
    expect(forkOf({})).toBeNull();
  });
});
