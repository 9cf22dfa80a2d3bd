import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";

describe("the environment", () => {
  it.each([
    [{ BELAY_HOME: "/b" }, "/b"],
    [{ BELAY_HOME: "below/here" }, join(process.cwd(), "below/here")],
    [{ XDG_DATA_HOME: "/data" }, "/data/belay"],
    [{ XDG_DATA_HOME: "relative" }, "/home/u/.local/share/belay"],
    [{ BELAY_HOME: "" }, "/home/u/.local/share/belay"],
    [{}, "/home/u/.local/share/belay"],
  ])("with %j puts belay's home at %s", (env, home) => {
    expect(readEnvironment({ HOME: "/home/u", ...env }, "/root").home).toBe(home);
  });

  it("uses the system's home where HOME is not set", () => {
    expect(readEnvironment({}, "/root").home).toBe("/root/.local/share/belay");
  });

  it("finds the values that must never be journaled, and not the paths and short words beside them", () => {
    const { secrets } = readEnvironment(
      {
        ANTHROPIC_API_KEY: "sk-ant-12345678",
        DB_PASSWORD: "correct horse",
        SSH_KEY_FILE: "/home/u/.ssh/id",
        TOKEN: "short",
        LANG: "C.UTF-8",
      },
      "/root",
    );
    expect(secrets.map(({ name }) => name)).toEqual(["ANTHROPIC_API_KEY", "DB_PASSWORD"]);
  });

  it("treats an empty variable as none", () => {
    const environment = readEnvironment({ NO_COLOR: "", ANTHROPIC_API_KEY: "" }, "/root");
    expect([environment.noColor, environment.apiKey]).toEqual([false, undefined]);
  });
});
