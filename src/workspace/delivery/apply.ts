/**
 * Brings work into the user's files, uncommitted. Path by path: what the user has not touched is replaced, what both
 * changed is merged when it is text, anything else is refused. Everything is decided before the first byte is written.
 */
import { textOf } from "../byte-path.ts";
import type { ChangedPath, Side } from "../snapshot/changed-paths.ts";
import * as delivery from "./delivery.ts";
import { readBlob, writeObject } from "../git/objects.ts";
import { RootedDirectory } from "../files/rooted.ts";
import { mergeTexts } from "./three-way.ts";
import { sameSide, sideOf, type Standing, standingAt, type Write, writeBack } from "./write-back.ts";
import type { Delivered, DeliverRequest } from "../workspace.ts";

type Decision =
  { readonly is: "write"; readonly after: Side | null } | { readonly is: "nothing" | "lost" | "conflict" };

export async function applyWork(place: delivery.DeliveryPlace, request: DeliverRequest): Promise<Delivered> {
  if (place.mode === "in_place") return { files: [], commit: null }; // the work is where it was done
  const work = await delivery.readWork(place, request);
  const files = new RootedDirectory(place.source);
  const removed = new Set(work.changes.filter((change) => change.after === null).map((change) => change.path));
  const writes: Write[] = [];
  const refused = { lost: [] as ChangedPath[], conflict: [] as ChangedPath[] };
  for (const change of work.changes) {
    const standing = standingAt(files, change.path, delivery.DELIVERED_FILE_BYTES_MAX);
    const blocked = change.after !== null && delivery.isBlocked(files, change.path, removed);
    const decision: Decision = blocked ? { is: "lost" } : await decide(place, change, standing, work);
    if (decision.is === "write") writes.push({ path: change.path, before: standing, after: decision.after });
    else if (decision.is !== "nothing") refused[decision.is].push(change);
  }
  delivery.requireNothingLost(
    refused.lost.map(({ path }) => path),
    "Nothing was changed: move them away, then try again.",
  );
  delivery.requireNoConflict(refused.conflict.map(({ path }) => path));
  const { git, store, ordinary } = place;
  await writeBack({ git, files, store, ordinary }, writes, async () => delivery.rememberDelivered(place, work.tree));
  return { files: writes.map(({ path }) => textOf(path)), commit: null };
}

async function decide(
  place: delivery.DeliveryPlace,
  change: ChangedPath,
  standing: Standing,
  work: delivery.Work,
): Promise<Decision> {
  const { before, after, path } = change;
  if (delivery.touchesSubmodule(change)) return { is: "conflict" };
  const ours = sideOf(standing);
  const isDirectory = standing.is === "other";
  if (!isDirectory && sameSide(ours, after)) return { is: "nothing" };
  if (isDirectory) return after === null ? { is: "nothing" } : { is: "write", after }; // not blocked: what is in it goes
  const known = [before, ...(work.earlier.has(path) ? [work.earlier.get(path) ?? null] : [])];
  if (known.some((state) => sameSide(ours, state))) return { is: "write", after };
  if (before === null) return { is: "lost" };
  if (ours === null || after === null || !delivery.isRegular(before) || !delivery.isRegular(after))
    return { is: "conflict" };
  if (standing.is !== "file") return { is: "conflict" };
  const [base, theirs] = await Promise.all([blob(place, before), blob(place, after)]);
  const texts = { base, ours: standing.content, theirs };
  const merged = await mergeTexts(place.git, place.store, place.layout.delivery, texts);
  if (merged === null) return { is: "conflict" };
  const object = writeObject(place.store.objects, "blob", merged);
  return { is: "write", after: { mode: delivery.mergedMode(before, ours, after), object } };
}

function blob(place: delivery.DeliveryPlace, side: Side): Promise<Buffer> {
  return readBlob(place.git, place.store, side.object);
}
