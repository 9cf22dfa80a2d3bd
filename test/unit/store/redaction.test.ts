/** Redaction: D1–D4, by properties and by samples of what must go and what must stay. */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { createRedactor, KNOWN_SECRET_CHARS_MIN, type Redactor } from "../../../src/store/redaction.ts";
import { looksRandom } from "../../../src/store/looks-random.ts";
import { memoryVault } from "../../../src/store/vault.ts";
import { redactorOf } from "../../support/session-fixture.ts";
import { KNOWN, KNOWN_FORMS, SAMPLES } from "../../support/secret-samples.ts";

const TOKEN = /\[secret:[A-Za-z0-9_-]+:[0-9a-f]{8}\]/;

/** Written in pieces: a repository must not hold what scanners of secrets look for. */
const made = (...pieces: readonly string[]): string => pieces.join("");
const RANDOM_40 = "9fKx2LmQ7vTz4RbN8cWd1YhJ6sPg3EuA5oZiXy0B";

const SECRETS: readonly (readonly [name: string, secret: string])[] = [
  ["anthropic_key", made("sk-", "ant-api03-", RANDOM_40)],
  ["openai_key", made("sk-", "proj-", RANDOM_40)],
  ["openai_key", made("sk-", RANDOM_40)],
  ["github_token", made("gh", "p_", RANDOM_40.slice(0, 36))],
  ["github_token", made("gh", "o_", RANDOM_40.slice(0, 36))],
  ["github_token", made("gh", "s_", RANDOM_40.slice(0, 36))],
  ["github_token", made("github", "_pat_", RANDOM_40)],
  ["gitlab_token", made("gl", "pat-", RANDOM_40.slice(0, 20))],
  ["aws_access_key", made("AK", "IAIOSFODNN7EXAMPLE")],
  ["google_key", made("AI", "za", RANDOM_40.slice(0, 35))],
  ["slack_token", made("xo", "xb-123456789012-", RANDOM_40.slice(0, 24))],
  ["stripe_key", made("sk", "_live_", RANDOM_40.slice(0, 24))],
  ["npm_token", made("np", "m_", RANDOM_40.slice(0, 36))],
  [
    "jwt",
    made(
      "ey",
      "JhbGciOiJIUzI1NiJ9.",
      "ey",
      "JzdWIiOiIxMjM0NTY3ODkwIn0.",
      "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    ),
  ],
  [
    "private_key",
    made("-----BEGIN RSA PRIV", "ATE KEY-----\nMIIEowIBAAKCAQEA7\nabcDEF123+/=\n-----END RSA PRIV", "ATE KEY-----"),
  ],
];

const ASSIGNED: readonly (readonly [text: string, secret: string])[] = [
  [`password=${RANDOM_40}`, RANDOM_40],
  [`DB_PASSWORD: "${RANDOM_40}"`, RANDOM_40],
  [`{"apiKey":"${RANDOM_40}"}`, RANDOM_40],
  [JSON.stringify(JSON.stringify({ client_secret: RANDOM_40 })), RANDOM_40],
  [`const token = '${RANDOM_40}';`, RANDOM_40],
  [`aws_secret_access_key = ${RANDOM_40}`, RANDOM_40],
  [`Authorization: Bearer ${RANDOM_40}`, RANDOM_40],
  ["postgres://app:x9K2mQ7vT4@db.internal/app", "x9K2mQ7vT4"],
  ["session_token: 123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"],
];

const HARMLESS: readonly string[] = [
  "function authenticate(token: string, password: string): Promise<Session> {",
  "const token = await getAccessToken(user.id);",
  "if (token === undefined) throw new TokenError('token: missing');",
  "password = process.env.DATABASE_PASSWORD",
  'token: "{{ secrets.NPM_TOKEN }}"',
  "secretName: my-application-tls-secret-v2",
  "max_tokens: 8192, input_tokens: 123456789012",
  "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
  'password: "changeme"',
  "api_key=YOUR_API_KEY_HERE",
  "sk-loading-spinner-container-with-a-long-name",
  "token_expires: 2024-01-01T00:00:00Z",
  "secret: /run/secrets/db_password_2024a",
  "commit 3f786850e387550fdaaf1b0b6f9a3e2a4c1d2b7c",
  `"integrity": "sha512-${RANDOM_40}${RANDOM_40}=="`,
  "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n-----END CERTIFICATE-----",
  "https://example.com/path?page=2",
];

it.each(SAMPLES)("$kind is found where it usually stands", ({ text, secret }) => {
  const redactor = redactorOf();
  const redacted = redactor.redact(text);
  expect(redacted.text).not.toContain(secret);
  expect(redactor.restore(redacted.text)).toBe(text);
});

it.each(KNOWN_FORMS)("a known secret is found %s", (_, form, secret) => {
  const redactor = redactorOf(KNOWN);
  const text = `before ${form} after`;
  expect(redactor.redact(text).text).not.toContain(secret);
  expect(redactor.restore(redactor.redact(text).text)).toBe(text);
});

describe("a secret of a known form", () => {
  it.each(SECRETS)("%s is replaced by a token that names it", (name, secret) => {
    const { text, count } = redactorOf().redact(`before ${secret} after`);
    expect(count).toBe(1);
    expect(text).toMatch(new RegExp(`^before \\[secret:${name}:[0-9a-f]{8}\\] after$`));
  });

  it.each(ASSIGNED)("%j: the value is replaced, what surrounds it stays", (line, secret) => {
    const { text, count } = redactorOf().redact(line);
    expect(count).toBe(1);
    expect(text.replace(TOKEN, secret)).toBe(line);
  });

  it("that was cut off before its end is replaced all the same", () => {
    const cut = made("-----BEGIN PRIV", "ATE KEY-----\n", RANDOM_40, "\n", RANDOM_40);
    expect(redactorOf().redact(`key:\n${cut}`).text).not.toContain(RANDOM_40);
  });

  it("is looked for by itself once it was found", () => {
    const redactor = redactorOf();
    redactor.redact(`password=${RANDOM_40}`);
    expect(redactor.redact(`login failed for ${RANDOM_40}`).text).not.toContain(RANDOM_40);
  });

  it("is looked for in a text that looked clean before it was found", () => {
    const redactor = redactorOf();
    const text = `login failed for ${RANDOM_40}`;
    expect(redactor.redact(text)).toEqual({ text, count: 0 });
    redactor.redact(`password=${RANDOM_40}`);
    expect(redactor.redact(text).text).not.toContain(RANDOM_40);
  });
});

describe("ordinary text", () => {
  it.each(HARMLESS)("stays: %j", (text) => {
    expect(redactorOf().redact(text)).toEqual({ text, count: 0 });
  });

  it("that looks like a token of another session is neither a token nor a secret", () => {
    const text = "see [secret:OTHER:01234567]";
    const redactor = redactorOf();
    expect(redactor.redact(text)).toEqual({ text, count: 0 });
    expect(redactor.restore(text)).toBe(text);
  });

  it("is told from random text by how its characters change", () => {
    expect([RANDOM_40, "x9K2mQ7vT4", "d41d8cd98f00b204e9800998ecf8427e"].map(looksRandom)).toEqual([true, true, true]);
    expect(
      ["getAccessToken", "sha256Digest32Bytes", "correct-horse-battery", "12345678901234"].map(looksRandom),
    ).toEqual([false, false, false, false]);
  });

  it("of a hostile shape and many megabytes is looked through in linear time", () => {
    const redactor = redactorOf({ name: "A", value: "correct horse" });
    const begin = made("-----BEGIN PRIV", "ATE KEY-----");
    // Quadratic work on these would outlast the test's own limit by far.
    for (const unit of [
      "token",
      "password=",
      begin,
      "ey" + "J.",
      "a:",
      "://a:",
      'secret"',
      "sk-",
      "\\",
      "A".repeat(64),
    ]) {
      redactor.redact(unit.repeat(Math.ceil(1_000_000 / unit.length)));
    }
  });
});

describe("known secrets", () => {
  const character = fc.oneof(
    fc.constantFrom(...'abcABC0189"\\\n\t/+-_ %$é\u{1F9D7}'),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  );
  // A secret that is itself part of a token's syntax cannot be told from a token.
  const secret = fc
    .array(character, { minLength: KNOWN_SECRET_CHARS_MIN, maxLength: 40 })
    .map((letters) => letters.join(""))
    .filter((value) => !/secret|[[\]:]|^[0-9a-f]+$/.test(value));
  const secrets = fc.array(secret, { minLength: 1, maxLength: 4 });
  const named = (values: readonly string[]): Redactor =>
    createRedactor({ known: values.map((value, i) => ({ name: `S${i}`, value })), vault: memoryVault() });
  const texts = (values: readonly string[]): fc.Arbitrary<string> => {
    const forms = values.flatMap((value) => [
      value,
      JSON.stringify(value),
      JSON.stringify(JSON.stringify(value)),
      encodeURIComponent(value.toWellFormed()),
    ]);
    return fc
      .array(
        fc.oneof(
          fc.constantFrom(...forms),
          fc.string(),
          fc.constantFrom("password=", "token: ", '"', "Bearer ", RANDOM_40),
        ),
        { maxLength: 8 },
      )
      .map((pieces) => pieces.join(""));
  };
  const cases = secrets.chain((values) => fc.tuple(fc.constant(values), texts(values)));

  it("D1: do not survive, plain or escaped", () => {
    fc.assert(
      fc.property(cases, ([values, text]) => {
        const redacted = named(values).redact(text).text;
        for (const value of values) {
          expect(redacted).not.toContain(value);
          expect(redacted).not.toContain(JSON.stringify(value).slice(1, -1));
        }
      }),
    );
  });

  it("D2: redacting twice is redacting once", () => {
    fc.assert(
      fc.property(cases, ([values, text]) => {
        const redactor = named(values);
        const once = redactor.redact(text).text;
        expect(redactor.redact(once)).toEqual({ text: once, count: 0 });
      }),
    );
  });

  it("D3: restoring gives back every character", () => {
    fc.assert(
      fc.property(cases, ([values, text]) => {
        const redactor = named(values);
        expect(redactor.restore(redactor.redact(text).text)).toBe(text);
      }),
    );
  });

  it("D3: restoring gives back every JSON value", () => {
    fc.assert(
      fc.property(secrets, fc.jsonValue(), (values, json) => {
        const redactor = named(values);
        const value = { json, values, [values[0] ?? ""]: 1 } as never; // plain JSON
        expect(redactor.restoreJson(redactor.redactJson(value).value as never)).toEqual(value);
      }),
    );
  });

  it("D4: have one token throughout a session, and another in another session", () => {
    const redactor = named(["correct horse"]);
    const [a, b] = ["correct horse", "x correct horse"].map((text) => TOKEN.exec(redactor.redact(text).text)?.[0]);
    expect(a).toBe(b);
    expect(named(["correct horse"]).redact("correct horse").text).not.toBe(a);
  });

  it("that hold one another are replaced longest first", () => {
    const redactor = createRedactor({
      known: [
        { name: "SHORT", value: "correct horse" },
        { name: "LONG", value: "correct horse battery" },
      ],
      vault: memoryVault(),
    });
    expect(redactor.redact("correct horse battery").text).toMatch(/^\[secret:LONG:[0-9a-f]{8}\]$/);
  });

  it(`of less than ${KNOWN_SECRET_CHARS_MIN} characters are ordinary text`, () => {
    expect(redactorOf({ name: "A", value: "1234567" }).redact("1234567").count).toBe(0);
  });
});
