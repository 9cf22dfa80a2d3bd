/** The command line. Everything but the version is loaded when it is needed. */
import { openFace } from "./face.ts";
import { VERSION } from "./version.ts";

const VERSION_WORDS = ["--version", "-V", "-v", "version"];

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.length === 1 && VERSION_WORDS.includes(argv[0] ?? "")) {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  const face = openFace(process);
  const { runProgram } = await import("./program.ts");
  const code = await runProgram(argv, face);
  await Promise.all([face.out.flush(), face.err.flush()]);
  // Connections that are kept alive for a next call must not keep the process.
  process.exit(code);
}

await main();
