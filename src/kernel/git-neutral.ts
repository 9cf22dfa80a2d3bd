/**
 * What makes looking at a repository harmless whose configuration is somebody else's: settings of the environment win over those
 * of every file. For commands of the agent: what changes a repository (a commit, its hooks) is judged and confined, and stays
 * as the user has it. What cannot be pinned by name (drivers of diffs, textconv, filters) is said in `unpinnable`.
 */
export interface GitNeutral {
  /** Variables of every git that a command may start. */
  readonly environment: Readonly<Record<string, string>>;
  /** For `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_n` and `GIT_CONFIG_VALUE_n`. */
  readonly configuration: readonly (readonly [string, string])[];
  /** Keys that name a program and have no name of their own to be pinned by. */
  readonly unpinnable: RegExp;
}

export const GIT_NEUTRAL: GitNeutral = {
  environment: {
    GIT_PAGER: "cat",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "false",
    SSH_ASKPASS: "false",
    GIT_NO_LAZY_FETCH: "1",
  },
  configuration: [
    ["core.fsmonitor", "false"],
    ["core.pager", "cat"],
    ["core.alternateRefsCommand", "false"],
    ["log.showSignature", "false"],
    ["interactive.diffFilter", "cat"],
    ["protocol.ext.allow", "never"],
  ],
  unpinnable:
    /^(?:diff\.external|diff\..+\.(?:command|textconv)|filter\..+\.(?:clean|smudge|process)|merge\..+\.driver|tar\..+\.command|credential\..+\.helper|remote\..+\.(?:uploadpack|receivepack|vcs)|include(?:if\..+)?\.path)$/i,
};

/** As variables of an environment. @param more besides, such as `safe.directory` */
export function gitEnvironment(more: GitNeutral["configuration"] = []): Readonly<Record<string, string>> {
  const pairs = [...GIT_NEUTRAL.configuration, ...more].flatMap(([key, value], n) => [
    [`GIT_CONFIG_KEY_${n}`, key] as const,
    [`GIT_CONFIG_VALUE_${n}`, value] as const,
  ]);
  const count = String(GIT_NEUTRAL.configuration.length + more.length);
  return { ...GIT_NEUTRAL.environment, GIT_CONFIG_COUNT: count, ...Object.fromEntries(pairs) };
}
