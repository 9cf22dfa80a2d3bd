import { expect, it } from "vitest";
import { commandEnvironment, type EnvironmentRequest } from "../../../src/workspace/sandbox/environment.ts";

const request = (changes: Partial<EnvironmentRequest>): EnvironmentRequest => ({
  root: "/nonexistent",
  environment: {},
  path: "/usr/bin",
  home: "/h",
  tmp: "/t",
  bash: "/bin/bash",
  interactive: false,
  network: false,
  toolchains: {},
  uid: 1000,
  ...changes,
});

it("hands on how to reach the network only with network, and never with a password in it", () => {
  const environment = {
    HTTPS_PROXY: "http://proxy:3128",
    HTTP_PROXY: "http://user:secret@proxy:3128",
    AWS_SECRET: "x",
  };
  expect(commandEnvironment(request({ environment }))).not.toHaveProperty("HTTPS_PROXY");
  const with_network = commandEnvironment(request({ environment, network: true }));
  expect(with_network["HTTPS_PROXY"]).toBe("http://proxy:3128");
  expect(JSON.stringify(with_network)).not.toMatch(/secret|AWS/);
});

it("never lets the workspace decide what a program's name means", () => {
  expect(commandEnvironment(request({ path: "node_modules/.bin:/opt/bin::.:/usr/bin" }))["PATH"]).toBe(
    "/opt/bin:/usr/bin",
  );
  expect(commandEnvironment(request({ path: "" }))["PATH"]).toBe("/usr/local/bin:/usr/bin:/bin");
});

it("tells a terminal from none, and root not to give files away when unpacking", () => {
  expect(commandEnvironment(request({ interactive: true }))["TERM"]).toBe("xterm");
  expect(commandEnvironment(request({}))["TERM"]).toBe("dumb");
  expect(commandEnvironment(request({ uid: 0 }))["TAR_OPTIONS"]).toBe("--no-same-owner");
  expect(commandEnvironment(request({}))).not.toHaveProperty("TAR_OPTIONS");
});
