/** Packs what another machine needs of a workspace: whole trees, and the commits of its branch that the user's HEAD lacks. */
import { join } from "node:path";
import type { Git } from "../git/git.ts";
import { lineOf } from "../git/git.ts";
import { layoutOf, readRecord, shadowPlace } from "../layout.ts";
import { readIfThere } from "../git/link-objects.ts";
import { EMPTY_TREE } from "../git/objects.ts";
import type { WorkspaceDependencies } from "../open-workspace.ts";
import { RULES_FILE, type ShadowPlace } from "../snapshot/shadow.ts";
import type { PackedWorkspace, PackRequest, WorkspaceFacts } from "../workspace.ts";

export async function packWorkspace({ git }: WorkspaceDependencies, request: PackRequest): Promise<PackedWorkspace> {
  const { directory, trees, signal } = request;
  const layout = layoutOf(directory);
  const record = readRecord(layout);
  const place = shadowPlace(layout, layout.shadow_git); // nothing here looks at a working tree
  const ask: Git = (call) => git({ signal, ...call });
  const facts = factsOf(place, record.head, record.facts);
  const chain = request.commit === null ? null : await commitObjects(ask, place, request.commit, record.head);
  const names = new Set([...(await treeObjects(ask, place, trees)), ...(chain ?? [])]);
  const commit = chain === null ? null : request.commit;
  if (names.size === 0) return { path: null, facts, commit };
  const input = Buffer.from([...names].map((name) => `${name}\n`).join(""));
  const args = ["pack-objects", "-q", "--delta-base-offset", join(request.to, "pack")];
  const hash = lineOf(await ask({ repository: place, args, input }));
  return { path: join(request.to, `pack-${hash}.pack`), facts, commit };
}

export function factsOf(
  place: Pick<ShadowPlace, "git_dir">,
  head: string | null,
  scope: Pick<WorkspaceFacts, "submodules" | "ignored_but_tracked" | "sparse">,
): WorkspaceFacts {
  const { submodules, ignored_but_tracked, sparse } = scope;
  const rules = readIfThere(join(place.git_dir, RULES_FILE))?.toString("latin1") ?? "";
  return { head, submodules, ignored_but_tracked, sparse, rules };
}

/** Every object below the trees. Throws `git_failed` when one is missing. */
async function treeObjects(git: Git, place: ShadowPlace, trees: readonly string[]): Promise<readonly string[]> {
  const wanted = [...new Set(trees)].filter((tree) => tree !== EMPTY_TREE);
  if (wanted.length === 0) return [];
  const input = Buffer.from(`${wanted.join("\n")}\n`);
  const { output } = await git({ repository: place, args: ["rev-list", "--objects", "--stdin"], input });
  return namesIn(output);
}

/** The commits after `head` with what they add; null when the agent's own repository has some of it and ours has not. */
async function commitObjects(
  git: Git,
  place: ShadowPlace,
  commit: string,
  head: string | null,
): Promise<readonly string[] | null> {
  const input = Buffer.from(`${commit}\n${head === null ? "" : `^${head}\n`}`);
  const args = ["rev-list", "--objects", "--stdin"];
  const answer = await git({ repository: place, args, input, codes: [1, 128] });
  return answer.code === 0 ? namesIn(answer.output) : null;
}

function namesIn(listing: Buffer): readonly string[] {
  return listing
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(0, 40));
}
