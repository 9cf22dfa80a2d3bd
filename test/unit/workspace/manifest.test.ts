import { fc } from "../../support/property.ts";
import { describe, expect, test } from "vitest";
import { type BytePath, pathFromBytes } from "../../../src/workspace/byte-path.ts";
import { decodeManifest, encodeManifest } from "../../../src/workspace/snapshot/manifest.ts";

const path = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => pathFromBytes(bytes.map((byte) => (byte === 0 ? 1 : byte))));
const bits = fc.integer({ min: 0, max: 0o7777 });

describe("the manifest of modes and empty directories", () => {
  test("decoding what was encoded gives the same, for any bytes in a name", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(path, bits)), fc.array(fc.tuple(path, fc.option(bits))), (files, directories) => {
        const manifest = {
          files: new Map<BytePath, number>(files),
          directories: new Map<BytePath, number | null>(directories),
        };
        expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
      }),
    );
  });

  test("the same content has the same bytes, in whatever order it was found", () => {
    const [a, b] = [pathFromBytes(Buffer.from("a")), pathFromBytes(Buffer.from("b"))];
    const one = {
      files: new Map([[a, 0o600] as const, [b, 0o640] as const]),
      directories: new Map<BytePath, number | null>(),
    };
    const two = { ...one, files: new Map([...one.files].reverse()) };
    expect(encodeManifest(one)).toEqual(encodeManifest(two));
  });
});
