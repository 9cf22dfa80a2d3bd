import { describe, expect, it } from "vitest";
import { stopOnSignals } from "../../../src/cli/signals.ts";

function listening() {
  const seen: string[] = [];
  const quiet = stopOnSignals({
    cancel: (by) => void seen.push(`cancel ${by}`),
    note: () => void seen.push("note"),
    leave: (code) => void seen.push(`leave ${code}`),
  });
  return { seen, quiet };
}

describe("signals while a session is driven", () => {
  it("stop the work at the first Ctrl+C and leave at the second", () => {
    const { seen, quiet } = listening();
    process.emit("SIGINT");
    process.emit("SIGINT");
    quiet();
    expect(seen).toEqual(["note", "cancel sigint", "leave 130"]);
  });

  it("stop in good order on SIGTERM and SIGHUP", () => {
    const { seen, quiet } = listening();
    process.emit("SIGTERM");
    process.emit("SIGHUP");
    quiet();
    expect(seen).toEqual(["cancel sigterm", "cancel sighup"]);
  });

  it("are nobody's any more when the run is over", () => {
    const before = process.listenerCount("SIGTERM");
    const { quiet } = listening();
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    quiet();
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
