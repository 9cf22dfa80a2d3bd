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

  it("hands on the keys and addresses of providers, and of nothing else", () => {
    const env = { OPENAI_API_KEY: "sk-1", OLLAMA_HOST: "box", GITHUB_TOKEN: "ghp-1", PATH: "/bin" };
    expect(readEnvironment(env, "/root").providers).toEqual({ OPENAI_API_KEY: "sk-1", OLLAMA_HOST: "box" });
  });

  it("keeps the password in an address out of the journal too", () => {
    const { secrets } = readEnvironment({ OPENAI_BASE_URL: "https://me:correct-horse@proxy.example/v1" }, "/root");
    expect(secrets).toEqual([{ name: "OPENAI_BASE_URL", value: "correct-horse" }]);
  });

  it("treats an empty variable as none", () => {
    const environment = readEnvironment({ NO_COLOR: "", ANTHROPIC_API_KEY: "" }, "/root");
    expect([environment.noColor, environment.providers]).toEqual([false, {}]);
  });
});
