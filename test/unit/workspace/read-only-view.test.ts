/** Somebody else's workspace to look at: what breaks if the one who looks tries to write? */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_CONFINEMENT } from "../../../src/kernel/permissions.ts";
import { scriptedModel } from "../../../src/testing/index.ts";
import { readOnlyView } from "../../../src/workspace/read-only-view.ts";
import { testHost } from "../../support/host.ts";
import { SANDBOX, testPlace } from "../../support/session.ts";

async function viewed() {
  const place = testPlace();
  const host = await testHost({ home: place.home, model: scriptedModel([]) });
  const directory = join(place.home, "sessions", "ses_of");
  const { workspace, base } = await host.workspaces.prepare({
    mode: "clone",
    source: place.repository,
    directory,
    base: null,
    branch: "belay/ses_of",
    signal: new AbortController().signal,
  });
  const own = join(place.home, "sessions", "ses_view");
  return { host, workspace, own, view: readOnlyView({ of: workspace, tree: base, directory: own }) };
}

describe("a read-only view", () => {
  test("has the other one's files as they are, writes none, and leaves nothing when it is removed", async () => {
    const { workspace, view, own } = await viewed();
    await workspace.files.write("new.txt", Buffer.from("just now"));
    expect(Buffer.from(await view.files.read("new.txt", 100)).toString()).toBe("just now");
    await expect(view.files.write("new.txt", Buffer.from("mine"))).rejects.toMatchObject({ kind: "file_failed" });
    expect((await view.snapshot()).tree).toBe((await view.snapshot()).tree);
    await view.restore((await workspace.snapshot()).tree);
    expect(readFileSync(join(workspace.root, "new.txt"), "utf8")).toBe("just now");
    await view.remove();
    expect([existsSync(own), existsSync(join(workspace.root, "new.txt"))]).toEqual([false, true]);
  });

  // reason: only the sandbox can hold a command; without one such a sub-agent has no commands
  test.skipIf(SANDBOX === "none")(
    "gives its commands a root in which nothing can be written, and a HOME in which it can",
    async () => {
      const { host, workspace, view } = await viewed();
      const shell = await host.shell(view, "bwrap", DEFAULT_CONFINEMENT);
      const script =
        "for f in fresh src/fresh .git/config .claude/settings.json; do (echo mine > $f) 2>/dev/null && echo WROTE $f; done; " +
        "rm -rf src README.md .git 2>/dev/null; mount -o remount,rw,bind . 2>/dev/null; (echo mine > fresh) 2>/dev/null && echo WROTE; " +
        "echo own > $HOME/own && cat $HOME/own; ls -a";
      const running = await shell.start({
        command: script,
        cwd: view.root,
        interactive: false,
        network: "none",
        output_bytes_max: 10_000,
        onHeld: () => Promise.resolve(),
        onOutput: () => undefined,
      });
      const { output } = await running.ended;
      expect(output).not.toContain("WROTE");
      expect(output).toMatch(/^own$/m);
      expect(existsSync(join(workspace.root, "fresh"))).toBe(false);
      expect(existsSync(join(workspace.root, ".git", "HEAD"))).toBe(true);
      expect((await workspace.snapshot()).tree).toBe((await view.snapshot()).tree);
    },
  );
});
