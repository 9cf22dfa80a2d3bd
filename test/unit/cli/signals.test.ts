import { describe, expect, it, onTestFinished } from "vitest";
import { listenForSignals, TOGETHER_MS } from "../../../src/cli/signals.ts";

function listening() {
  const seen: string[] = [];
  let now = 0;
  const signals = listenForSignals({ leave: (code) => void seen.push(`leave ${code}`), monotonic: () => now });
  onTestFinished(() => signals.quiet());
  const target = {
    cancel: (by: string) => void seen.push(`cancel ${by}`),
    note: (text: string) => void seen.push(text.split(";")[0] ?? ""),
  };
  return { seen, signals, drive: () => signals.stops(target), later: () => (now += TOGETHER_MS) };
}

describe("a signal", () => {
  it.each([
    ["SIGINT", "cancel sigint", "leave 130"],
    ["SIGTERM", "cancel sigterm", "leave 143"],
    ["SIGHUP", "cancel sighup", "leave 143"],
  ] as const)(
    "%s stops a driven session in good order, and leaves at once when it is the second",
    (name, cancel, leave) => {
      const { seen, drive, later } = listening();
      drive();
      process.emit(name);
      expect(seen).toEqual(["stopping", cancel]);
      later();
      process.emit("SIGTERM");
      expect(seen.slice(2)).toEqual([leave]);
    },
  );

  it("leaves at once before there is a session", () => {
    const { seen } = listening();
    process.emit("SIGTERM");
    expect(seen).toEqual(["leave 143"]);
  });

  it("that comes with the first is the same: npm hands on the Ctrl+C that the terminal has sent too", () => {
    const { seen, drive, later } = listening();
    drive();
    process.emit("SIGINT");
    process.emit("SIGINT");
    process.emit("SIGHUP");
    expect(seen).toEqual(["stopping", "cancel sigint"]);
    later();
    process.emit("SIGINT");
    expect(seen.at(-1)).toBe("leave 130");
  });

  it("after the reader of the output is gone is the second", () => {
    const { seen, signals, drive, later } = listening();
    drive();
    signals.stop("sighup", "the reader is gone");
    later();
    process.emit("SIGTERM");
    expect(seen).toEqual(["cancel sighup", "leave 143"]);
  });

  it("is nobody's any more when the run is over", () => {
    const before = process.listenerCount("SIGTERM");
    const { signals } = listening();
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    signals.quiet();
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
