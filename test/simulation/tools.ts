/**
 * The tools of a simulated session: the real `read`, `write` and `bash`, and three that do what real ones must not: throw,
 * hang, ignore their signal, flood. The list is one for all seeds; whose process a call runs in is told by its clock.
 */
import * as z from "zod";
import type { Clock } from "../../src/kernel/clock.ts";
import { textPart } from "../../src/kernel/content.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { lazy } from "../../src/kernel/lazy.ts";
import { builtInTools } from "../../src/tool/registry.ts";
import type { Tool, ToolContext, ToolOutput } from "../../src/tool/tool.ts";
import { crashed } from "./disk.ts";
import type { Dice } from "./dice.ts";
import type { Ledger } from "./ledger.ts";
import type { SimProcess, World } from "./world.ts";

export interface Surroundings {
  readonly world: World;
  readonly process: SimProcess;
  readonly ledger: Ledger;
  readonly luck: Dice;
  /** That the process dies around an effect. */
  readonly crash: number;
  readonly unready: boolean;
}

const surroundings = new WeakMap<Clock, Surroundings>();

/** Says in whose process the calls with this process's clock run. */
export function settle(of: Surroundings): void {
  surroundings.set(of.process.clock, of);
}

const NOTES = "notes.txt";
/** Longer than a session lasts after any stop. Milliseconds. */
const FOR_EVER_MS = 20 * 3_600_000;
const LATE_MS = 9_000;
const FLOOD_CHARS = 90_000;
export const SIM_LIMIT_MS = 20_000;

export const BEHAVIOURS = [
  "ok",
  "error",
  "throw",
  "unready",
  "slow",
  "hang",
  "deaf",
  "late",
  "flood",
  "image",
] as const;

const input = lazy(() => z.object({ token: z.string().min(1), behave: z.enum(BEHAVIOURS) }));
type Input = z.infer<ReturnType<typeof input>>;

type Act = (input: Input, context: ToolContext, of: Surroundings) => Promise<void>;

function tool(name: string, effect: Tool["effect"], act: Act): Tool<Input> {
  return {
    name,
    description: `Simulated: ${effect}.`,
    input,
    effect,
    idempotent: effect === "read",
    limit_ms: SIM_LIMIT_MS,
    limit_max_ms: SIM_LIMIT_MS,
    title: ({ token }) => token,
    run: async (request, context) => {
      const of = surroundings.get(context.clock);
      if (of === undefined) throw new Error("a tool runs in no process of the simulation");
      of.ledger.met(`tool:${name} ${request.behave}`);
      return behave(request, context, of, act);
    },
  };
}

async function behave(request: Input, context: ToolContext, of: Surroundings, act: Act): Promise<ToolOutput> {
  const { clock, signal } = context;
  const before = (): void => {
    if (of.luck.chance(of.crash)) crashed(of.process, of.ledger, "before a tool's effect");
  };
  switch (request.behave) {
    case "error":
      return said("error", "it did not work");
    case "throw":
      throw new TypeError("a tool's own mistake");
    case "unready":
      if (!of.unready) break;
      throw new HarnessError("snapshot_failed", "The simulated tool lost its disk.", "Resume.");
    case "hang":
      await clock.sleep(FOR_EVER_MS, signal);
      return said(signal.reason === "timed_out" ? "timed_out" : "canceled", "stopped before anything was done");
    case "deaf":
      await clock.sleep(FOR_EVER_MS);
      return said("ok", "nobody listens any more");
    case "late":
      // It ignores its signal and acts after everybody has given it up.
      await clock.sleep(SIM_LIMIT_MS + LATE_MS);
      if (signal.aborted) return said("canceled", "late");
      break;
    case "slow":
      await clock.sleep(3_000, signal);
      if (signal.aborted) return said("canceled", "stopped before anything was done");
      break;
    case "ok":
    case "flood":
    case "image":
      break;
  }
  before();
  await act(request, context, of);
  if (of.luck.chance(of.crash)) crashed(of.process, of.ledger, "after a tool's effect");
  await of.process.edge(() => Promise.resolve());
  if (request.behave === "image") {
    const blob = await context.keep("the bytes of an image");
    const image = { type: "image", media_type: "image/png", blob, origin: { from: "tool" } } as const;
    return { status: "ok", content: [image], output: null, exit: null };
  }
  if (request.behave !== "flood") return said("ok", `done ${request.token}`);
  const text = "flood ".repeat(FLOOD_CHARS / 6);
  return { ...said("ok", text), output: await context.keep(text) };
}

function said(status: ToolOutput["status"], text: string): ToolOutput {
  return { status, content: [textPart(text, { from: "tool" })], output: null, exit: null };
}

/** Reads the whole file and writes it back with a line more, as `edit` does: two that do so at once lose a line. */
const note = tool("note", "write", async ({ token }, { workspace, clock }) => {
  const before = (await workspace.files.stat(NOTES)) === null ? "" : text(await workspace.files.read(NOTES, 1e9));
  await clock.sleep(5);
  await workspace.files.write(NOTES, new TextEncoder().encode(`${before}${token}\n`));
});

/** Acts outside the workspace, from belay's own process. */
const post = tool("post", "network", ({ token }, _context, { process, ledger, world }) =>
  process.edge(async () => {
    ledger.happens({ token, kind: "outside", by: process.pid, command: null });
    await world.sleep(40);
  }),
);

const look = tool("look", "read", async (_request, { workspace, clock, signal }) => {
  await workspace.files.list(".");
  await clock.sleep(30, signal);
});

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function erased(one: Tool<Input>): Tool {
  return one as unknown as Tool; // as the registry does: the runner hands it only what its schema parsed
}

const REAL = ["read", "write", "bash", "todo"];
export const TOOLS: readonly Tool[] = [
  ...builtInTools().filter(({ name }) => REAL.includes(name)),
  erased(note),
  erased(post),
  erased(look),
];
