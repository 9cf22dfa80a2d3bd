import { describe, expect, it } from "vitest";
import { classifyException } from "../../../src/model/classify.ts";
import { reachedNobody } from "../../../src/model/exception.ts";

const coded = (code: string, message = "x"): Error => Object.assign(new Error(message), { code });
const fetchFailed = (cause: unknown): Error => new TypeError("fetch failed", { cause });
const sdk = (cause: unknown): Error => new Error("Connection error.", { cause });

describe("classifying what a connection threw", () => {
  it.each([
    ["network", coded("ECONNREFUSED")],
    ["network", coded("ECONNRESET")],
    ["network", fetchFailed(coded("ECONNRESET", "read ECONNRESET"))],
    ["network", sdk(fetchFailed(coded("UND_ERR_SOCKET", "other side closed")))],
    ["network", fetchFailed(new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")]))],
    ["dns", sdk(fetchFailed(coded("ENOTFOUND", "getaddrinfo ENOTFOUND api.anthropic.com")))],
    ["dns", coded("EAI_AGAIN")],
    ["tls", sdk(fetchFailed(coded("UNABLE_TO_GET_ISSUER_CERT_LOCALLY")))],
    ["tls", fetchFailed(coded("CERT_HAS_EXPIRED"))],
    ["tls", fetchFailed(coded("DEPTH_ZERO_SELF_SIGNED_CERT"))],
    ["tls", fetchFailed(coded("ERR_TLS_CERT_ALTNAME_INVALID"))],
    ["tls", fetchFailed(coded("ERR_SSL_WRONG_VERSION_NUMBER"))],
    ["timeout", fetchFailed(coded("UND_ERR_CONNECT_TIMEOUT"))],
    ["timeout", coded("ETIMEDOUT")],
    ["timeout", Object.assign(new Error("Request timed out."), { name: "APIConnectionTimeoutError" })],
    ["stream_idle", new TypeError("terminated", { cause: coded("UND_ERR_BODY_TIMEOUT") })],
    ["protocol", fetchFailed(coded("HPE_INVALID_CONSTANT"))],
    ["not_found", coded("ERR_INVALID_URL", "Invalid URL")],
    ["config_invalid", sdk(fetchFailed(new Error("bad port")))],
    ["unknown", new Error("no idea")],
    ["unknown", "just text"],
    ["unknown", null],
  ])("%s: %s", (kind, error) => {
    expect(classifyException(error)).toBe(kind);
  });

  it("ends on causes that go in a circle", () => {
    const error = new Error("a");
    error.cause = error;
    expect(classifyException(error)).toBe("unknown");
  });
});

describe("whether a request that failed reached anybody", () => {
  const connecting = (code: string): Error => Object.assign(coded(code), { syscall: "connect" });

  it.each([
    connecting("ECONNREFUSED"),
    connecting("EHOSTUNREACH"),
    connecting("ETIMEDOUT"),
    sdk(fetchFailed(new AggregateError([connecting("ECONNREFUSED"), connecting("ENETUNREACH")]))),
    sdk(fetchFailed(Object.assign(coded("ENOTFOUND"), { syscall: "getaddrinfo" }))),
    fetchFailed(coded("UND_ERR_CONNECT_TIMEOUT")),
    sdk(fetchFailed(new Error("bad port"))),
    fetchFailed(coded("SELF_SIGNED_CERT_IN_CHAIN")),
    fetchFailed(coded("CERT_HAS_EXPIRED")),
    fetchFailed(coded("ERR_TLS_CERT_ALTNAME_INVALID")),
    fetchFailed(coded("ERR_SSL_WRONG_VERSION_NUMBER")),
    fetchFailed(coded("ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE")),
  ])("is known to be no: %s", (error) => {
    expect(reachedNobody(error)).toBe(true);
  });

  it.each([
    coded("ECONNRESET"),
    Object.assign(coded("ECONNRESET"), { syscall: "read" }),
    Object.assign(coded("EHOSTUNREACH"), { syscall: "read" }),
    Object.assign(coded("EPIPE"), { syscall: "write" }),
    fetchFailed(coded("UND_ERR_SOCKET", "other side closed")),
    fetchFailed(coded("UND_ERR_HEADERS_TIMEOUT")),
    fetchFailed(coded("ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC")),
    coded("EPROTO"),
    new Error("no idea"),
    null,
  ])("is not known: %s", (error) => {
    expect(reachedNobody(error)).toBe(false);
  });
});
