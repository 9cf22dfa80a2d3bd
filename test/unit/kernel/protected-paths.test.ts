/** Paths that make other programs do something, and secrets, however their names are spelt. */
import { describe, expect, it } from "vitest";
import { COVERED_PATHS, isProtectedPath } from "../../../src/kernel/protected-paths.ts";
import { isSecretPath, secretContent } from "../../../src/kernel/secret-paths.ts";

describe("a protected path", () => {
  it.each([
    ...COVERED_PATHS,
    ...[".git", ".git/hooks/pre-commit", ".git/config", "vendor/x/.git/hooks/post-checkout", ".git/info/attributes"],
    ...[".git/modules/lib/config", ".git/modules/a/b/hooks/pre-push", ".git/worktrees/w/config.worktree"],
    ...[".claude/settings.json", "packages/app/.vscode/tasks.json", ".idea/workspace.xml", "sub/.envrc", ".zshenv"],
  ])("is %s", (path) => {
    expect(isProtectedPath(path)).toBe(true);
  });

  it.each([
    ...[".CLAUDE/settings.json", ".Git/Hooks/pre-commit", ".gIt/CONFIG", ".VSCode/tasks.json", ".MCP.json"],
    ...[".git./hooks/x", ".git /config", "GIT~1/hooks/x", ".git::$INDEX_ALLOCATION/config", ".git\\hooks\\x"],
    ...[
      ".g\u200cit/config",
      ".clau\u00adde/x",
      ".cl\uFF41ude/x",
      ".\u212Aclaude".replace("\u212A", ""),
      "a/../.claude/x",
      "./.claude//x",
    ],
  ])("is %j, as some file system reads it", (path) => {
    expect(isProtectedPath(path)).toBe(true);
  });

  it.each([
    ...[
      "src/app.ts",
      "README.md",
      "CLAUDE.md",
      "AGENTS.md",
      ".github/workflows/ci.yml",
      ".gitignore",
      ".gitattributes",
    ],
    ...[
      "git/hooks/x",
      "claude/settings.json",
      ".claude.md",
      "hooks/config",
      ".git/objects/aa",
      ".git/HEAD",
      "docs/.vscodeignore",
    ],
  ])("is not %s", (path) => {
    expect(isProtectedPath(path)).toBe(false);
  });
});

describe("a secret", () => {
  it.each([
    ...[".env", ".env.local", ".env.production", "api/.env.test", ".ENV", ".envrc", ".env_prod", ".env-backup"],
    ...[
      "id_rsa",
      ".ssh/id_ed25519",
      ".netrc",
      ".pypirc",
      ".git-credentials",
      "credentials.json",
      "service-account.json",
    ],
    ...[
      "service_account-prod.json",
      "vault.kdbx",
      ".aws/credentials",
      ".Docker/config.json",
      "x/.kube/config",
      "ID_RSA",
    ],
  ])("is %s by its name", (path) => {
    expect(isSecretPath(path)).toBe(true);
  });

  it.each([
    ...[
      ".env.example",
      ".env.sample",
      ".env.template",
      ".env.dist",
      ".env.defaults",
      ".env.local.example",
      ".environment",
    ],
    ...[
      "id_rsa.pub",
      "env.ts",
      "config",
      "src/credentials.ts",
      "server.pem",
      ".npmrc",
      "tsconfig.json",
      "service-accounts.ts",
    ],
  ])("is not %s by its name", (path) => {
    expect(isSecretPath(path)).toBe(false);
  });

  it.each([
    ["server.pem", "-----BEGIN RSA PRIVATE KEY-----\n", true],
    ["tls.key", "-----BEGIN PRIVATE KEY-----\n", true],
    ["server.pem", "-----BEGIN CERTIFICATE-----\n", false],
    ["test/fixtures/server.key", "-----BEGIN PRIVATE KEY-----\n", false],
    [".npmrc", "registry=https://npm.example.com/\nsave-exact=true\n", false],
    [".npmrc", "//npm.example.com/:_authToken=npm_0123456789\n", true],
    [".npmrc", `//npm.example.com/:_authToken=$${"{NPM_TOKEN}"}\n`, false],
    [".npmrc", "# _authToken=abc\n", false],
    ["sub/.npmrc", "_password = aGVsbG8=\n", true],
    [".yarnrc.yml", "npmAuthToken: abc\n", true],
  ])("is %s only by its content: %j, %s", (path, content, secret) => {
    expect(secretContent(path)?.test(content) ?? false).toBe(secret);
  });
});
