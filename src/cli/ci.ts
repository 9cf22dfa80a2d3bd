/** Which continuous-integration service runs belay, as its environment says. */

export interface Ci {
  /** For people: `GitHub Actions`. */
  readonly name: string;
  /** Whether its log takes GitHub's workflow commands. */
  readonly github: boolean;
}

/** Set by the services themselves; `CI` alone, which most set too, comes last. */
const SERVICES: readonly (readonly [variable: string, name: string])[] = [
  ["GITHUB_ACTIONS", "GitHub Actions"],
  ["GITLAB_CI", "GitLab CI"],
  ["BUILDKITE", "Buildkite"],
  ["CIRCLECI", "CircleCI"],
  ["TF_BUILD", "Azure Pipelines"],
  ["BITBUCKET_BUILD_NUMBER", "Bitbucket Pipelines"],
  ["JENKINS_URL", "Jenkins"],
  ["TEAMCITY_VERSION", "TeamCity"],
  ["TRAVIS", "Travis CI"],
  ["DRONE", "Drone"],
  ["CODEBUILD_BUILD_ID", "AWS CodeBuild"],
  ["CI", "CI"],
];

/** Null where a person or an ordinary program runs it. */
export function ciOf(environment: Readonly<Record<string, string | undefined>>): Ci | null {
  const found = SERVICES.find(([variable]) => isSet(environment[variable]));
  if (found === undefined) return null;
  return { name: found[1], github: environment["GITHUB_ACTIONS"] === "true" };
}

/** `CI=false` and `CI=` switch it off. */
function isSet(value: string | undefined): boolean {
  return value !== undefined && !/^(|0|false|no|off)$/i.test(value.trim());
}
