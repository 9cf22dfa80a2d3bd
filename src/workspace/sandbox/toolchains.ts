/**
 * The user's home is hidden from commands, but tool chains live there: what PATH names and the well-known managers are
 * shown again, read-only. Only programs: directories that hold credentials beside them are named one level deeper.
 */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";

const WELL_KNOWN: readonly string[] = [
  ".nvm",
  ".fnm",
  ".local/share/fnm",
  ".volta",
  ".nodenv",
  ".local/share/pnpm",
  ".bun/bin",
  ".deno/bin",
  ".pyenv",
  ".local/bin",
  ".local/lib",
  ".local/share/uv",
  ".local/share/mise",
  ".local/pipx",
  ".local/share/pipx",
  "miniconda3",
  "anaconda3",
  ".cargo/bin",
  ".rustup",
  "go/bin",
  "go/pkg/mod",
  ".goenv",
  ".rbenv",
  ".rvm",
  ".gem/ruby",
  ".sdkman/candidates",
  ".sdkman/bin",
  ".jenv",
  ".asdf",
  ".ghcup/bin",
  ".linuxbrew",
];

/** Beside a `bin` on PATH: what its programs load. */
const BESIDE_BIN: readonly string[] = ["lib", "lib64", "libexec", "share", "include"];

/** Managers that find themselves through HOME, and how to tell them where they really are. */
const RELOCATED: Readonly<Record<string, string>> = {
  RUSTUP_HOME: ".rustup",
  PYENV_ROOT: ".pyenv",
  NVM_DIR: ".nvm",
  VOLTA_HOME: ".volta",
  RBENV_ROOT: ".rbenv",
  SDKMAN_DIR: ".sdkman",
};

/** Directories of the home to show again. Real paths, existing. */
export function toolchainDirectories(home: string): readonly string[] {
  return WELL_KNOWN.map((name) => join(home, name)).flatMap(realDirectory);
}

/** Directories of PATH and what stands beside them. Real paths, existing. */
export function pathDirectories(path: string): readonly string[] {
  return path
    .split(":")
    .filter(isAbsolute)
    .flatMap((entry) => [
      entry,
      ...(/^s?bin$/.test(basename(entry)) ? BESIDE_BIN.map((name) => join(dirname(entry), name)) : []),
    ])
    .flatMap(realDirectory);
}

export function relocations(home: string): Readonly<Record<string, string>> {
  const present = Object.entries(RELOCATED).filter(([, directory]) => existsSync(join(home, directory)));
  return Object.fromEntries(present.map(([name, directory]) => [name, join(home, directory)]));
}

function realDirectory(path: string): readonly string[] {
  return existsSync(path) ? [realpathSync(path)] : [];
}
