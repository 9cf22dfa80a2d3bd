import { describe, expect, it } from "vitest";
import { TOOL_OUTPUT_CHARS_MAX } from "../../../src/kernel/limits.ts";
import { findSkills, readSkillText } from "../../../src/context/skills.ts";
import type { SkillReader } from "../../../src/tool/skill-reader.ts";
import { skillTool } from "../../../src/tool/skill.ts";
import type { ToolContext, ToolOutput } from "../../../src/tool/tool.ts";
import { told } from "../../support/tool-fixture.ts";
import { given } from "../context/given.ts";

const skill = (name: string, text: string): string => `---\nname: ${name}\ndescription: d\n---\n${text}`;

async function asked(name: string, file?: string): Promise<ToolOutput> {
  const { files } = given(
    {
      ".claude/skills/pdf/SKILL.md": skill("pdf", "See forms.md."),
      ".claude/skills/pdf/forms.md": "Forms.",
      ".claude/skills/long/SKILL.md": skill("long", "line\n".repeat(12_000)),
    },
    { ".claude/skills/mine/SKILL.md": skill("mine", "Mine.") },
  );
  const { skills } = await findSkills(files, false);
  const reader: SkillReader = { read: (wanted, of) => readSkillText(files, skills, wanted, of) };
  const context = { skills: reader } as unknown as ToolContext; // it uses nothing else
  return skillTool.run(file === undefined ? { name } : { name, file }, context);
}

describe("the tool `skill`", () => {
  it("hands back the text of a skill, and says where its files are", async () => {
    const output = await asked("pdf");
    expect(told(output)).toBe("ok: [skill pdf. Its files lie in .claude/skills/pdf of the workspace.]\nSee forms.md.");
    expect(output.content.map(({ origin }) => origin)).toEqual([
      { from: "belay" },
      { from: "workspace", by: ".claude/skills/pdf/SKILL.md" },
    ]);
  });

  it("reads its files, also of a skill that lies outside the workspace", async () => {
    expect(told(await asked("pdf", "forms.md"))).toBe("ok: Forms.");
    expect(told(await asked("mine"))).toBe(
      "ok: [skill mine. Its files lie outside the workspace: read one with `file`.]\nMine.",
    );
  });

  it("cuts a text that is too long for one answer", async () => {
    const answer = told(await asked("long"));
    expect(answer.length).toBeLessThanOrEqual(TOOL_OUTPUT_CHARS_MAX);
    expect(answer).toMatch(/\n\[… [\d,]+ lines left out …\]\n/);
  });

  it("fails with what there is instead of what is not there", async () => {
    expect(told(await asked("gone"))).toBe('error: There is no skill "gone". There are: long, mine, pdf.');
    expect(told(await skillTool.run({ name: "pdf" }, {} as ToolContext))).toBe("error: This session offers no skills."); // none handed in
  });
});
