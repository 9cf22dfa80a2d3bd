/**
 * A certificate for this process alone, signed by its own key: what a client meets that checks certificates. X.509 in DER
 * (RFC 5280), as much of it as one ECDSA certificate needs.
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";

const VALID_FROM = "250101000000Z";
const VALID_TO = "491231235959Z";

const SEQUENCE = 0x30;
const SET = 0x31;
const OID_ECDSA_SHA256 = "2a8648ce3d040302";
const OID_COMMON_NAME = "550403";
const OID_ALT_NAMES = "551d11";
const OID_BASIC_CONSTRAINTS = "551d13";

export interface Identity {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export function selfSigned(host: string): Identity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(SEQUENCE, oid(OID_ECDSA_SHA256));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid(OID_COMMON_NAME), der(0x0c, Buffer.from(host)))));
  const content = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(SEQUENCE, der(0x17, Buffer.from(VALID_FROM)), der(0x17, Buffer.from(VALID_TO))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(SEQUENCE, ...extensions(host))),
  );
  const signature = sign("sha256", content, privateKey);
  const certificate = der(SEQUENCE, content, algorithm, der(0x03, Buffer.from([0]), signature));
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), cert: pem(certificate) };
}

/** It may sign itself, and stands for this host and for localhost. */
function extensions(host: string): readonly Buffer[] {
  const critical = der(0x01, Buffer.from([0xff]));
  const authority = der(SEQUENCE, critical);
  const names = [der(0x82, Buffer.from("localhost")), isIP(host) === 4 ? address(host) : der(0x82, Buffer.from(host))];
  return [
    der(SEQUENCE, oid(OID_BASIC_CONSTRAINTS), critical, der(0x04, authority)),
    der(SEQUENCE, oid(OID_ALT_NAMES), der(0x04, der(SEQUENCE, ...names))),
  ];
}

function address(host: string): Buffer {
  return der(0x87, Buffer.from(host.split(".").map(Number)));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

/** Tag, length, content. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
