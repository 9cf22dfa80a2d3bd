import { expect, it } from "vitest";
import { CLEAN_LABEL, type SessionLabel } from "../../../src/kernel/label.ts";
import type { FlowPolicy } from "../../../src/kernel/permissions.ts";
import { judge } from "../../../src/policy/judge.ts";
import { testConfig } from "../../support/config.ts";

const READ_STRANGERS: SessionLabel = {
  untrusted: [{ seq: 1, what: "web https://example.com", call: null }],
  secret: [],
};

function decided(label: SessionLabel, flow: Partial<FlowPolicy> = {}, scope?: string): string {
  const config = testConfig({ flow: { grants: [], untrusted: null, public: false, ...flow } });
  const input = { text: "x", kind: "semantic", ...(scope === undefined ? {} : { scope }) };
  const standing = {
    config,
    label,
    phase: null,
    root: "/w",
    home: "/h",
    now: 0,
    userWrote: () => false,
    webNamed: () => false,
  };
  return judge({ tool: "remember", effect: "read", input }, standing, null).decision;
}

const grant = (destination: string): FlowPolicy["grants"] => [
  { id: "g", sink: "memory", destination, label: "untrusted", expires_at: null },
];

it("to remember acts on later sessions: who read text of strangers is asked, unless it was granted, also where all is public", () => {
  expect(decided(CLEAN_LABEL)).toBe("allow");
  expect(decided(READ_STRANGERS)).toBe("ask");
  expect(decided(READ_STRANGERS, { public: true })).toBe("ask");
  expect(decided(READ_STRANGERS, { grants: grant("project") })).toBe("allow");
  expect(decided(READ_STRANGERS, { grants: grant("project") }, "team")).toBe("ask");
});
