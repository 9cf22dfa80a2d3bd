/** What `belay dream` does, and how it says what changed. */
import { clipped } from "../../kernel/clipped.ts";
import { type Dreamed, type DreamedPlace, dream } from "../../engine/memory/dream.ts";
import { EXIT_TABLE } from "../../kernel/outcome.ts";
import type { Memory } from "../../kernel/memory.ts";
import type { Proposal } from "../../memory/dream.ts";
import type { Face } from "../face.ts";
import type { NanoDollars } from "../../kernel/money.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { createHost } from "../command-host.ts";
import { OF } from "../memory-view.ts";
import { knownProjects, projectKey } from "../project-key.ts";
import { withStore } from "../session-choice.ts";
import { formatDate } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";
import { modelJson, modelLines, modelOf } from "./dream-model.ts";

export interface DreamOptions {
  readonly dryRun?: true;
  readonly applyProposals?: true;
  readonly allProjects?: true;
  /** True: the default one. */
  readonly model?: string | true;
  readonly budget?: NanoDollars;
  readonly json?: true;
}

type Ended = Exclude<Dreamed, { readonly status: "busy" }>;

export async function runDream(options: DreamOptions, face: Face): Promise<number> {
  if (options.budget !== undefined && options.model === undefined)
    throw new HarnessError("usage", "--budget was said without --model.", "A dream without a model costs nothing.");
  return withStore(face, async (store) => {
    const stop = new AbortController();
    const onSignal = (): void => {
      stop.abort("canceled");
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
    try {
      const host = createHost({ face, store, prompter: null });
      const { model: name, budget } = options;
      const model = name === undefined ? {} : { model: await modelOf({ name, budget }, host, face) };
      const here = await projectKey(store, { directory: face.cwd, path: face.environment.all["PATH"] });
      const others = options.allProjects === true ? (await knownProjects(store)).map(({ project }) => project) : [];
      const dreamed = await dream(host, {
        of: OF,
        projects: [...new Set([here, ...others])],
        owner: host.owner().token,
        apply: options.dryRun !== true,
        applyProposals: options.applyProposals === true,
        signal: stop.signal,
        ...model,
      });
      return told(dreamed, options, face);
    } finally {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
    }
  });
}

function told(dreamed: Dreamed, options: DreamOptions, { out }: Face): number {
  if (dreamed.status === "busy") {
    if (options.json === true) out.json(JSON.stringify(dreamed));
    else out.line(`Another dream is at work, until ${formatDate(dreamed.until)} at the latest. Nothing was changed.`);
    return 0;
  }
  if (options.json === true) out.json(JSON.stringify(asJson(dreamed)));
  else for (const line of lines(dreamed, options)) out.line(line);
  return dreamed.status === "canceled" ? EXIT_TABLE.canceled.code : 0;
}

function asJson({ status, places, widen, model }: Ended): object {
  return {
    status,
    places: places.map(({ project, left_alone, plan: { put: _put, forget: _forget, ...plan } }) => ({
      project,
      left_alone,
      ...plan,
    })),
    widen,
    ...(model === null ? {} : { model: modelJson(model) }),
  };
}

function lines(dreamed: Ended, { dryRun, applyProposals }: DreamOptions): readonly string[] {
  const name = (id: string): string => named(dreamed.memories.get(id), id);
  const all = dreamed.places.flatMap((place) => placeLines(place, name));
  const proposals = [...dreamed.places.flatMap(({ plan }) => plan.proposed), ...dreamed.widen];
  const changed = new Set(dreamed.places.flatMap(({ plan }) => plan.put.map(({ id }) => id)));
  const merged = new Set(
    dreamed.model?.merged.flatMap(({ into, from }) => [into, ...from]).filter((id) => !changed.has(id)),
  );
  const kept = dreamed.places.reduce((sum, { plan }) => sum + plan.kept, 0) - merged.size;
  const endings = {
    done:
      dryRun === true
        ? "Nothing was changed (--dry-run)."
        : kept === 1
          ? "1 stays as it is."
          : `${kept} stay as they are.`,
    canceled: "Stopped. What is above was begun; what was done stays.",
    lost: "Another dream took over: this one stopped.",
  };
  const apply =
    applyProposals === true
      ? "Done, but for those that strangers had a part in."
      : "`belay memory approve ID`, or `belay dream --apply-proposals`.";
  return [
    ...all,
    ...proposals.map((one) => proposalLine(one, name)),
    ...(proposals.length === 0 ? [] : [apply]),
    ...(dreamed.model === null ? [] : modelLines(dreamed.model, name)),
    ...(dreamed.places.every(({ plan }) => plan.complete)
      ? []
      : ["There is more to compare than one dream looks at: dream again."]),
    endings[dreamed.status],
  ];
}

function placeLines({ plan, left_alone }: DreamedPlace, name: (id: string) => string): readonly string[] {
  return [
    ...plan.merged.map(
      ({ into, from, reason }) => `= ${name(into)}\n    merged with ${from.map(name).join("; ")} (${reason})`,
    ),
    ...plan.superseded.map(
      ({ newer, older, reason }) => `> ${name(newer)}\n    takes the place of ${name(older)} (${reason})`,
    ),
    ...plan.dropped.map(({ memory, reason }) => `- ${name(memory)} (${reason})`),
    ...plan.promoted.map(
      ({ memory, from, to, reason }) =>
        `+ ${name(memory)}: confidence ${from.toFixed(2)} → ${to.toFixed(2)} (${reason})`,
    ),
    ...(left_alone === 0 ? [] : [`${left_alone} changed in the meantime and were left alone.`]),
  ];
}

function proposalLine(proposal: Proposal, name: (id: string) => string): string {
  switch (proposal.kind) {
    case "supersede":
      return `? ${name(proposal.newer)}\n    may take the place of ${name(proposal.older)} (${proposal.reason})`;
    case "widen":
      return `? ${name(proposal.memory)}\n    may hold everywhere (${proposal.reason})`;
    case "approve":
      return `? ${name(proposal.memory)}\n    waits for a yes (${proposal.reason})`;
  }
}

/** Characters of a text in a line. */
const SHOWN_CHARS = 100;

function named(memory: Memory | undefined, id: string): string {
  if (memory === undefined) return id;
  return `${id} "${clipped(safeLine(memory.text), SHOWN_CHARS)}"`;
}
