/** What is said when bytes for a program had to be changed, because a service of continuous integration obeys its log. */
import type { Face } from "./face.ts";

export function notToTheByte({ environment }: Pick<Face, "environment">): string {
  return `belay: Lines that ${environment.ci?.name ?? "a log"} would take as commands were changed.`;
}
