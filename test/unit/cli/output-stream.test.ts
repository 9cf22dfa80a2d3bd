import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { BEHIND_BYTES_MAX, OutputStream } from "../../../src/cli/output-stream.ts";
import { withoutCommands } from "../../../src/cli/view/log-text.ts";

const OPTIONS = { colors: true, redraws: true };

function failing(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => {
      done(Object.assign(new TypeError(code), { code }));
    },
  });
}

describe("standard output", () => {
  it("is no terminal and has no colours when it is a pipe", () => {
    const out = new OutputStream(new PassThrough(), OPTIONS);
    expect([out.isTerminal, out.colors]).toEqual([false, false]);
  });

  it("does not redraw at a terminal that cannot", () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    const out = new OutputStream(terminal, { colors: false, redraws: false });
    expect([out.isTerminal, out.colors, out.columns()]).toEqual([false, false, 80]);
  });

  it("knows after a flush that the last words did not fit on a full disk", async () => {
    const out = new OutputStream(failing("ENOSPC"), OPTIONS);
    out.line("x");
    await out.flush();
    expect(out.failure).toMatchObject({ code: "ENOSPC" });
  });

  it.each(["EPIPE", "EIO", "ENOSPC"])(
    "stops writing when its reader is gone (%s), tells whoever listens, and throws nothing",
    async (code) => {
      const out = new OutputStream(failing(code), OPTIONS);
      const told = new Promise<void>((resolve) => {
        out.onGone(resolve);
      });
      out.line("x");
      await told;
      expect(out.gone).toBe(true);
      out.line("y");
      await out.ready();
      await out.flush();
      let late = false;
      out.onGone(() => {
        late = true;
      });
      expect(late).toBe(true);
    },
  );

  it.each([
    ["ENOSPC", "ENOSPC"],
    ["EPIPE", null],
    ["EIO", null],
  ])("that ends with %s is incomplete against the reader's will: %j", async (code, failure) => {
    const out = new OutputStream(failing(code), OPTIONS);
    const told = new Promise<void>((resolve) => {
      out.onGone(resolve);
    });
    out.line("x");
    await told;
    expect(out.failure?.code ?? null).toBe(failure);
  });

  it("says when its reader is behind, and when it has caught up", async () => {
    const pipe = new PassThrough();
    const out = new OutputStream(pipe, OPTIONS);
    out.write("x".repeat(BEHIND_BYTES_MAX * 2));
    expect(out.behind).toBe(true);
    const ready = out.ready();
    pipe.resume();
    await ready;
    expect(out.behind).toBe(false);
  });

  it("hands everything over before the end", async () => {
    const taken: string[] = [];
    const slow = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        setImmediate(() => {
          taken.push(chunk.toString());
          done();
        });
      },
    });
    const out = new OutputStream(slow, OPTIONS);
    for (const line of ["a", "b", "c"]) out.line(line);
    await out.flush();
    expect(taken.join("")).toBe("a\nb\nc\n");
  });

  it("gives a log no command: not in text, and in JSON none, which says the same; and tells when bytes were changed", async () => {
    const log = new PassThrough();
    const out = new OutputStream(log, { ...OPTIONS, guard: withoutCommands });
    const value = { name: "##[set-env name=PATH]" };
    out.line("a\n ::error::x");
    expect([out.json(JSON.stringify(value)), out.json("[]")]).toEqual([true, false]);
    expect([out.exactly("+x\n ::stop-commands::y\n"), out.exactly("+::x\n")]).toEqual([true, false]);
    await out.flush();
    const [first, second, json = "", ...rest] = String(log.read()).split("\n");
    expect([first, second, ...rest]).toEqual(["a", " \\::error::x", "[]", "+x", " \\::stop-commands::y", "+::x", ""]);
    expect(json).not.toContain("##[");
    expect(JSON.parse(json)).toEqual(value);
  });

  it("is to the byte where nothing takes commands", () => {
    const pipe = new PassThrough();
    const out = new OutputStream(pipe, OPTIONS);
    out.line(" ::error::x");
    expect([out.json('{"a":"##[b]"}'), out.exactly("::c\n")]).toEqual([false, false]);
    expect(String(pipe.read())).toBe(' ::error::x\n{"a":"##[b]"}\n::c\n');
  });
});
