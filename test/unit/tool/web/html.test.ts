/** What a reader of a page sees is what a model reads of it: nothing that is hidden, in whatever way, and all that is not. */
import { describe, expect, it } from "vitest";
import { textOfHtml } from "../../../../src/tool/web/html/text.ts";
import { visiblePage } from "../../../../src/tool/web/html/visible.ts";
import { fc } from "../../../support/property.ts";

const BASE = "https://example.com/docs/page";
const LONG = process.env["BELAY_TEST_LONG"] === "1";
const PAGE_CHARS = (LONG ? 10 : 2) * 1024 * 1024;

async function textOf(page: string): Promise<string> {
  return (await textOfHtml(page, BASE)).text;
}

describe("a page as text", () => {
  it("keeps its shape: headings, lists, tables, code, links with their whole address", async () => {
    const page = `<!doctype html><html><head><title>Guide</title><meta name=description content="meta"></head><body>
      <h1>Guide</h1><p>One <b>bold</b> word, a_b and <a href="../x?a=1&amp;b=2#c">a link</a>.</p>
      <ol><li>first<li>second <code>x = *p</code></ol>
      <table><tr><th>A<th>B<tr><td>1<td>2</table>
      <pre>line 1\n  if (a &lt; b) {}</pre><blockquote>said</blockquote></body></html>`;
    expect(await textOfHtml(page, BASE)).toEqual({
      title: "Guide",
      text: [
        "# Guide",
        "One bold word, a_b and [a link](https://example.com/x?a=1&b=2#c).",
        "1.  first\n2.  second `x = *p`",
        "A | B\n1 | 2",
        "```\nline 1\n  if (a < b) {}\n```",
        "> said",
      ].join("\n\n"),
      notes: [],
    });
  });

  it("shows no address but those of links to pages, and nothing that a screen would load", async () => {
    const page = `<img src="https://evil.example/?x" alt="a map"><img src=/y alt="${"long ".repeat(60)}"><a href="javascript:alert(1)">one</a>
      <a href="data:text/html,x">two</a> <a href="java&#115;cript:x">three</a> <a href="//other.example/p">four</a> <a href="https://u:p@a.example">five</a>
      !<a href="https://evil.example/six">six</a> ![seven](https://evil.example/7) &#33;[eight](https://evil.example/8) <a href="/t" title="tip">nine</a>`;
    expect((await textOf(page)).replace(/\s+/g, " ")).toBe(
      "[image: a map]one two three [four](https://other.example/p) five !\\[six](https://evil.example/six) " +
        "!\\[seven](https://evil.example/7) !\\[eight](https://evil.example/8) [nine](https://example.com/t)",
    );
  });

  it("resolves links against the page's own base", async () => {
    expect(await textOf('<base href="https://cdn.example/a/"><a href="b">x</a>')).toBe("[x](https://cdn.example/a/b)");
    expect(await textOf('<base href="javascript:x"><a href="b">x</a>')).toBe("[x](https://example.com/docs/b)");
  });

  it("knows character references, once decoded and never twice", async () => {
    const page =
      "<title>&Eacute;t&eacute;</title><p>&hellip; &lt;b&gt; &amp;lt; &#233;&#x1F600; &nosuch; &copy 2020 \ue0f0p hidden>x</p>";
    const { title, text } = await textOfHtml(page, BASE);
    expect([title, text]).toEqual(["Été", "… <b> &lt; é\u{1f600} &nosuch; © 2020 \ufffdp hidden>x"]);
  });

  it("says when nothing is seen", async () => {
    expect((await textOfHtml("<div id=app></div><script>start()</script>", BASE)).notes).toEqual([
      "the page shows no text without scripts",
    ]);
  });
});

/** `SECRET` must not be read, `seen` must. Each page is a control for itself. */
const HIDDEN: readonly string[] = [
  // elements and attributes
  ...["<script>SECRET</script>", "<style>SECRET</style>", "<template>SECRET</template>", "<noscript>SECRET</noscript>"],
  ...[
    "<iframe>SECRET</iframe>",
    "<svg><text>SECRET</text></svg>",
    "<object>SECRET</object>",
    "<canvas>SECRET</canvas>",
  ],
  ...[
    "<audio>SECRET</audio>",
    "<video>SECRET</video>",
    "<textarea>SECRET</textarea>",
    "<select><option>SECRET</select>",
  ],
  ...[
    "<datalist><option>SECRET</datalist>",
    "<dialog>SECRET</dialog>",
    "<meter>SECRET</meter>",
    "<noembed>SECRET</noembed>",
  ],
  ...[
    "<input value=SECRET>",
    "<meta name=x content=SECRET>",
    "<p title=SECRET></p>",
    "<!-- SECRET -->",
    "<p data-x=SECRET></p>",
  ],
  ...[
    "<p hidden>SECRET</p>",
    "<p hidden=until-found>SECRET</p>",
    "<p aria-hidden=true>SECRET</p>",
    "<p popover>SECRET</p>",
  ],
  ...[
    "<p HIDDEN><b>SECRET</b></p>",
    "<div hidden><p style='display:block'>SECRET</p></div>",
    '<p aria-hidden="TRUE">SECRET</p>',
  ],
  `<img alt="${"SECRET ".repeat(40)}">`,
  // styles
  ...[
    ...[
      "display:none",
      "DISPLAY : NONE",
      "display:none !important",
      "visibility:hidden",
      "visibility:collapse",
      "opacity:0",
    ],
    ...["opacity:0.01", "opacity:0%", "font-size:0", "font-size:1px", "font-size:.01em", "font-size:0%", "font:0/0 a"],
    ...[
      "position:absolute;left:-9999px",
      "position:fixed;top:-200vh",
      "position:absolute;right:-10000px",
      "text-indent:-9999px",
    ],
    ...[
      "position:absolute;left:9999px",
      "position:absolute;inset:-9999px auto auto auto",
      "margin-left:-9999px",
      "margin:-9999px",
    ],
    ...["transform:translateX(-9999px)", "transform:scale(0)", "translate:-9999px", "scale:0", "clip:rect(0,0,0,0)"],
    ...[
      "clip:rect(1px 1px 1px 1px)",
      "clip-path:inset(50%)",
      "clip-path:circle(0)",
      "width:1px;height:1px;overflow:hidden",
    ],
    ...["max-height:0;overflow:hidden", "height:0;overflow-y:hidden", "content-visibility:hidden", "filter:opacity(0)"],
    ...[
      "color:white",
      "color:#fff",
      "color:#fefefe",
      "color:rgb(255,255,255)",
      "color:rgba(0,0,0,0)",
      "color:transparent",
    ],
    ...[
      "color:hsl(0,0%,100%)",
      "background:#000;color:#010101",
      "background-color:red;color:rgb(255 0 0)",
      "background:black",
    ],
    ...[
      "-webkit-text-fill-color:transparent",
      "color:#ffff",
      "color:#0000",
      "display&#58;none",
      "display:n\\6fne",
      "d\\69splay:none",
    ],
    ...["color:red;display:none;color:blue", "/* x */display:none", "display:none;display"],
  ].map((style) => `<p style="${style}">SECRET</p>`),
  ...["<font color=white>SECRET</font>", "<table bgcolor=#123456><tr><td><font color=#123456>SECRET</font></table>"],
  // style sheets
  ...[
    ".h{display:none}",
    "p.h{display:none}",
    ".h,.x{display:none}",
    "#i{display:none}",
    "p#i.h{opacity:0}",
    "*.h{font-size:0}",
  ],
].map((page) =>
  page.includes("{") && !page.startsWith("<") ? `<style>${page}</style><p class="a h" id=i>SECRET</p>` : page,
);

const SHEETS: readonly string[] = [
  ...[
    "div .h{display:none}",
    "div>.h{display:none}",
    "body div p.h{display:none}",
    "[data-x]{display:none}",
    '[data-x="1"]{display:none}',
  ],
  ...[
    "@media screen{.h{display:none}}",
    "@media (min-width:1px){.h{display:none}}",
    "@supports (a:b){.h{display:none}}",
  ],
  ...[
    "@layer a{.h{display:none}}",
    "div{.h{display:none}}",
    "div{color:red;&>.h{display:none}}",
    ".\\68{display:none}",
  ],
  ...[
    "/* } */.h{display:none}",
    "a::before{content:'}'}.h{display:none}",
    "<!-- .h{display:none} -->",
    ".h{display:none",
  ],
  ...[
    ".h{display:none!important}.h{display:block}",
    "@import url(x);.h{display:none}",
    "@charset 'x';@font-face{a:b}.h{display:none}",
  ],
  ...[".h{display:block}.h{display:none}", ".a.h{display:none}.h{display:block}"],
];

/** What browsers hide by the way they read a page. */
const READING: readonly string[] = [
  ...[
    "<div hidden><table></div>SECRET</table></div>",
    "<span hidden><div></span>SECRET</div></span>",
    "<p><b hidden>x</p>SECRET</b>",
  ],
  ...[
    "<div hidden><b><div></b>x</div>SECRET</div>",
    "<div hidden></p></span></td>SECRET</div>",
    "<form hidden><div></form>SECRET</div>",
  ],
  ...[
    "<script><!--<script></script>SECRET--></script>",
    "<script>'</scrip>SECRET'</script>",
    "<style><p>SECRET</style>",
  ],
  ...[
    "<noscript><p title='</p>'>SECRET</noscript>",
    "<svg><![CDATA[</svg>]]>SECRET</svg>",
    "<!-- > SECRET -->",
    "<!--a--!x>SECRET-->",
  ],
  ...[
    "<? SECRET ?>",
    "<!x SECRET>",
    "</ SECRET>",
    "<p x='>SECRET'></p>",
    '<p x=">SECRET"></p>',
    "<div hidden/>SECRET</div>",
  ],
  ...["<textarea></p>SECRET</textarea>", "<title>a</title><title>SECRET</title>", "<p hidden hidden=false>SECRET</p>"],
  ...[
    "<p style='display:none' style='display:block'>SECRET</p>",
    "<DIV HIDDEN>SECRET</DIV>",
    "<svg><foreignObject></svg>SECRET</foreignObject></svg>",
  ],
  ...["<p/hidden/>SECRET</p>", "<p\nhidden\n>SECRET</p>", "<div hidden><li></ul>SECRET</div>", "<a hidden>SECRET"],
];

describe("what is hidden", () => {
  it.each(HIDDEN)("is not read: %s", async (page) => {
    const text = await textOf(`<!doctype html><p>seen</p>${page}<p>seen, too</p>`.replace(/(SECRET)$/, "$1</p>"));
    expect(text).not.toContain("SECRET");
    expect(text.startsWith("seen")).toBe(true);
    expect(text).toMatch(/seen, too$/);
  });

  it.each(SHEETS)("by a style sheet is not read: %s", async (sheet) => {
    const text = await textOf(
      `<!doctype html><body><p>seen<div><p class="a h" data-x=1>SECRET</p>seen</div><style>${sheet}</style>`,
    );
    expect(text).toBe("seen\n\nseen");
  });

  it.each(READING)("by how a page is written is not read: %s", async (page) => {
    expect(await textOf(`<!doctype html><p>seen</p>${page}`)).not.toContain("SECRET");
  });

  it("is not read where a page never ends its tags", async () => {
    for (const open of [
      "<!-- SECRET",
      "<p x='SECRET",
      "<script>SECRET",
      "<style>SECRET",
      "<p hidden>SECRET",
      "<p SECRET",
    ])
      expect(await textOf(`<p>seen</p>${open}`)).toBe("seen");
  });
});

describe("what is seen", () => {
  it.each([
    "<p style='display:block'>seen</p>",
    "<p style='opacity:.5'>seen</p>",
    "<p style='color:white;background:#000'>seen</p>",
    "<div style='background:url(x)'><p style='color:white'>seen</p></div>",
    "<p style='font-size:12px;text-indent:-1em;left:-9999px'>seen</p>",
    "<div style='visibility:hidden'><p style='visibility:visible'>seen</p></div>",
    "<div style='font-size:0'><p style='font-size:14px'>seen</p></div>",
    "<div hidden>x</div>seen",
    "<p hidden>x<p>seen",
    "<ul><li hidden>x<li>seen</ul>",
    "<table><tr><td hidden>x<td>seen</table>",
    "<p hidden>x<div>seen</div>",
    "<a hidden>x<a>seen</a>",
    "<p aria-hidden=false>seen</p>",
    "<style>@media print{p{display:none}}</style><p>seen</p>",
    "<style>@media (max-width:600px){p{display:none}}</style><p>seen</p>",
    "<style>@keyframes a{from{visibility:hidden}}p{animation:a}</style><p>seen</p>",
    "<style>.m{display:none}.m.open{display:block}</style><p class='m open'>seen</p>",
    "<style>p:hover{display:none}p+p{display:none}</style><p>seen</p>",
    "<style>.hidden{display:none}@media (min-width:768px){.md\\:block{display:block}}</style><p class='hidden md:block'>seen</p>",
    "<style>body{opacity:0}</style><body>seen",
    "<style>#a .h{display:none}</style><div id=b><p class=h>seen</p></div>",
    "<details><summary>seen</summary></details>",
    "<dialog open>seen</dialog>",
    "<!-->seen",
    "<!--->seen",
    "<svg/>seen",
    "<title>x</title>seen",
    "<script></script>seen",
  ])("is read: %s", async (page) => {
    expect(await textOf(`<!doctype html>${page}`)).toContain("seen");
  });

  it("is all text that stands in a page without styles, whatever its tags", () => {
    const tag = fc.constantFrom(
      "div",
      "p",
      "b",
      "a",
      "span",
      "ul",
      "li",
      "td",
      "table",
      "h1",
      "section",
      "form",
      "button",
    );
    const piece = fc.oneof(
      tag.map((name) => `<${name}>`),
      tag.map((name) => `</${name}>`),
      fc.constant("word"),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const { html } = visiblePage(pieces.join(""), BASE);
        expect(html.match(/word/g)?.length ?? 0).toBe(pieces.filter((one) => one === "word").length);
        expect(unbalanced(html)).toEqual([]);
      }),
    );
  });
});

/** Tags that are not closed in their order. */
function unbalanced(html: string): readonly string[] {
  const open: string[] = [];
  for (const [, end, name = ""] of html.matchAll(/<(\/?)([a-z0-9]+)[^<>]*>/g)) {
    if (name === "br" || name === "hr") continue;
    if (end === "") open.push(name);
    else if (open.pop() !== name) return [name];
  }
  return open;
}

describe("a page of megabytes", () => {
  const fill = (piece: string): string => piece.repeat(Math.ceil(PAGE_CHARS / piece.length));
  // Each comes to an end in a second or two; a defect takes hours or the stack.
  it.each([
    ...[
      "<div>",
      "<p><b>",
      "<p><font color=red>",
      "<a href=/x>x",
      "</div>",
      "<",
      "<a ",
      "&amp;",
      "\n",
      "<!--",
      "<table><td>",
    ],
    ...[
      "<ul><li>",
      "<b></i>",
      "<blockquote>x",
      "<pre>x\n",
      "<svg>",
      "<p style='color:red'>x",
      "<style>a{",
      '<a b="',
      "`",
      "![",
    ],
  ])("of nothing but %j is read, or left off with a note", async (piece) => {
    const { text, notes } = await textOfHtml(`<p>seen</p>${fill(piece)}`, BASE);
    expect(text.startsWith("seen") || notes.length > 0).toBe(true);
  });

  it("with ordinary content comes as plain text, without what is hidden", async () => {
    const page = `<h1>seen</h1>${"<div><p>Some text of a page</p><p hidden>SECRET</p></div>".repeat(20_000)}`;
    const { text, notes } = await textOfHtml(page, BASE);
    expect(notes).toEqual(["the page is large: its plain text"]);
    expect(text.match(/Some text of a page/g)?.length).toBe(20_000);
    expect(text).not.toContain("SECRET");
  });

  it("hides nothing less for being deep: what cannot be told any more is left off", async () => {
    const page = `<p>seen</p>${"<div>".repeat(200_000)}<p hidden>SECRET</p>`;
    const { text, notes } = await textOfHtml(page, BASE);
    expect(text).toBe("seen");
    expect(notes).toContain("the page is too intricate to be read to its end");
  });
});
