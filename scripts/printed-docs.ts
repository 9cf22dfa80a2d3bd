/** Prints the pages that are made from the code; with `--check` compares them with what is committed. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cliPage } from "./cli-page.ts";
import { errorsPage } from "./errors-page.ts";
import { exitCodesPage } from "./exit-codes-page.ts";

const DOCS = join(import.meta.dirname, "../docs");
const PAGES: Readonly<Record<string, () => string>> = {
  "errors.md": errorsPage,
  "cli.md": cliPage,
  "exit-codes.md": exitCodesPage,
};

const check = process.argv.includes("--check");
for (const [name, page] of Object.entries(PAGES)) {
  const path = join(DOCS, name);
  const text = page();
  if (!check) {
    writeFileSync(path, text);
    console.log(`docs/${name} is printed`);
  } else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    console.error(`docs/${name} is not what the code says. Run \`npm run docs\` and commit it.`);
    process.exitCode = 1;
  }
}
