/** Secrets with a form of their own: what issuers put before them, so that they are found when they lie about. */
import { looksRandom } from "./looks-random.ts";
import type { SecretPattern } from "./secret-pattern.ts";

/**
 * Nothing of a word before it; or what escapes, encodes or colours it: `\n`, `%3D`, `\u0022`, ANSI.
 */
const LEFT = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtfbv]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\x1b\[[\d;]{0,20}m))`;
/** Nothing of a base64 text or of a digest after it. */
const RIGHT = "(?![A-Za-z0-9+/_=-])";
const WORD = "[A-Za-z0-9_-]";
const ALNUM = "[A-Za-z0-9]";

/** @param rest what follows one of the prefixes */
function form(
  name: string,
  prefixes: readonly string[],
  rest: string,
  more: Partial<Pick<SecretPattern, "accept">> = {},
): SecretPattern {
  const starts = prefixes.map((prefix) => prefix.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)).join("|");
  return { name, anchors: prefixes, pattern: new RegExp(`${LEFT}(?:${starts})${rest}`, "y"), ...more };
}

const KEY_HEAD = String.raw`-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`;
const KEY_END = String.raw`-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`;
/** Between lines of base64 there may be escapes and the numbers of lines. */
const KEY_LINES = String.raw`(?:\\{1,3}[nr]|[A-Za-z0-9+/=\s→|:])`;
/** How an encrypted key begins. */
const KEY_REMARKS = String.raw`(?:(?:\\{1,3}[nr]|\s){1,4}(?:Proc-Type|DEK-Info|Comment|Version|Hash):[^\n\\]{0,200}){0,5}`;

const PRIVATE_KEYS: readonly SecretPattern[] = [
  {
    name: "private_key",
    anchors: ["-----BEGIN "],
    pattern: new RegExp(`${KEY_HEAD}(?:(?!-----)[^]){0,20000}${KEY_END}`, "y"),
    until: "-----END ",
  },
  // A block that was cut: its end is missing, and what is there is a key all the same.
  {
    name: "private_key",
    anchors: ["-----BEGIN "],
    pattern: new RegExp(`${KEY_HEAD}${KEY_REMARKS}${KEY_LINES}{20,20000}`, "y"),
    until: "-----END ",
  },
  {
    name: "private_key",
    anchors: ["b3BlbnNzaC1rZXktdj"],
    pattern: new RegExp(`b3BlbnNzaC1rZXktdj${KEY_LINES}{40,20000}`, "y"),
  },
  {
    name: "private_key",
    anchors: ["Private-Lines:"],
    pattern: /Private-Lines: \d{1,3}\s{1,4}(?<secret>[A-Za-z0-9+/=\s]{40,20000})/y,
  },
  // The same, encoded once more, as in a kubeconfig.
  {
    name: "private_key",
    anchors: ["LS0tLS1CRUdJTi"],
    pattern: /LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]{20,20000}/y,
    accept: (text) => /PRIVATE KEY/.test(Buffer.from(text.slice(0, 120), "base64").toString("latin1")),
  },
];

const MODELS: readonly SecretPattern[] = [
  form("anthropic_key", ["sk-ant-"], `${WORD}{16,}`),
  form("openai_key", ["sk-"], `${WORD}{20,}`, { accept: looksRandom }),
  form("openai_key", ["sess-"], `${ALNUM}{40,}`, { accept: looksRandom }),
  form("google_key", ["AIza"], `${WORD}{35,}`),
  form("google_key", ["AQ.Ab"], `${WORD}{30,}`),
  form("google_oauth", ["ya29."], `${WORD}{20,}`),
  form("google_oauth", ["GOCSPX-"], `${WORD}{20,}`),
  form("google_oauth", ["1//0"], `${WORD}{30,}`),
  form("groq_key", ["gsk_"], `${ALNUM}{40,}`),
  form("xai_key", ["xai-"], `${ALNUM}{60,}`),
  form("perplexity_key", ["pplx-"], `${ALNUM}{40,}`),
  form("replicate_token", ["r8_"], `${ALNUM}{30,}`),
  form("cerebras_key", ["csk-"], `${ALNUM}{40,}`),
  form("nvidia_key", ["nvapi-"], `${WORD}{60,}`),
  form("fireworks_key", ["fw_"], `${ALNUM}{20,}`, { accept: looksRandom }),
  form("together_key", ["tgp_v1_"], `${WORD}{30,}`),
  form("pinecone_key", ["pcsk_"], `${WORD}{40,}`),
  form("langsmith_key", ["lsv2_pt_", "lsv2_sk_"], `${WORD}{30,}`),
  form("huggingface_token", ["hf_", "api_org_"], `${ALNUM}{30,}`),
  form("elevenlabs_key", ["sk_"], `[0-9a-f]{40,}${RIGHT}`),
];

const CODE_HOSTS: readonly SecretPattern[] = [
  form("github_token", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "[A-Za-z0-9_.-]{29,}[A-Za-z0-9]"),
  form("github_token", ["github_pat_"], "[A-Za-z0-9_]{22,}"),
  form(
    "gitlab_token",
    [
      ...["glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-"],
      ...["glffct-", "glwt-"],
    ],
    "[A-Za-z0-9_.-]{19,}[A-Za-z0-9_-]",
  ),
  form("gitlab_token", ["GR1348941"], `${WORD}{20,}`),
  form("atlassian_token", ["ATATT3", "ATCTT3"], "[A-Za-z0-9_=-]{50,}"),
  form("bitbucket_token", ["ATBB"], `${ALNUM}{28,}`),
  form("npm_token", ["npm_"], `${ALNUM}{36,}`),
  form("pypi_token", ["pypi-AgE"], `${WORD}{40,}`),
  form("rubygems_key", ["rubygems_"], "[0-9a-f]{40,}"),
  form("crates_token", ["cio"], `${ALNUM}{32}${RIGHT}`, { accept: looksRandom }),
  form("nuget_key", ["oy2"], `[a-z0-9]{43}${RIGHT}`, { accept: looksRandom }),
  form("docker_token", ["dckr_pat_", "dckr_oat_"], `${WORD}{20,}`),
  form("sonar_token", ["squ_", "sqp_", "sqa_"], "[0-9a-f]{40,}"),
  form("circleci_token", ["CCIPAT_", "CCIPRJ_"], "[A-Za-z0-9_]{20,}"),
  form("buildkite_token", ["bkua_"], "[0-9a-f]{30,}"),
  form("postman_key", ["PMAK-"], "[0-9a-f]{24}-[0-9a-f]{34}"),
  form("sentry_token", ["sntrys_", "sntryu_"], "[A-Za-z0-9_+/=-]{30,}"),
  form("artifactory_key", ["AKCp"], `${ALNUM}{60,}`),
];

const CLOUDS: readonly SecretPattern[] = [
  form("aws_access_key", ["AKIA", "ASIA", "ABIA", "ACCA"], "[A-Z0-9]{16}(?![A-Za-z0-9])"),
  form("aws_session_token", ["IQoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz", "AQoDYXdz"], "[A-Za-z0-9+/=%]{50,}"),
  form("aws_bedrock_key", ["ABSK", "bedrock-api-key-"], "[A-Za-z0-9+/=]{60,}"),
  {
    name: "azure_client_secret",
    anchors: ["Q~"],
    offset: 4,
    pattern: new RegExp(String.raw`${LEFT}[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{30,36}`, "y"),
  },
  {
    name: "azure_storage_key",
    anchors: ["+ASt"],
    offset: 76,
    pattern: /[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5,8}={0,2}/y,
  },
  {
    name: "azure_devops_token",
    anchors: ["AZDO"],
    offset: 76,
    pattern: /[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])/y,
  },
  form("digitalocean_token", ["dop_v1_", "doo_v1_", "dor_v1_"], "[0-9a-f]{40,}"),
  form("heroku_key", ["HRKU-"], `${WORD}{30,}`),
  form("cloudflare_key", ["v1.0-"], "[0-9a-f]{24}-[0-9a-f]{100,}"),
  form("cloudflare_key", ["cfut_", "cfat_", "cfk_"], `${WORD}{30,}`),
  form("databricks_token", ["dapi", "dose", "dkea"], String.raw`[0-9a-f]{32}(?:-\d)?${RIGHT}`),
  form("vault_token", ["hvs.", "hvb.", "hvr."], `${WORD}{20,}`),
  {
    name: "terraform_token",
    anchors: [".atlasv1."],
    offset: 14,
    pattern: new RegExp(String.raw`${LEFT}[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}`, "y"),
  },
  form(
    "doppler_token",
    ["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
    String.raw`(?:[a-z0-9_-]{1,40}\.)?${ALNUM}{40,}`,
  ),
  form("pulumi_token", ["pul-"], "[0-9a-f]{40,}"),
  form("planetscale_token", ["pscale_tkn_", "pscale_pw_", "pscale_oauth_"], "[A-Za-z0-9_.=-]{30,}"),
  form("supabase_key", ["sbp_"], "[0-9a-f]{40,}"),
  form("supabase_key", ["sb_secret_"], `${WORD}{20,}`, { accept: looksRandom }),
  form("netlify_token", ["nfp_"], `${ALNUM}{36,}`),
  form("fly_token", ["fo1_", "fm1r_", "fm1a_", "fm2_"], "[A-Za-z0-9_+/=-]{40,}"),
  form("tailscale_key", ["tskey-"], `${WORD}{20,}`),
  form("grafana_token", ["glsa_", "glc_"], "[A-Za-z0-9_+/=]{30,}"),
  form("newrelic_key", ["NRAK-", "NRJS-", "NRII-"], `${WORD}{19,}`),
  form("dynatrace_token", ["dt0c01.", "dt0s01.", "dt0s16."], String.raw`[A-Z0-9]{8,24}\.[A-Z0-9]{30,}`),
  form("onepassword_token", ["ops_eyJ"], `${WORD}{40,}`),
];

const SERVICES: readonly SecretPattern[] = [
  form(
    "slack_token",
    ["xoxa-", "xoxb-", "xoxe-", "xoxe.xox", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xoxc-", "xoxd-"],
    "[A-Za-z0-9%-]{10,}",
  ),
  form("slack_token", ["xapp-", "xwfp-"], "[A-Za-z0-9-]{20,}", { accept: looksRandom }),
  {
    name: "webhook",
    anchors: ["hooks.slack.com/"],
    pattern: /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<secret>[A-Za-z0-9/_+-]{20,300})/y,
  },
  {
    name: "webhook",
    anchors: ["/api/webhooks/"],
    pattern: /\/api\/webhooks\/\d{15,22}\/(?<secret>[A-Za-z0-9_-]{40,200})/y,
  },
  {
    name: "webhook",
    anchors: ["webhook.office.com/"],
    pattern: /webhook\.office\.com\/(?:webhookb2\/)?(?<secret>[A-Za-z0-9@/_-]{40,400})/y,
  },
  {
    name: "discord_token",
    // What the digits of an id begin with, in base64.
    anchors: ["MT", "MD", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"],
    pattern: new RegExp(String.raw`${LEFT}[MNO][A-Za-z0-9]${WORD}{21,26}\.${WORD}{6}\.${WORD}{27,48}(?!${WORD})`, "y"),
  },
  {
    name: "telegram_token",
    anchors: [":AA"],
    pattern: /(?<=\d{6,12}):(?<secret>AA[A-Za-z0-9_-]{31,40})(?![A-Za-z0-9_-])/y,
  },
  form("stripe_key", ["sk_live_", "rk_live_", "sk_test_", "rk_test_", "sk_org_"], "[A-Za-z0-9_]{16,}"),
  form("stripe_key", ["whsec_"], "[A-Za-z0-9+/=]{24,}"),
  form("twilio_key", ["SK"], `[0-9a-f]{32}${RIGHT}`),
  form("sendgrid_key", ["SG."], String.raw`${WORD}{16,40}\.${WORD}{16,80}`),
  form("mailgun_key", ["key-"], `[0-9a-f]{32}${RIGHT}`),
  {
    name: "mailchimp_key",
    anchors: ["-us"],
    offset: 32,
    pattern: new RegExp(String.raw`${LEFT}[0-9a-f]{32}-us\d{1,2}${RIGHT}`, "y"),
  },
  form("linear_key", ["lin_api_", "lin_oauth_", "lin_wh_"], `${ALNUM}{30,}`),
  form("notion_token", ["ntn_"], `${ALNUM}{30,}`),
  form("notion_token", ["secret_"], `${ALNUM}{43}${RIGHT}`, { accept: looksRandom }),
  form("figma_token", ["figd_", "figo_", "figor_", "figu_", "figur_"], `${WORD}{20,}`),
  form("shopify_token", ["shpat_", "shpss_", "shpca_", "shppa_", "shpua_"], "[0-9a-fA-F]{32,}"),
  form("square_token", ["sq0atp-", "sq0csp-"], `${WORD}{20,}`),
  form("airtable_token", ["pat"], String.raw`${ALNUM}{14}\.[0-9a-f]{64}`),
  form("contentful_token", ["CFPAT-"], `${WORD}{40,}`),
  form("typeform_token", ["tfp_"], "[A-Za-z0-9_.=-]{40,}"),
];

const KEYS_AND_CLAIMS: readonly SecretPattern[] = [
  form("age_key", ["AGE-SECRET-KEY-"], "(?:PQ-)?1[0-9A-Za-z]{50,}"),
  form("jwt", ["eyJ"], String.raw`${WORD}{8,}\.eyJ${WORD}{8,}\.${WORD}{8,}`),
  // Encrypted: five parts, of which the second may be empty.
  form("jwt", ["eyJ"], String.raw`${WORD}{16,}\.${WORD}*\.${WORD}{8,}\.${WORD}{8,}\.${WORD}{16,}`),
];

export const FORMED_SECRETS: readonly SecretPattern[] = [
  ...PRIVATE_KEYS,
  ...MODELS,
  ...CODE_HOSTS,
  ...CLOUDS,
  ...SERVICES,
  ...KEYS_AND_CLAIMS,
];
