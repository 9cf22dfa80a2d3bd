/**
 * Kill points: every journal append and every boundary of an effect is numbered as it is passed, and the process kills
 * itself with SIGKILL at the one it was told. Put around a real host; belay's own code knows nothing of it.
 */
import type { Host } from "../../src/engine/host.ts";
import type { ShellCommand } from "../../src/workspace/shell.ts";
import type { Workspace } from "../../src/workspace/workspace.ts";

export interface KillPoints {
  /** Passes a point; does not return when it is the one. */
  hit(name: string): void;
  readonly passed: number;
}

/** @param target 0 for never. */
export function killPoints(target: number, onPoint: (name: string) => void): KillPoints {
  let passed = 0;
  return {
    hit(name) {
      passed += 1;
      onPoint(name);
      if (passed !== target) return;
      process.kill(process.pid, "SIGKILL");
      // Nothing more may happen while the signal is on its way.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
    get passed() {
      return passed;
    },
  };
}

export function withKillPoints(host: Host, points: KillPoints): Host {
  return {
    ...host,
    store: around(host.store, ["append", "createSession", "claim", "putBlob", "putSnapshot", "release"], points),
    admission: {
      enter: async (request, options) => {
        points.hit("enter.before");
        const entry = await host.admission.enter(request, options);
        points.hit("enter.after");
        return entry.ok ? around(entry, ["settle"], points) : entry;
      },
    },
    models: { of: async (provider) => around(await host.models.of(provider), ["call"], points) },
    workspaces: {
      prepare: async (request) => {
        points.hit("prepare.before");
        const prepared = await host.workspaces.prepare(request);
        points.hit("prepare.after");
        return { ...prepared, workspace: workspaceWith(prepared.workspace, points) };
      },
      open: async (request) => workspaceWith(await host.workspaces.open(request), points),
    },
    shell: async (workspace, mode, limits) => {
      const shell = await host.shell(workspace, mode, limits);
      return {
        mode: shell.mode,
        start: async (command: ShellCommand) => {
          points.hit("start.before");
          const running = await shell.start({
            ...command,
            onHeld: async (process) => {
              points.hit("held.before");
              await command.onHeld(process);
              points.hit("held.after");
            },
          });
          points.hit("released");
          void running.ended.then(() => points.hit("ended"));
          return running;
        },
      };
    },
    endProcess: async (process) => {
      points.hit("endProcess.before");
      const end = await host.endProcess(process);
      points.hit("endProcess.after");
      return end;
    },
  };
}

function workspaceWith(workspace: Workspace, points: KillPoints): Workspace {
  const effects = ["snapshot", "restore", "resetScratch", "commit", "untrackedChangedSince"] as const;
  const files = around(workspace.files, ["read", "write"], points);
  return new Proxy(around(workspace, effects, points), {
    get: (target, key) => (key === "files" ? files : (Reflect.get(target, key) as unknown)),
  });
}

/** Hits a point before and after each of the named asynchronous methods. */
function around<T extends object>(object: T, methods: readonly (keyof T & string)[], points: KillPoints): T {
  return new Proxy(object, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      // the methods keep their types: the proxy stands in for an object of type T
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      if (!methods.includes(key as keyof T & string)) return method;
      return async (...args: unknown[]) => {
        points.hit(`${key.toString()}.before`);
        const result: unknown = await method(...args);
        points.hit(`${key.toString()}.after`);
        return result;
      };
    },
  });
}
