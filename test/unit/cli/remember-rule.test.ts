import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { insertInto } from "../../../src/cli/json-insert.ts";
import { rememberRule } from "../../../src/cli/remember-rule.ts";
import { fc } from "../../support/property.ts";

const RULE = "Bash(npm run build)";

/** belay's home, with these settings. */
function home(settings: string | null): { readonly home: string; readonly path: string; text(): string } {
  const directory = mkdtempSync(join(tmpdir(), "belay-remember-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "settings.json");
  if (settings !== null) writeFileSync(path, settings);
  return { home: directory, path, text: () => readFileSync(path, "utf8") };
}

describe("a rule that is remembered", () => {
  it("makes the file where there is none", async () => {
    const place = home(null);
    expect(await rememberRule(join(place.home, "new"), RULE)).toEqual({
      path: join(place.home, "new", "settings.json"),
      added: true,
    });
    expect(JSON.parse(readFileSync(join(place.home, "new", "settings.json"), "utf8"))).toEqual({
      permissions: { allow: [RULE] },
    });
  });

  it("changes nothing else of the file, to the byte", async () => {
    const before = `{
    "model": {"primary":   "anthropic/x"},
    "permissions": {
        "deny": ["Read(./.env)"], "allow": [
            "Bash(ls *)"
        ]
    }
}
`;
    const place = home(before);
    await rememberRule(place.home, RULE);
    expect(place.text()).toBe(before.replace('"Bash(ls *)"\n', `"Bash(ls *)",\n            "${RULE}"\n`));
  });

  it("is there once", async () => {
    const place = home(`{"permissions":{"allow":["${RULE}"]}}`);
    expect(await rememberRule(place.home, RULE)).toEqual({ path: place.path, added: false });
    expect(place.text()).toBe(`{"permissions":{"allow":["${RULE}"]}}`);
  });

  it.each([
    ["no JSON", '{"permissions": ', "it is no JSON"],
    ["a list", "[]", "it is no JSON object"],
    ["permissions that are none", '{"permissions": []}', "permissions is no object"],
    ["rules that are no list", '{"permissions": {"allow": "Bash"}}', "permissions.allow is no list"],
  ])("leaves a file with %s alone", async (_, before, why) => {
    const place = home(before);
    await expect(rememberRule(place.home, RULE)).rejects.toMatchObject({
      kind: "config_invalid",
      message: expect.stringContaining(why) as unknown,
    });
    expect(place.text()).toBe(before);
    expect(readdirSync(place.home)).toEqual(["settings.json"]);
  });

  it.each(["Bash", "Bash(*)", "Bash(python *)", "Edit", "WebFetch", "no rule ("])(
    "is refused where it is as good as no rule: %s",
    async (rule) => {
      const place = home(null);
      await expect(rememberRule(place.home, rule)).rejects.toMatchObject({ kind: "usage" });
      expect(existsSync(place.path)).toBe(false);
    },
  );

  it("is not lost when others are written at the same time", async () => {
    const place = home('{"permissions":{"allow":[]}}');
    const rules = Array.from({ length: 12 }, (_, i) => `Bash(npm run task-${String(i)})`);
    await Promise.all(rules.map((rule) => rememberRule(place.home, rule)));
    const { permissions } = JSON.parse(place.text()) as { permissions: { allow: string[] } };
    expect(permissions.allow.toSorted()).toEqual(rules.toSorted());
    expect(readdirSync(place.home)).toEqual(["settings.json"]);
  });

  it("is not held up by a lock that a killed process left behind", async () => {
    const place = home("{}");
    const lock = `${place.path}.lock`;
    mkdirSync(place.home, { recursive: true });
    writeFileSync(lock, "");
    utimesSync(lock, 0, 0);
    expect(await rememberRule(place.home, RULE)).toMatchObject({ added: true });
    expect(readdirSync(place.home)).toEqual(["settings.json"]);
  });
});

describe("inserting into JSON text", () => {
  const key = fc.constantFrom("permissions", "allow", "deny", "a b", 'quo"te', "ü");
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(key, tie("node"), { maxKeys: 3 }),
    ),
  })).node;
  const file = fc.record(
    {
      model: value,
      permissions: fc.record(
        { allow: fc.array(fc.string(), { maxLength: 3 }), deny: fc.array(fc.string()), other: value },
        { requiredKeys: [] },
      ),
      aliases: value,
    },
    { requiredKeys: [] },
  );
  const space = fc.constantFrom<string | number>(0, 2, 4, "\t");

  it("adds the value at the end of its list and changes nothing else, however the file is written", () => {
    fc.assert(
      fc.property(file, space, fc.string(), fc.boolean(), (before, indent, rule, crlf) => {
        const text = JSON.stringify(before, null, indent).replaceAll("\n", crlf ? "\r\n" : "\n");
        const { permissions = {} } = before;
        const after = insertInto(text, ["permissions", "allow"], rule);
        expect(JSON.parse(after)).toEqual({
          ...before,
          permissions: { ...permissions, allow: [...(permissions.allow ?? []), rule] },
        });
        // What was there is still there: the new text is the old one with one piece put in.
        let from = 0;
        while (from < text.length && text[from] === after[from]) from++;
        const kept = text.length - from;
        const empty = /[[{]\s*$/.test(text.slice(0, from)); // an empty list is written over as a whole
        if (!empty) expect(after.endsWith(text.slice(text.length - kept))).toBe(true);
      }),
    );
  });
});
