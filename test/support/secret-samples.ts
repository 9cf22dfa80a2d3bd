/**
 * One secret of every kind, in the surroundings in which it is found. They are made here, from a fixed seed: nothing of them was
 * ever valid, and the repository holds nothing that a scanner of secrets would look for.
 */
import type { KnownSecret } from "../../src/store/redaction.ts";

export interface SecretSample {
  readonly kind: string;
  /** As it stands in a file, an output or a page. */
  readonly text: string;
  /** What must be found nowhere. */
  readonly secret: string;
}

const DIGITS = "0123456789";
const SMALL = "abcdefghijklmnopqrstuvwxyz";
const CAPITALS = SMALL.toUpperCase();
const ALNUM = DIGITS + SMALL + CAPITALS;
const HEX = "0123456789abcdef";
const URL64 = `${ALNUM}_-`;
const BASE64 = `${ALNUM}+/`;

/** A generator of its own for every sample, so that none changes when another is added. */
function drawn(seed: string, length: number, from: string = ALNUM): string {
  let state = [...seed].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) >>> 0, 2_166_136_261);
  let text = "";
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0;
    text += from[(state >>> 8) % from.length] ?? "";
  }
  return text;
}

/** @param around `§` stands for the secret */
function sample(kind: string, secret: string, around = "it is § here"): SecretSample {
  return { kind, secret, text: around.replaceAll("§", () => secret) };
}

/** A prefix, in pieces. */
const p = (...pieces: readonly string[]): string => pieces.join("");

function pem(kind: string, label: string, lines = 6): SecretSample {
  const body = Array.from({ length: lines }, (_, i) => drawn(`${kind}${i}`, 64, BASE64));
  const begin = p("-----BEGIN ", label, "-----");
  return { kind, secret: body[2] ?? "", text: `${begin}\n${body.join("\n")}\n${p("-----END ", label, "-----")}\n` };
}

function jwt(seed: string): string {
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString("base64url");
  return [
    part({ alg: "HS256", typ: "JWT" }),
    part({ sub: drawn(seed, 12), role: "admin" }),
    drawn(`${seed}s`, 43, URL64),
  ].join(".");
}

const SERVICE_KEY = pem("service", p("PRIV", "ATE KEY")).text;

export const SAMPLES: readonly SecretSample[] = [
  // clouds
  sample("AWS access key", p("AK", "IA", drawn("aws", 16, CAPITALS + "234567")), "aws_access_key_id = §"),
  sample("AWS temporary access key", p("AS", "IA", drawn("aws2", 16, CAPITALS + "234567"))),
  sample("AWS secret key", drawn("awss", 40, BASE64), "aws_secret_access_key = §"),
  sample("AWS secret key in JSON", drawn("awsj", 40, BASE64), '{"SecretAccessKey":"§"}'),
  sample("AWS session token", p("IQoJb3Jp", "Z2lu", drawn("awst", 300, BASE64)), "export AWS_SESSION_TOKEN=§"),
  sample(
    "AWS presigned URL",
    drawn("awsp", 64, HEX),
    "https://b.s3.amazonaws.com/k?X-Amz-Expires=300&X-Amz-Signature=§",
  ),
  {
    kind: "GCP service account",
    secret: SERVICE_KEY.split("\n")[3] ?? "",
    text: JSON.stringify({
      type: "service_account",
      private_key: SERVICE_KEY,
      client_email: "a@b.iam.gserviceaccount.com",
    }),
  },
  sample("Google API key", p("AI", "za", drawn("goog", 35, URL64)), "https://maps.example/api?key=§"),
  sample("Google OAuth client secret", p("GOC", "SPX-", drawn("goco", 28, URL64))),
  sample("Google OAuth access token", p("ya", "29.", drawn("ya29", 140, URL64))),
  sample("Google OAuth refresh token", p("1/", "/0", drawn("goor", 60, URL64)), '"refresh": "§"'),
  sample(
    "Azure storage key",
    `${drawn("azst", 86, BASE64)}==`,
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=§;EndpointSuffix=core.windows.net",
  ),
  sample(
    "Azure service bus key",
    `${drawn("azsb", 43, BASE64)}=`,
    "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=§",
  ),
  sample(
    "Azure SAS",
    `${drawn("azsas", 43, ALNUM)}%3D`,
    "https://a.blob.core.windows.net/c?sv=2022-11-02&se=2030-01-01T00%3A00%3A00Z&sp=r&sig=§",
  ),
  sample("Azure client secret", p(drawn("azc", 3), "8", "Q~", drawn("azcs", 34, URL64))),
  sample("Azure DevOps token", p(drawn("azdo", 76), "AZ", "DO", drawn("azdp", 4))),
  sample("DigitalOcean token", p("dop", "_v1_", drawn("do", 64, HEX))),
  sample("Heroku key", p("HR", "KU-", drawn("hrku", 36, URL64))),
  sample("Heroku key by its variable", "3f2b8c1d-9a4e-4f6b-8d7c-2e1a0b9c8d7e", "HEROKU_API_KEY=§"),
  sample("Cloudflare token by its variable", drawn("cf", 40, URL64), "CLOUDFLARE_API_TOKEN=§"),
  sample("Databricks token", p("da", "pi", drawn("dapi", 32, HEX))),
  sample("Vault token", p("hv", "s.", drawn("hvs", 90, URL64))),
  sample("Terraform Cloud token", p(drawn("tfc", 14), ".atlas", "v1.", drawn("tfcs", 67, URL64))),
  sample("Doppler token", p("dp.", "pt.", drawn("dopp", 43))),
  sample("Tailscale key", p("ts", "key-auth-", drawn("tsk", 40))),
  sample("Supabase key", p("sb", "p_", drawn("sbp", 40, HEX))),
  sample("Grafana token", p("gl", "sa_", drawn("glsa", 41))),
  sample("PlanetScale token", p("pscale", "_tkn_", drawn("psc", 43, URL64))),
  // code hosts and registries
  sample("GitHub classic token", p("gh", "p_", drawn("ghp", 36))),
  sample("GitHub fine-grained token", p("github", "_pat_", drawn("ghf", 22), "_", drawn("ghg", 59))),
  sample("GitHub app token", p("gh", "s_", drawn("ghs", 36))),
  sample("GitHub OAuth token", p("gh", "o_", drawn("gho", 36))),
  sample("GitHub user token", p("gh", "u_", drawn("ghu", 36))),
  sample("GitHub refresh token", p("gh", "r_", drawn("ghr", 76))),
  sample("GitLab personal token", p("gl", "pat-", drawn("glp", 20, URL64))),
  sample("GitLab runner token", p("gl", "rt-", drawn("glr", 20, URL64))),
  sample("GitLab deploy token", p("gl", "dt-", drawn("gld", 20, URL64))),
  sample("GitLab CI job token", p("gl", "cbt-64_", drawn("glc", 20, URL64))),
  sample("npm token", p("np", "m_", drawn("npm", 36)), "//packages.example.com/:_authToken=§"),
  sample("PyPI token", p("py", "pi-AgEIcHlwaS5vcmc", drawn("pypi", 150, URL64))),
  sample("RubyGems key", p("ruby", "gems_", drawn("gems", 48, HEX))),
  sample("crates.io token", p("ci", "o", drawn("crat", 32)), 'token "§"'),
  sample("Docker Hub token", p("dckr", "_pat_", drawn("dckr", 27, URL64)), "docker login -u me -p §"),
  sample(
    "Docker registry login",
    Buffer.from(`me:${drawn("dkcf", 14)}`).toString("base64"),
    '{"auths":{"r.io":{"auth":"x"}},"Authorization":"Basic §"}',
  ),
  sample("Atlassian token", p("ATA", "TT3", drawn("atl", 180, URL64))),
  sample("Sentry token", p("sntr", "ys_", drawn("sntr", 120, ALNUM))),
  sample("Postman key", p("PM", "AK-", drawn("pma", 24, HEX), "-", drawn("pmb", 34, HEX))),
  // models
  sample("Anthropic key", p("sk-", "ant-api03-", drawn("ant", 93, URL64), "AA")),
  sample("Anthropic OAuth token", p("sk-", "ant-oat01-", drawn("anto", 93, URL64))),
  sample("OpenAI key", p("sk-", drawn("oai", 48))),
  sample("OpenAI project key", p("sk-", "proj-", drawn("oaip", 120, URL64))),
  sample("OpenAI service key", p("sk-", "svcacct-", drawn("oais", 120, URL64))),
  sample("OpenAI admin key", p("sk-", "admin-", drawn("oaia", 120, URL64))),
  sample("OpenRouter key", p("sk-", "or-v1-", drawn("or", 64, HEX))),
  sample("Hugging Face token", p("h", "f_", drawn("hf", 34, SMALL + CAPITALS))),
  sample("Groq key", p("gs", "k_", drawn("groq", 52))),
  sample("xAI key", p("xa", "i-", drawn("xai", 80))),
  sample("Mistral key by its variable", drawn("mist", 32), "MISTRAL_API_KEY=§"),
  sample("key by its variable, small letters only", drawn("smal", 32, SMALL), "export SOME_SERVICE_TOKEN='§'"),
  // services
  sample(
    "Slack bot token",
    p("xo", "xb-", drawn("sl1", 12, DIGITS), "-", drawn("sl2", 13, DIGITS), "-", drawn("sl3", 24)),
  ),
  sample("Slack user token", p("xo", "xp-", drawn("sl4", 12, DIGITS), "-", drawn("sl5", 32, HEX))),
  sample(
    "Slack app token",
    p("xa", "pp-1-A", drawn("sl6", 10, CAPITALS), "-", drawn("sl7", 13, DIGITS), "-", drawn("sl8", 64, HEX)),
  ),
  sample(
    "Slack webhook",
    `T${drawn("sw1", 8, CAPITALS)}/B${drawn("sw2", 8, CAPITALS)}/${drawn("sw3", 24)}`,
    p("https://hooks.", "slack.com/services/§"),
  ),
  sample("Stripe live key", p("sk", "_live_", drawn("str", 24))),
  sample("Stripe test key", p("sk", "_test_", drawn("stt", 99))),
  sample("Stripe restricted key", p("rk", "_live_", drawn("srk", 24))),
  sample("Stripe webhook secret", p("wh", "sec_", drawn("whs", 32))),
  sample("Twilio key", p("S", "K", drawn("twi", 32, HEX))),
  sample("Twilio auth token by its variable", drawn("twa", 32, HEX), "TWILIO_AUTH_TOKEN=§"),
  sample("SendGrid key", p("S", "G.", drawn("sg1", 22, URL64), ".", drawn("sg2", 43, URL64))),
  sample("Mailgun key", p("ke", "y-", drawn("mg", 32, HEX))),
  sample("Mailchimp key", `${drawn("mc", 32, HEX)}-us12`),
  sample("Linear key", p("lin", "_api_", drawn("lin", 40))),
  sample("Notion token", p("nt", "n_", drawn("ntn", 46))),
  sample("Notion integration secret", p("sec", "ret_", drawn("nts", 43))),
  sample("Figma token", p("fi", "gd_", drawn("fig", 40, URL64))),
  sample("Discord bot token", p("MT", drawn("dc1", 24), ".", "G", drawn("dc2", 5), ".", drawn("dc3", 38, URL64))),
  sample("Discord webhook", drawn("dcw", 68, URL64), "https://discord.com/api/webhooks/123456789012345678/§"),
  sample("Telegram bot token", p("A", "A", drawn("tg", 33, URL64)), "https://api.telegram.org/bot1234567890:§/getMe"),
  sample("Shopify token", p("shp", "at_", drawn("shp", 32, HEX))),
  sample("Airtable token", p("pa", "t", drawn("at1", 14), ".", drawn("at2", 64, HEX))),
  // keys, claims and files
  sample("JWT", jwt("jwt")),
  sample("JWT in escaped JSON", jwt("jwte"), String.raw`{"body":"{\"id\":\"a\",\n\"t\":\"x\"}\n§"}`),
  pem("RSA key", p("RSA PRIV", "ATE KEY")),
  pem("EC key", p("EC PRIV", "ATE KEY"), 3),
  pem("PKCS8 key", p("PRIV", "ATE KEY")),
  pem("OpenSSH key", p("OPENSSH PRIV", "ATE KEY")),
  pem("PGP key", p("PGP PRIV", "ATE KEY BLOCK"), 12),
  {
    ...pem("key, its end cut off", p("PRIV", "ATE KEY")),
    text: pem("key, its end cut off", p("PRIV", "ATE KEY")).text.split("-----END")[0] ?? "",
  },
  sample("age key", p("AGE-SEC", "RET-KEY-1", drawn("age", 58, CAPITALS + DIGITS))),
  sample("kubeconfig token", drawn("kct", 64, ALNUM), "users:\n- name: a\n  user:\n    token: §\n"),
  sample(
    "kubeconfig client key",
    Buffer.from(pem("kck", p("RSA PRIV", "ATE KEY")).text).toString("base64"),
    "    client-key-data: §\n",
  ),
  sample(".netrc", "hunter2-and-more", "machine api.example.com\n  login me\n  password §\n"),
  sample(".pgpass", "s3cr3t-pgpass", "db.example.com:5432:app:app_user:§\n"),
  sample("PostgreSQL URL", drawn("pgu", 14), "DATABASE_URL=postgres://app:§@db.internal:5432/app"),
  sample("MongoDB URL", drawn("mgu", 16), "mongodb+srv://root:§@cluster0.example.net/app"),
  sample("Redis URL without a user", drawn("rdu", 16), "redis://:§@cache.internal:6379/0"),
  sample("basic-auth URL", "Tr0ub4dor&3x", "curl https://me:§@example.com/"),
  sample("git remote", drawn("gitr", 30), "origin\thttps://oauth2:§@git.example.com/a/b.git (fetch)"),
  sample("git remote with a token alone", drawn("gitt", 40), "url = https://§@git.example.com/a/b.git"),
  sample("Authorization: Bearer", drawn("auth", 40), "> Authorization: Bearer §"),
  sample("Authorization: Basic", Buffer.from("admin:letmein-please").toString("base64"), "Authorization: Basic §"),
  sample("Authorization: token", drawn("autk", 40, HEX), "authorization: token §"),
  sample("session cookie", drawn("cook", 32), "Cookie: theme=dark; connect.sid=s%3A§; lang=en"),
  sample("cookie that is set", drawn("setc", 40), "< Set-Cookie: JSESSIONID=§; Path=/; HttpOnly"),
  sample("env file", drawn("envf", 20), "DEBUG=1\nDB_PASSWORD=§\nPORT=80\n"),
  sample("env file, quoted", drawn("envq", 20), 'SMTP_PASS="§"\n'),
  sample("secret in YAML", drawn("yaml", 24), "client:\n  secret: §\n"),
  sample("password in XML", drawn("xml", 18), "<server><password>§</password></server>"),
  sample("password as an option", drawn("opt", 20), "mysql --user=root --password § app"),
  sample("key in code", drawn("code", 32), 'const apiKey: string = "§";'),
];

/** In the environment: no pattern would find it. */
export const KNOWN: KnownSecret = { name: "DEPLOY_KEY", value: "plain words, that nobody/suspects & 'quoted'" };

const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);
const wrapped = (text: string, width: number, gap: string): string =>
  (text.match(new RegExp(`[^]{1,${width}}`, "g")) ?? []).join(gap);

/** What the value alone decides of its base64. */
const encoded = (before: string): readonly [text: string, secret: string] => {
  const whole = Buffer.from(`${before}${KNOWN.value}.`).toString("base64");
  return [whole, whole.slice(4, -4)];
};
const plain = (text: string): readonly [text: string, secret: string] => [text, text];

export const KNOWN_FORMS: readonly (readonly [name: string, text: string, secret: string])[] = [
  ["as it is", ...plain(KNOWN.value)],
  ["in JSON", ...plain(escaped(KNOWN.value))],
  ["in JSON in JSON", ...plain(escaped(escaped(KNOWN.value)))],
  ["URL-encoded", ...plain(encodeURIComponent(KNOWN.value))],
  [
    "URL-encoded in small letters",
    ...plain(encodeURIComponent(KNOWN.value).replace(/%../g, (code) => code.toLowerCase())),
  ],
  ["form-encoded", ...plain(encodeURIComponent(KNOWN.value).replaceAll("%20", "+"))],
  ["in base64", ...encoded("")],
  ["in base64, one byte on", ...encoded("x")],
  ["in base64, two bytes on", ...encoded("xy")],
  [
    "in base64url",
    encoded("")[0].replaceAll("+", "-").replaceAll("/", "_"),
    encoded("")[1].replaceAll("+", "-").replaceAll("/", "_"),
  ],
  ["in hexadecimal", ...plain(Buffer.from(KNOWN.value).toString("hex"))],
  ["in HTML", ...plain(KNOWN.value.replaceAll("&", "&amp;").replaceAll("'", "&#39;"))],
  ["quoted for a shell", ...plain(KNOWN.value.replaceAll("'", String.raw`'\''`))],
  ["wrapped", ...plain(wrapped(KNOWN.value, 20, "\n"))],
  ["wrapped and indented", ...plain(wrapped(KNOWN.value, 9, "\r\n    "))],
  ["wrapped with line ends escaped", ...plain(wrapped(KNOWN.value, 15, String.raw`\n`))],
  ["in base64, wrapped", wrapped(encoded("")[0], 16, "\n"), wrapped(encoded("")[0], 16, "\n").slice(4, -4)],
];
