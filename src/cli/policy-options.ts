/** Options of `run` and `resume` about what the agent may do: rules, grants, hosts, and what becomes of a question. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { FlowPolicy, Permissions } from "../kernel/permissions.ts";

/** What is absent is as it was, as the settings say, or the default. */
export interface PolicyOptions {
  readonly allow?: readonly string[];
  readonly ask?: readonly string[];
  readonly deny?: readonly string[];
  readonly onAsk?: Exclude<Permissions["on_ask"], "prompt">;
  readonly allowDomain?: readonly string[];
  /** As written: `network:registry.example.com:untrusted`. */
  readonly grant?: readonly string[];
  readonly untrusted?: NonNullable<FlowPolicy["untrusted"]>;
  readonly public?: true;
}

export function addPolicyOptions(command: Command): Command {
  return command
    .optionsGroup("What it may do:")
    .option(
      "--allow <rule>",
      'permission rule, such as "Bash(npm run *)" or "WebFetch(domain:nodejs.org)"; repeatable',
      more,
    )
    .option("--ask <rule>", "rule for what is to be asked about; repeatable", more)
    .option("--deny <rule>", "rule for what never runs; beats every other; repeatable", more)
    .addOption(
      new Option(
        "--on-ask <what>",
        "unattended: deny tells the model no; wait ends the run until belay approve",
      ).choices(["deny", "wait"]),
    )
    .option(
      "--allow-domain <host>",
      "sandboxed commands may reach this host (*.example.com: what is below); repeatable",
      more,
    )
    .option(
      "--grant <grant>",
      "a yes beforehand: sink:destination:label[:until], see docs/information-flow.md; repeatable",
      more,
    )
    .option("--untrusted <why>", "the workspace holds text of strangers (a fork's code, say)", text)
    .option("--public", "nothing in the workspace is private");
}

function more(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, text(value)];
}

function text(value: string): string {
  const said = value.trim();
  if (said === "") throw new InvalidArgumentError("It must not be empty.");
  return said;
}
