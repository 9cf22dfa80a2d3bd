import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { safeLine, safeText } from "../../../src/cli/view/safe-text.ts";

const ESC = "\u001b";

describe("text of a model or a tool on its way to a terminal", () => {
  it.each([
    ["colours", `${ESC}[31mred${ESC}[0m`, "red"],
    ["cursor movement", `a${ESC}[2K${ESC}[1Ab`, "ab"],
    ["a window title", `${ESC}]0;owned\u0007x`, "x"],
    ["a link that is not what it says", `${ESC}]8;;http://evil${ESC}\\safe${ESC}]8;;${ESC}\\`, "safe"],
    ["writing the clipboard", `${ESC}]52;c;ZXZpbA==\u0007x`, "x"],
    ["a device string", `${ESC}P1$r${ESC}\\x`, "x"],
    ["the eight-bit forms", "\u009b31mred\u009d0;t\u009cx", "redx"],
    ["a reset of the terminal", `${ESC}cx`, "x"],
    ["an escape without an end", `a${ESC}]0;never`, "a⟨U+001B⟩]0;never"],
    ["a bell and a backspace", "a\u0007b\u0008c", "a⟨U+0007⟩b⟨U+0008⟩c"],
    ["turned text", "a\u202eb", "a⟨U+202E⟩b"],
    ["invisible characters", "a\u200bb\ufeffc", "a⟨U+200B⟩b⟨U+FEFF⟩c"],
    ["tag characters", "a\u{e0041}b", "a⟨U+E0041⟩b"],
    ["Windows lines", "a\r\nb", "a\nb"],
    ["a line written over", "10%\r20%", "10%\n20%"],
  ])("does not pass on %s", (_, text, shown) => {
    expect(safeText(text)).toBe(shown);
  });

  it("keeps tabs, newlines, every script and joined emoji", () => {
    const text = "a\tb\nжизнь 漢字 عربي 👩‍👩‍👧 é";
    expect(safeText(text)).toBe(text);
  });

  it("lets no control character through, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        return !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(safeText(text));
      }),
    );
  });

  it("puts several lines on one", () => {
    expect(safeLine("a\n  b\tc")).toBe("a ⏎ b c");
  });
});
