/**
 * Character references. In attribute values: all that can stand for an ASCII character; others mean nothing to a style or an address.
 * In text: all, where somebody who knows their names is asked (`Decode`), once for each name.
 */

/** The text for one reference as it stands in a page, or as much of it as is one. */
export type Decode = (reference: string) => string;

const NAMED: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", Tab: "\t", NewLine: "\n", excl: "!", num: "#" },
  ...{ dollar: "$", percnt: "%", lpar: "(", rpar: ")", ast: "*", midast: "*", plus: "+", comma: ",", period: "." },
  ...{ sol: "/", colon: ":", semi: ";", equals: "=", quest: "?", commat: "@", lsqb: "[", lbrack: "[", bsol: "\\" },
  ...{ rsqb: "]", rbrack: "]", Hat: "^", lowbar: "_", UnderBar: "_", grave: "`", DiacriticalGrave: "`", lcub: "{" },
  ...{ lbrace: "{", verbar: "|", vert: "|", VerticalLine: "|", rcub: "}", rbrace: "}", fjlig: "fj" },
};
const REFERENCE = /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,20}));?/gi;
const CODE_POINT_MAX = 0x10_ff_ff;

export function withoutReferences(value: string): string {
  if (!value.includes("&")) return value;
  return value.replace(REFERENCE, (whole: string, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= CODE_POINT_MAX ? String.fromCodePoint(code) : whole;
  });
}

/** There are some two thousand names; whoever writes more of them makes them up. */
const NAMES_MAX = 3_000;

/** Decodes text; remembers what it asked for. */
export function textDecoder(decode: Decode): (text: string) => string {
  const known = new Map<string, string>();
  const named = (reference: string): string => {
    const before = known.get(reference);
    if (before !== undefined) return before;
    const text = known.size < NAMES_MAX ? decode(reference) : reference;
    if (known.size < NAMES_MAX) known.set(reference, text);
    return text;
  };
  return (text) => (text.includes("&") ? text.replace(TEXT_REFERENCE, named) : text);
}

const TEXT_REFERENCE = /&(?:#x?[0-9a-f]{1,8}|[a-z][a-z0-9]{1,31});?/gi;
