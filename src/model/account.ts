/** Names the account behind a connection without saying its key: calls of one account share its rate. */
import { createHash } from "node:crypto";

const KEY_DIGITS = 12;

export interface AccountFacts {
  readonly provider: string;
  /** Null: the provider's own address. */
  readonly baseUrl: string | null;
  /** Null: none is sent. */
  readonly key: string | null;
}

/** `anthropic@api.example.com:8080#0a1b2c3d4e5f` */
export function accountOf({ provider, baseUrl, key }: AccountFacts): string {
  const host = baseUrl === null ? "default" : (URL.parse(baseUrl)?.host ?? "unknown");
  const digest = key === null ? "none" : createHash("sha256").update(key).digest("hex").slice(0, KEY_DIGITS);
  return `${provider}@${host}#${digest}`;
}
