/** The bytes of an event are put together from two parts: are they those of the whole? */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { type Envelope, sealedBody, sealEvent } from "../../../src/kernel/envelope.ts";
import { canonicalJson } from "../../../src/kernel/json.ts";

// The brands say where an id came from; here any text will do.
const envelope = fc.record({
  actor: fc.constantFrom("belay", "model", "user", "tool"),
  at: fc.nat(),
  causation: fc.option(fc.nat()),
  kind: fc.string(),
  phase: fc.option(fc.oneof(fc.string(), fc.constant(',"data":null'))),
  session: fc.string(),
  seq: fc.nat(),
}) as unknown as fc.Arbitrary<Envelope>;

describe("the bytes of an event", () => {
  it("are the canonical JSON of the whole, whatever stands in envelope and payload", () => {
    const payload = fc.oneof(fc.object(), fc.constant({ text: ',"data":null', data: null }));
    fc.assert(
      fc.property(envelope, payload, (of, data) => {
        const json: unknown = JSON.parse(JSON.stringify(data));
        const whole = canonicalJson({ ...of, data: json });
        expect(sealedBody(of, canonicalJson(json))).toBe(whole);
        expect(sealEvent({ ...of, data: json }).body).toBe(whole);
      }),
    );
  });
});
