/** The built command at a pseudo-terminal, by `script` of util-linux: what a person sees, and keys that a person presses. */
import { spawn } from "node:child_process";
import { findProgram } from "../../src/workspace/process/programs.ts";
import { BELAY, type CliPlace } from "./cli.ts";

export interface AtTerminal {
  /** Resolves when the text is seen behind what an earlier wait saw. Rejects when the command ends without it. */
  until(text: string): Promise<void>;
  press(keys: string): void;
  readonly ended: Promise<{ readonly code: number | null; readonly seen: string }>;
}

export function atTerminal(args: readonly string[], place: CliPlace, environment: NodeJS.ProcessEnv): AtTerminal {
  const quoted = [BELAY, ...args].map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
  const script = findProgram("script", process.env["PATH"] ?? "") ?? "script";
  const child = spawn(script, ["-qfec", quoted, "/dev/null"], {
    cwd: place.repository,
    env: { ...environment, TERM: "xterm", NO_COLOR: "1", SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let seen = "";
  let from = 0;
  let over = false;
  const waiting = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    for (const look of [...waiting]) look();
  });
  const ended = new Promise<{ readonly code: number | null; readonly seen: string }>((resolve) => {
    child.on("close", (code) => {
      over = true;
      resolve({ code, seen });
      for (const look of [...waiting]) look();
    });
  });
  return {
    ended,
    press: (keys) => void child.stdin.write(keys),
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const at = seen.indexOf(text, from);
          if (at === -1 && !over) return;
          waiting.delete(look);
          if (at === -1) return reject(new Error(`ended without "${text}": ${seen}`));
          from = at + text.length;
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
