/**
 * The vault of a session: which token stands for which text. It lives beside the journal, never in it.
 *
 * V1: a token stands for one text for ever, and a text of one name has one token; beyond `TOKENS_MAX` all have the same, and
 *     their texts are not kept.
 * V2: when `flush` resolved, every token given out before can be turned back after a crash.
 */
import { createHmac, randomBytes } from "node:crypto";
import { link, open, readFile, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { ignoreErrno, isErrno, rethrowAsStoreError } from "./file-error.ts";
import { makePrivateDirectory, syncDirectory } from "./private-directory.ts";
import { corrupt } from "./refusal.ts";

export interface Vault {
  /** The token of a text; a new one when it has none. */
  tokenOf(name: string, text: string): string;
  /** What a token stands for; undefined for one that was never given out. */
  textOf(token: string): string | undefined;
  /** Everything it holds. */
  entries(): Iterable<readonly [token: string, text: string]>;
  /** Makes all tokens durable. @throws HarnessError `store_full`, `store_read_only`, `store_io` */
  flush(): Promise<void>;
}

/** Tokens of one session: a page of lookalikes must not grow without end. */
export const TOKENS_MAX = 10_000;
/** Of all that come later: they are taken out like the others, and cannot be turned back. */
const OVERFLOW = "[secret:too_many:00000000]";
const OVERFLOW_TEXT = `(one of more than ${TOKENS_MAX} secrets: not kept)`;
const NAME_CHARS_MAX = 64;
const KEY_BYTES = 32;

interface VaultFile {
  readonly version: 1;
  /** Hex. Makes tokens that tell nothing about their texts. */
  readonly key: string;
  readonly secrets: Readonly<Record<string, string>>;
}

/** For tests, and for sessions that are not kept. */
export function memoryVault(key: Uint8Array = randomBytes(KEY_BYTES)): Vault {
  const { vault } = vaultOf(key, []);
  return vault;
}

/** Opens the vault at `path`, or makes it: a file that only its owner can read. @throws HarnessError `store_corrupt`, … */
export async function openVault(options: { readonly path: string }): Promise<Vault> {
  const { path } = options;
  const file = (await readVault(path)) ?? (await createVault(path));
  const held = vaultOf(Buffer.from(file.key, "hex"), Object.entries(file.secrets));
  return {
    ...held.vault,
    async flush() {
      if (!held.isDirty()) return;
      // A process that lost its lease may have added tokens in the meantime: nobody's are dropped.
      const stored = (await readVault(path)) ?? file;
      const written = held.size();
      await writeFile(
        path,
        { ...file, secrets: { ...stored.secrets, ...Object.fromEntries(held.vault.entries()) } },
        "replace",
      );
      held.saved(written);
    },
  };
}

interface HeldVault {
  readonly vault: Vault;
  isDirty(): boolean;
  size(): number;
  /** The first `count` tokens are durable. */
  saved(count: number): void;
}

/** A vault of its own with the same tokens. Nothing when there is none at `from`. */
export async function copyVault(from: string, to: string): Promise<void> {
  const file = await readVault(from);
  if (file === null) return;
  await makePrivateDirectory(dirname(to)).catch((error: unknown) => rethrowAsStoreError(to, error));
  await writeFile(to, file, "replace");
}

function vaultOf(key: Uint8Array, stored: Iterable<readonly [string, string]>): HeldVault {
  const texts = new Map<string, string>(stored);
  const tokens = new Map<string, string>();
  for (const [token, text] of texts) tokens.set(`${nameIn(token)}\0${text}`, token);
  let durable = texts.size;

  const newToken = (name: string, text: string): string => {
    for (let attempt = 0; ; attempt++) {
      const digest = createHmac("sha256", key).update(`${name}\0${attempt}\0${text}`, "utf8").digest("hex").slice(0, 8);
      const token = `[secret:${name}:${digest}]`;
      if (!texts.has(token)) return token;
    }
  };

  return {
    vault: {
      tokenOf(rawName, text) {
        const name = rawName.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, NAME_CHARS_MAX) || "secret";
        const known = tokens.get(`${name}\0${text}`);
        if (known !== undefined) return known;
        if (texts.size >= TOKENS_MAX) {
          texts.set(OVERFLOW, OVERFLOW_TEXT);
          return OVERFLOW;
        }
        const token = newToken(name, text);
        texts.set(token, text);
        tokens.set(`${name}\0${text}`, token);
        return token;
      },
      textOf: (token) => texts.get(token),
      entries: () => texts.entries(),
      flush: async () => {},
    },
    isDirty: () => texts.size > durable,
    size: () => texts.size,
    saved: (count) => {
      durable = Math.max(durable, count);
    },
  };
}

function nameIn(token: string): string {
  return token.slice("[secret:".length, token.lastIndexOf(":"));
}

async function createVault(path: string): Promise<VaultFile> {
  const file: VaultFile = { version: 1, key: randomBytes(KEY_BYTES).toString("hex"), secrets: {} };
  await makePrivateDirectory(dirname(path)).catch((error: unknown) => rethrowAsStoreError(path, error));
  // Whoever is first wins: a second key would give a second token to the same secret.
  if (await writeFile(path, file, "create")) return file;
  const other = await readVault(path);
  if (!other) throw corrupt(`The vault ${path} vanished while it was opened.`);
  return other;
}

async function readVault(path: string): Promise<VaultFile | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error) && error.code === "ENOENT") return null;
    return rethrowAsStoreError(path, error);
  }
  const file = parseVault(text);
  if (!file) throw corrupt(`The vault ${path} is damaged: the secrets of its session cannot be restored.`);
  return file;
}

function parseVault(text: string): VaultFile | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    if (!("version" in value) || value.version !== 1) return null;
    if (!("key" in value) || typeof value.key !== "string") return null;
    if (!("secrets" in value) || typeof value.secrets !== "object" || value.secrets === null) return null;
    if (!Object.values(value.secrets).every((secret) => typeof secret === "string")) return null;
    return value as VaultFile; // every member was checked above
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** All or nothing, and durable: a temporary file beside it, synced, then put in its place. @returns false when `create` came second */
async function writeFile(path: string, file: VaultFile, mode: "create" | "replace"): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(JSON.stringify(file), "utf8");
      await handle.sync();
    } finally {
      await handle.close();
    }
    const placed = mode === "replace" ? (await rename(temporary, path), true) : await linked(temporary, path);
    await syncDirectory(dirname(path));
    return placed;
  } catch (error) {
    return rethrowAsStoreError(path, error);
  } finally {
    await unlink(temporary).catch(ignoreErrno); // gone after a rename; never there when it could not be made
  }
}

async function linked(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (isErrno(error) && error.code === "EEXIST") return false;
    throw error;
  }
}
