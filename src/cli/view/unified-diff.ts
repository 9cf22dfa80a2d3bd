/** The difference of two texts, line by line, in the form of `diff -u`. */

/** Lines that one side may have alone before the search is given up and all is shown as replaced. */
const DISTANCE_MAX = 500;
const CONTEXT_LINES = 3;

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Empty where both are the same. Ends without a newline. */
export function unifiedDiff(from: { readonly name: string; readonly text: string }, to: typeof from): string {
  if (from.text === to.text) return "";
  const lines = compared(linesOf(from.text), linesOf(to.text));
  const hunks = hunksOf(lines);
  return [`--- ${from.name}`, `+++ ${to.name}`, ...hunks].join("\n");
}

/** A last line without a newline differs from one with it. */
function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") return lines.slice(0, -1);
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ""}\n\\ No newline at end of file`];
}

function compared(a: readonly string[], b: readonly string[]): readonly Line[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (lines: readonly string[]): readonly Line[] => lines.map((text) => ({ sign: " ", text }));
  return [
    ...same(a.slice(0, head)),
    ...shortest(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ];
}

/** The shortest way from one to the other (Myers). */
function shortest(a: readonly string[], b: readonly string[]): readonly Line[] {
  const reached: ReadonlyMap<number, number>[] = [];
  let far = new Map<number, number>([[1, 0]]);
  for (let distance = 0; distance <= Math.min(DISTANCE_MAX, a.length + b.length); distance++) {
    const next = new Map(far);
    reached.push(far);
    for (let k = -distance; k <= distance; k += 2) {
      const x = along(a, b, k, start(far, k, distance));
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return wayBack(a, b, reached);
    }
    far = next;
  }
  return [...a.map((text): Line => ({ sign: "-", text })), ...b.map((text): Line => ({ sign: "+", text }))];
}

/** Where diagonal `k` is entered: from above, which adds a line, or from the left, which takes one away. */
function start(far: ReadonlyMap<number, number>, k: number, distance: number): number {
  const [left, above] = [far.get(k - 1) ?? -1, far.get(k + 1) ?? -1];
  return k === -distance || (k !== distance && left < above) ? above : left + 1;
}

function along(a: readonly string[], b: readonly string[], k: number, from: number): number {
  let x = from;
  while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
  return x;
}

function wayBack(a: readonly string[], b: readonly string[], reached: readonly ReadonlyMap<number, number>[]): Line[] {
  const lines: Line[] = [];
  let x = a.length;
  let y = b.length;
  for (let distance = reached.length - 1; distance >= 0; distance--) {
    const far = reached[distance] ?? new Map<number, number>();
    const k = x - y;
    const [left, above] = [far.get(k - 1) ?? -1, far.get(k + 1) ?? -1];
    const down = k === -distance || (k !== distance && left < above);
    const before = down ? above : left;
    const entered = down ? above : left + 1;
    while (x > entered) {
      x--;
      y--;
      lines.push({ sign: " ", text: a[x] ?? "" });
    }
    if (distance === 0) break;
    x = before;
    y = before - (down ? k + 1 : k - 1);
    lines.push(down ? { sign: "+", text: b[y] ?? "" } : { sign: "-", text: a[x] ?? "" });
  }
  return lines.reverse();
}

function hunksOf(lines: readonly Line[]): readonly string[] {
  const hunks: string[] = [];
  for (let at = nextChange(lines, 0); at !== -1;) {
    const begin = Math.max(0, at - CONTEXT_LINES);
    let last = at;
    for (let next = at; next !== -1 && next - last <= 2 * CONTEXT_LINES; next = nextChange(lines, next + 1))
      last = next;
    const end = Math.min(lines.length, last + 1 + CONTEXT_LINES);
    hunks.push(headOf(lines, begin, end), ...lines.slice(begin, end).map(({ sign, text }) => sign + text));
    at = nextChange(lines, last + 1);
  }
  return hunks;
}

function nextChange(lines: readonly Line[], from: number): number {
  return lines.findIndex(({ sign }, i) => i >= from && sign !== " ");
}

function headOf(lines: readonly Line[], begin: number, end: number): string {
  const count = (within: readonly Line[], not: "-" | "+"): number => within.filter(({ sign }) => sign !== not).length;
  const range = (not: "-" | "+"): string => {
    const length = count(lines.slice(begin, end), not);
    const first = count(lines.slice(0, begin), not) + (length === 0 ? 0 : 1);
    return length === 1 ? `${first}` : `${first},${length}`;
  };
  return `@@ -${range("+")} +${range("-")} @@`;
}
