/**
 * Whether a job of CI works on a fork's code: then the workspace holds text of strangers from its start on. Told by what the
 * service itself says of the job, never by anything in the checkout.
 */
import { readFileSync, statSync } from "node:fs";

/** GitHub's description of what started the job. */
const EVENT_BYTES_MAX = 8 * 1024 * 1024;

/** @returns why, for people; null where it is the project's own code, or nothing tells */
export function forkOf(environment: Readonly<Record<string, string | undefined>>): string | null {
  return gitlabFork(environment) ?? githubFork(environment);
}

function gitlabFork({
  CI_PROJECT_ID: project,
  CI_MERGE_REQUEST_SOURCE_PROJECT_ID: source,
  CI_MERGE_REQUEST_SOURCE_PROJECT_PATH: path,
}: Readonly<Record<string, string | undefined>>): string | null {
  if (project === undefined || source === undefined || source === project) return null;
  return `a merge request from the fork ${path ?? source}`;
}

function githubFork({ GITHUB_EVENT_PATH: path }: Readonly<Record<string, string | undefined>>): string | null {
  const event = path === undefined ? null : eventAt(path);
  const base = text(event, "repository", "full_name");
  const head =
    text(event, "pull_request", "head", "repo", "full_name") ??
    text(event, "workflow_run", "head_repository", "full_name");
  // A fork that was deleted has no repository any more: its code is there all the same.
  const gone = isObject(event?.["pull_request"]) && head === null;
  if (gone) return "a pull request whose repository is not known";
  return head === null || base === null || head === base ? null : `a pull request from the fork ${head}`;
}

function eventAt(path: string): Readonly<Record<string, unknown>> | null {
  try {
    if (statSync(path).size > EVENT_BYTES_MAX) return null;
    const event: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isObject(event) ? event : null;
  } catch (error) {
    // Not there, not readable, no JSON: nothing tells.
    if (error instanceof SyntaxError || (error instanceof Error && "code" in error)) return null;
    throw error;
  }
}

function text(value: unknown, ...path: readonly string[]): string | null {
  let current = value;
  for (const key of path) current = isObject(current) ? current[key] : null;
  return typeof current === "string" ? current : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
