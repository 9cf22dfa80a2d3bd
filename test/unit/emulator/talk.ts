/** Speaks to an emulator over plain fetch, without the SDK. */
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

export const HEADERS = {
  "x-api-key": "test-key",
  "anthropic-version": "2026-10-21",
  "content-type": "application/json",
};
export const TASK = [{ role: "user", content: "do it" }];

export async function post(
  emulator: Emulator,
  body: unknown,
  headers: Record<string, string> = HEADERS,
  path = "/v1/messages",
): Promise<Reply> {
  const response = await fetch(`${emulator.url}${path}`, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}

export function asking(messages: readonly unknown[] = TASK, more: object = {}): object {
  return { model: "claude-sonnet-4-5", max_tokens: 100, messages, ...more };
}

/** Starts one, hands it in, and closes it however that ends. */
export async function withEmulator<T>(scenario: ScenarioInput, use: (emulator: Emulator) => Promise<T>): Promise<T> {
  const emulator = await startEmulator({ scenario });
  try {
    return await use(emulator);
  } finally {
    await emulator.close();
  }
}

export const message = (reply: Reply): unknown => (reply.json()["error"] as { message?: unknown } | undefined)?.message;
