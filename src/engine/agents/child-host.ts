/**
 * What a sub-agent has of its parent's surroundings: the same store, models and tools, but its own way to files.
 *
 * H1: one that writes works in a private copy of its parent's files, made from the trees that belay recorded: nothing that a command
 *     of the parent's wrote into a repository there is read as one.
 * H2: one that does not write looks at its parent's files as they are, and can change none of them.
 * H3: instructions come from the user's own files, never from a tree that an agent may have changed.
 */
import type { TreeHash } from "../../kernel/ids.ts";
import { readOnlyView } from "../../workspace/read-only-view.ts";
import type { PreparedWorkspace, Workspaces } from "../../workspace/workspace.ts";
import type { Host, Prompter } from "../host.ts";
import type { Drive } from "../run.ts";

export interface ParentFiles {
  /** Its newest tree, and how many files it has. */
  readonly tree: TreeHash;
  readonly files: number;
}

export function childHost(run: Drive, writes: boolean, files: () => Promise<ParentFiles>): Host {
  const { host, place } = run;
  const { prompter } = host;
  return {
    ...host,
    workspaces: writes ? copies(run, files) : views(run),
    contextFiles: () => host.contextFiles(place.source),
    prompter: prompter && oneAtATime(prompter),
  };
}

/** H1. */
function copies({ host, place, root }: Drive, files: () => Promise<ParentFiles>): Workspaces {
  return {
    prepare: async ({ directory, branch, signal }): Promise<PreparedWorkspace> => {
      const { tree, files: count } = await files();
      const { workspace } = await host.transfer.recreate({
        directory,
        branch,
        base: tree,
        tree,
        trees: [],
        commit: null,
        source: root,
        from: { kind: "workspace", directory: place.directory },
        signal,
      });
      return { workspace, base: tree, head: null, branch, files: count, snapshots: true, left_out: [] };
    },
    open: (request) => host.workspaces.open(request),
  };
}

/** H2. */
function views(run: Drive): Workspaces {
  const view = async (directory: string, tree: TreeHash) =>
    readOnlyView({ of: await run.workspace(), tree, directory });
  const standing = (): TreeHash => {
    const known = run.state().workspace;
    return known?.tree ?? ("0".repeat(40) as TreeHash); // a task is only run when there is a workspace
  };
  return {
    prepare: async ({ directory }) => {
      const tree = standing();
      const workspace = await view(directory, tree);
      return { workspace, base: tree, head: null, branch: null, files: 0, snapshots: true, left_out: [] };
    },
    open: ({ directory }) => view(directory, standing()),
  };
}

const asking = new WeakMap<Prompter, Prompter>();

/** Several sub-agents may want to ask the one person who is there. */
function oneAtATime(prompter: Prompter): Prompter {
  const known = asking.get(prompter);
  if (known !== undefined) return known;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const mine = last.then(ask);
    last = mine.catch(() => undefined); // who asked hears of it
    return mine;
  };
  const own: Prompter = {
    ask: (question, signal) => inTurn(() => prompter.ask(question, signal)),
    askBudget: (question, signal) => inTurn(() => prompter.askBudget(question, signal)),
  };
  asking.set(prompter, own);
  asking.set(own, own); // a sub-agent's own sub-agents wait in the same line
  return own;
}
