/** The command in this process: what it prints and how it ends, with a home of its own and nothing on its standard input. */
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { readEnvironment } from "../../src/cli/environment.ts";
import { OutputStream } from "../../src/cli/output-stream.ts";
import { runProgram } from "../../src/cli/program.ts";

export interface ProgramEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface ProgramPlace {
  /** The user's home; belay's is `home` in it. */
  readonly directory: string;
  readonly cwd: string;
  /** Of the environment, besides both homes. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

export async function program(
  { directory, cwd, variables = {} }: ProgramPlace,
  argv: readonly string[],
): Promise<ProgramEnd> {
  const streams = [new PassThrough(), new PassThrough()] as const;
  const [out, err] = streams.map((stream) => new OutputStream(stream, { colors: false, redraws: false }));
  if (out === undefined || err === undefined) throw new TypeError("there are two streams");
  const texts = streams.map((stream) => stream.setEncoding("utf8").toArray());
  const environment = readEnvironment(
    { BELAY_HOME: join(directory, "home"), HOME: directory, ...variables },
    directory,
  );
  const code = await runProgram(argv, { environment, cwd, stdin: Readable.from([]), out, err });
  for (const stream of streams) stream.end();
  const [outText = [], errText = []] = await Promise.all(texts);
  return { code, out: outText.join(""), err: errText.join("") };
}
