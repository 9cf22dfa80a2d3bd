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
  process.on("uncaughtException", (error) => void defect(error, argv.includes("--debug")));
  const face = openFace(process);
  const { runProgram } = await import("./program.ts");
  const code = await runProgram(argv, face);
  await Promise.all([face.out.flush(), face.err.flush()]);
  const { failure } = face.out;
  if (code === 0 && failure !== null) {
    process.stderr.write(
      `belay: The output could not be written (${failure.code ?? failure.message}): it is incomplete.\n`,
    );
    process.stderr.write("       Free space or write it elsewhere, then run the command again.\n");
    process.exit(1);
  }
  // Connections that are kept alive for a next call must not keep the process.
  process.exit(code);
}

/** A defect of belay's own is said in two sentences too. The session is cut off, as by a kill, and can be resumed. */
async function defect(error: Error, debug: boolean): Promise<void> {
  const { exitCodeOfFailure, failureText } = await import("./failure.ts");
  process.stderr.write(`${failureText(error, debug)}\n`);
  process.exit(exitCodeOfFailure(error));
}

await main();
