/** The table of sinks: what is open to a session, by what it has taken in. */
import { describe, expect, it } from "vitest";
import { CLEAN_LABEL, type SessionLabel } from "../../../../src/kernel/label.ts";
import { DEFAULT_FLOW, type FlowPolicy, type Grant, SINKS } from "../../../../src/kernel/permissions.ts";
import { openDomains, standsAgainst } from "../../../../src/policy/flow/sinks.ts";

const NOW = 1_000;
const STRANGER = { seq: 4, what: "web https://example.com/", call: null };
const SECRET = { seq: 5, what: "the file .env", call: null };
const UNTRUSTED: SessionLabel = { untrusted: [STRANGER], secret: [] };
const BOTH: SessionLabel = { untrusted: [STRANGER], secret: [SECRET] };
const NETWORK = { sink: "network", destination: "registry.example.com" } as const;
const GRANT: Grant = {
  id: "g",
  sink: "network",
  destination: "registry.example.com",
  label: "untrusted",
  expires_at: null,
};

function against(
  label: SessionLabel,
  flow: Partial<FlowPolicy> = {},
  use: Parameters<typeof standsAgainst>[0] = NETWORK,
) {
  return standsAgainst(use, { label, flow: { ...DEFAULT_FLOW, ...flow }, now: NOW });
}

describe("a sink", () => {
  it("is open while nothing of strangers has come in, also to a session that holds secrets", () => {
    for (const sink of SINKS) {
      expect(against(CLEAN_LABEL, {}, { sink, destination: "x" })).toBeNull();
      expect(against({ untrusted: [], secret: [SECRET] }, {}, { sink, destination: "x" })).toBeNull();
    }
  });

  it("is closed to a session that took in text of strangers and holds what is private, and says where the text came from", () => {
    for (const sink of SINKS) expect(against(UNTRUSTED, {}, { sink, destination: "x" })).toContain(STRANGER.what);
  });

  it("that only carries data out is open where nothing is private, but not once a secret was seen", () => {
    expect(against(UNTRUSTED, { public: true })).toBeNull();
    expect(against(BOTH, { public: true })).toContain("holds secrets");
  });

  it("that changes something is closed to strangers' text also where nothing is private", () => {
    for (const sink of ["push", "comment", "mcp", "configuration", "memory"] as const)
      expect(against(UNTRUSTED, { public: true }, { sink, destination: "x" })).not.toBeNull();
  });
});

describe("a grant", () => {
  it("opens its sink to its destination", () => {
    expect(against(UNTRUSTED, { grants: [GRANT] })).toBeNull();
  });

  it("opens no other sink, no other destination, no name that merely begins or ends like it", () => {
    expect(against(UNTRUSTED, { grants: [{ ...GRANT, sink: "push" }] })).not.toBeNull();
    for (const destination of [
      "npmjs.org",
      "registry.example.com.evil.example",
      "evilregistry.example.com",
      "anywhere",
    ])
      expect(against(UNTRUSTED, { grants: [GRANT] }, { sink: "network", destination })).not.toBeNull();
  });

  it("for a name with a star covers what is below it, not the name itself, and never everything", () => {
    const below = { ...GRANT, destination: "*.example.com" };
    expect(against(UNTRUSTED, { grants: [below] }, { sink: "network", destination: "api.example.com" })).toBeNull();
    for (const destination of ["example.com", "evilexample.com", "api.example.com.evil.example"])
      expect(against(UNTRUSTED, { grants: [below] }, { sink: "network", destination })).not.toBeNull();
    expect(against(UNTRUSTED, { grants: [{ ...GRANT, destination: "*" }] })).not.toBeNull();
    expect(against(UNTRUSTED, { grants: [{ ...GRANT, destination: "*." }] })).not.toBeNull();
  });

  it("for what is private is none for secrets", () => {
    expect(against(BOTH, { grants: [GRANT] })).not.toBeNull();
    expect(against(BOTH, { grants: [{ ...GRANT, label: "secret" }] })).toBeNull();
    expect(against(UNTRUSTED, { grants: [{ ...GRANT, label: "secret" }] })).toBeNull();
  });

  it("ends at its time", () => {
    expect(against(UNTRUSTED, { grants: [{ ...GRANT, expires_at: NOW + 1 }] })).toBeNull();
    expect(against(UNTRUSTED, { grants: [{ ...GRANT, expires_at: NOW }] })).not.toBeNull();
  });

  it("keeps the hosts open that it names, and no other", () => {
    const flow = { ...DEFAULT_FLOW, grants: [GRANT] };
    expect(openDomains(["registry.example.com", "example.com"], { label: UNTRUSTED, flow, now: NOW })).toEqual([
      "registry.example.com",
    ]);
    expect(openDomains(["example.com"], { label: CLEAN_LABEL, flow, now: NOW })).toEqual(["example.com"]);
  });
});
