/**
 * `--sandbox external` is a word of the user's. What does the machine say to it? Roots as machines of each kind have them;
 * what is not there is not there.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { CLEAN_LABEL } from "../../src/kernel/label.ts";
import { judge } from "../../src/policy/judge.ts";
import { readCall } from "../../src/policy/call-reading.ts";
import { type ExternalProbe, probeExternal } from "../../src/workspace/sandbox/external.ts";
import { testConfig } from "../support/config.ts";

const MOUNTS = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n23 22 0:21 / /proc rw,nosuid - proc proc rw\n";
const LAPTOP: Readonly<Record<string, string>> = {
  "proc/self/mountinfo": MOUNTS,
  "proc/self/cgroup": "0::/user.slice/user-1000.slice/session-2.scope\n",
  "proc/2/comm": "kthreadd\n",
  "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu vme de pse tsc msr\n",
  "proc/sys/kernel/osrelease": "6.8.0-45-generic\n",
  "sys/class/dmi/id/sys_vendor": "LENOVO\n",
  "sys/class/dmi/id/product_name": "21CBCTO1WW\n",
};

function probed(files: Readonly<Record<string, string | null>>, platform: NodeJS.Platform = "linux"): ExternalProbe {
  const root = mkdtempSync(join(tmpdir(), "belay-machine-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    if (content === null) continue;
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return probeExternal({ root, platform, environment: {} });
}

describe("a declared boundary", () => {
  it("is contradicted by a bare machine", () => {
    expect(probed(LAPTOP)).toEqual({ verdict: "contradicted", evidence: [] });
  });

  it.each([
    ["Docker", { ".dockerenv": "" }, "a Docker container"],
    ["Podman", { "run/.containerenv": "" }, "a Podman container"],
    ["systemd-nspawn", { "run/systemd/container": "systemd-nspawn" }, "systemd-nspawn"],
    ["Kubernetes", { "proc/self/cgroup": "0::/kubepods.slice/kubepods-pod1.slice/cri-1.scope\n" }, "kubepods"],
    [
      "containerd with a control group of its own",
      {
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": `${MOUNTS}99 22 8:1 /var/lib/kubelet/pods/1/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n`,
      },
      "mounted by kubelet",
    ],
    ["processes of its own", { "proc/2/comm": "node\n" }, "PID namespace"],
    ["a virtual machine", { "proc/cpuinfo": "flags\t\t: fpu hypervisor lahf_lm\n" }, "names a hypervisor"],
    ["a machine of a cloud without that flag", { "sys/class/dmi/id/sys_vendor": "Amazon EC2\n" }, "Amazon EC2"],
  ])("is confirmed by %s", (_name, files, said) => {
    const { verdict, evidence } = probed({ ...LAPTOP, ...files });
    expect(verdict).toBe("confirmed");
    expect(evidence.join("\n")).toContain(said);
  });

  it.each([
    ["hidden processes of others", { "proc/2/comm": null, "proc/self/mountinfo": `${MOUNTS.trimEnd()},hidepid=2\n` }],
    [
      "a rented machine that is whole",
      { "sys/class/dmi/id/sys_vendor": "Amazon EC2\n", "sys/class/dmi/id/product_name": "i3.metal\n" },
    ],
    [
      "a Linux of Windows, with the user's drives in it",
      {
        "proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n",
        "proc/cpuinfo": "flags\t\t: fpu hypervisor\n",
        "proc/2/comm": "init\n",
      },
    ],
    [
      "the host among virtual machines",
      { "proc/xen/capabilities": "control_d\n", "proc/cpuinfo": "flags\t\t: hypervisor\n" },
    ],
  ])("is not confirmed by %s", (_name, files) => {
    expect(probed({ ...LAPTOP, ...files }).evidence).toEqual([]);
  });

  it("is not known where the system has no files that would tell", () => {
    expect(probed({}, "darwin").verdict).toBe("unknown");
    expect(probed({}).verdict).toBe("unknown");
  });

  it("puts nothing of a file that somebody else wrote into the sentence but a word", () => {
    const { evidence } = probed({ ...LAPTOP, "run/systemd/container": "lxc\n::error::x" });
    expect(evidence[0]).toBe("a container (/run/systemd/container says lxc)");
  });
});

describe("a command with the boundary around belay", () => {
  it("runs without a question, because of the boundary; the mode `plan` still changes nothing", async () => {
    const config = testConfig({ sandbox: { mode: "external", network: true }, approval: "sandbox" });
    const request = { tool: "bash", effect: "execute", input: { command: "npm test" } } as const;
    const standing = {
      config,
      label: CLEAN_LABEL,
      phase: null,
      root: "/workspace",
      home: "/home/user",
      now: 0,
      userWrote: () => false,
      webNamed: () => false,
    };
    const read = await readCall(request, standing);
    expect(judge(request, standing, read)).toMatchObject({
      decision: "allow",
      reason: expect.stringContaining("boundary") as string,
    });
    const planning = { ...standing, config: { ...config, permission_mode: "plan" } as const };
    expect(judge(request, planning, await readCall(request, planning)).decision).toBe("deny");
  });
});
