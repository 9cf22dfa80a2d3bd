/**
 * Allow rules that are used as they are written, and still allow much: whole programs with many commands in one, what acts on
 * other machines or destroys, whole homes and disks, hosts where anybody can publish. What is worse than that is left out of use
 * by `policy/rules/dangerous.ts`.
 */
import type { CommandPattern } from "../rules/command-pattern.ts";
import { segmentText } from "../rules/glob-overlap.ts";
import type { PathPattern } from "../rules/path-pattern.ts";
import type { ParsedRule } from "../rules/rule.ts";
import { toolKind } from "../rules/tools.ts";
import type { Severity } from "./finding.ts";

export interface Breadth {
  readonly severity: Severity;
  /** A sentence. */
  readonly reason: string;
}

/** @returns null where the rule is no broader than rules need to be */
export function breadthOf(rule: ParsedRule): Breadth | null {
  switch (rule.kind) {
    case "tool":
      return toolKind(rule.tool) === "read"
        ? medium("It allows to read every file of the machine but secrets: name a path, as in `Read(~/notes/**)`.")
        : null;
    case "command":
      return breadthOfCommand(rule.pattern);
    case "path":
      return breadthOfPath(rule.access, rule.pattern);
    case "domain":
      return breadthOfHost(rule.host);
    case "mcp":
      return rule.name === "*" ? low("It allows every tool of the server, those that it adds later included.") : null;
    case "named":
      return rule.name === "*" ? low(`It allows every use of ${rule.tool}.`) : null;
    case "param":
      return null;
  }
}

/** Many commands in one, harmless ones and others: an open rule is for a subcommand. */
const MANY_IN_ONE = setOf(
  "git gh glab hub npm pnpm yarn bun deno docker podman docker-compose kubectl helm oc aws gcloud az terraform tofu pulumi cargo go pip",
  "pip3 uv poetry conda brew apt apt-get dnf yum apk pacman snap systemctl launchctl service ip nmcli iptables vercel netlify fly heroku",
  "wrangler firebase supabase gradle mvn make rake just task composer gem bundle dotnet nix ansible vagrant rsync openssl gpg stripe",
);
/** They speak to other machines, with whatever they are given. */
const CARRIES_AWAY = setOf(
  "curl wget http https httpie xh aria2c ftp lftp sftp scp rsync rclone telnet mail sendmail s3cmd gsutil azcopy",
);
/** What they do is not undone. */
const DESTROYS = setOf(
  "rm rmdir shred dd mkfs truncate chmod chown chgrp kill pkill killall mount umount reboot shutdown crontab",
);
/** Subcommands that publish, deploy or delete. */
const ACTS_OUTSIDE: readonly (readonly string[])[] = [
  ...[
    "git push",
    "git remote",
    "git config",
    "git clean",
    "npm publish",
    "pnpm publish",
    "yarn publish",
    "npm install",
    "npm i",
  ],
  ...[
    "pnpm add",
    "yarn add",
    "pip install",
    "pip3 install",
    "cargo install",
    "cargo publish",
    "gem push",
    "gem install",
  ],
  ...[
    "gh api",
    "gh repo",
    "gh pr merge",
    "gh release",
    "gh secret",
    "gh workflow",
    "gh gist",
    "docker push",
    "docker login",
    "docker system",
  ],
  ...[
    "kubectl apply",
    "kubectl delete",
    "kubectl exec",
    "kubectl cp",
    "helm install",
    "helm upgrade",
    "helm uninstall",
  ],
  ...[
    "terraform apply",
    "terraform destroy",
    "tofu apply",
    "tofu destroy",
    "pulumi up",
    "pulumi destroy",
    "aws s3",
    "aws iam",
    "gcloud auth",
  ],
  ...[
    "az login",
    "brew install",
    "apt install",
    "apt-get install",
    "vercel deploy",
    "netlify deploy",
    "fly deploy",
    "wrangler deploy",
  ],
  ...["firebase deploy", "systemctl start", "systemctl enable", "twine upload", "poetry publish", "uv publish"],
].map((text) => text.split(" "));

/** Words without options that a command begins with: `git push`, and of what is no subcommand only the program. */
export function actsOutside(words: readonly string[]): boolean {
  const [program = "", ...rest] = words;
  const plain = [baseName(program), ...rest.filter((word) => !word.startsWith("-"))];
  const name = plain[0] ?? "";
  return (
    CARRIES_AWAY.has(name) ||
    DESTROYS.has(name) ||
    ACTS_OUTSIDE.some((known) => known.every((word, i) => plain[i] === word))
  );
}

export function hasSubcommands(program: string): boolean {
  return MANY_IN_ONE.has(baseName(program));
}

function breadthOfCommand({ words, open, exact }: CommandPattern): Breadth | null {
  if (exact) return null;
  const [program = "", second] = words;
  const name = baseName(program);
  const only_program = open && words.length === 1;
  const wild_second = second?.startsWith("*") === true;
  if (DESTROYS.has(name) && (only_program || wild_second))
    return medium(`\`${name}\` with anything behind it destroys: name what it may be used on.`);
  if (CARRIES_AWAY.has(name) && (only_program || wild_second))
    return medium(
      `\`${name}\` with anything behind it reaches every machine: name the address, or use \`WebFetch(domain:…)\`.`,
    );
  if (MANY_IN_ONE.has(name) && (only_program || wild_second))
    return medium(
      `\`${name}\` is many commands in one: name the subcommand, as in \`Bash(${name} ${EXAMPLES.get(name) ?? "…"} *)\`.`,
    );
  if (open && second !== undefined && !second.includes("*") && actsOutside(words) && !namesTarget(words))
    return medium(`\`${words.join(" ")}\` publishes, installs or deletes, whatever follows it: name what.`);
  return null;
}

const EXAMPLES: ReadonlyMap<string, string> = new Map([
  ["git", "log"],
  ["npm", "run test"],
  ["pnpm", "run test"],
  ["yarn", "run test"],
  ["docker", "ps"],
  ["kubectl", "get"],
  ["gh", "pr view"],
  ["cargo", "test"],
  ["go", "test"],
]);

/** `git push origin main *`, `rm dist/*`: more than the subcommand is said. */
function namesTarget(words: readonly string[]): boolean {
  const operands = words.slice(1).filter((word) => !word.startsWith("-"));
  const name = baseName(words[0] ?? "");
  if (CARRIES_AWAY.has(name) || DESTROYS.has(name)) return operands.some((word) => !/^[*/.~]*$/.test(word));
  const known = ACTS_OUTSIDE.filter((one) => one.every((word, i) => [name, ...operands][i] === word));
  return operands.length > Math.max(...known.map((one) => one.length - 1));
}

/** Directories that hold everybody's files, or the system's. */
const WHOLE_DISK_PARTS = setOf(
  "home Users root etc var usr opt boot dev proc sys srv mnt media Volumes System Library bin sbin lib",
);

function breadthOfPath(access: "read" | "write", { start, segments }: PathPattern): Breadth | null {
  const texts = segments.map(segmentText);
  // `x/**`, `x/*` and `x` name a directory with all that is in it.
  while (texts.length > 0 && /^\*+$/.test(texts.at(-1) ?? "")) texts.pop();
  const does = access === "read" ? "read" : "write";
  if (start === "root") {
    if (texts.length === 0) return high(`It allows to ${does} the whole disk.`);
    const [first = "", ...rest] = texts;
    const users = ["home", "Users"].includes(first) && rest.every((name) => /^[*?]*$/.test(name) || rest.length === 1);
    if ((texts.length === 1 && WHOLE_DISK_PARTS.has(first)) || users)
      return access === "write" || users || first === "root"
        ? high(`It allows to ${does} everything below \`/${texts.join("/")}\`.`)
        : medium(`It allows to ${does} everything below \`/${first}\`.`);
    return texts[0] === "**" ? high(`It allows to ${does} files of that name on the whole disk.`) : null;
  }
  if (texts.length > 0) return null;
  if (start === "home") return high(`It allows to ${does} your whole home.`);
  if (access === "read") return null;
  return medium(
    "It allows to change every file of the workspace: name a directory, or say so with the mode `acceptEdits`.",
  );
}

/** Anybody can have a name below them. */
const SHARED_HOSTS = setOf(
  "github.io githubusercontent.com gitlab.io pages.dev workers.dev vercel.app netlify.app herokuapp.com amazonaws.com s3.amazonaws.com",
  "cloudfront.net azurewebsites.net windows.net web.app firebaseapp.com appspot.com run.app ngrok.io ngrok.app ngrok-free.app trycloudflare.com",
  "blogspot.com wordpress.com glitch.me repl.co fly.dev onrender.com surge.sh r2.dev googleusercontent.com blob.core.windows.net requestbin.net",
);
/** Anybody can put text there, or have what is sent to them shown. */
const DROP_HOSTS = setOf(
  "pastebin.com gist.github.com gist.githubusercontent.com webhook.site requestbin.com hastebin.com transfer.sh file.io 0x0.st pipedream.net",
  "raw.githubusercontent.com interact.sh oast.fun burpcollaborator.net dpaste.com rentry.co ix.io termbin.com",
);

export function breadthOfHost(host: string): Breadth | null {
  const below = host.startsWith("*.") ? host.slice(2) : null;
  if (below !== null && (!below.includes(".") || /^(?:co|com|org|net|gov|ac|edu)\.[a-z]{2}$/.test(below)))
    return high(`It allows every host below \`.${below}\`.`);
  if (below !== null && SHARED_HOSTS.has(below))
    return medium(`Anybody can have a host below \`${below}\`: name the one that is meant.`);
  if (DROP_HOSTS.has(below ?? host))
    return medium(`Anybody can put text at \`${below ?? host}\`, or read what is sent there.`);
  return null;
}

function baseName(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1);
}

function setOf(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.join(" ").split(" "));
}

function high(reason: string): Breadth {
  return { severity: "high", reason };
}
function medium(reason: string): Breadth {
  return { severity: "medium", reason };
}
function low(reason: string): Breadth {
  return { severity: "low", reason };
}
