/** Thrown inside the reader where it stops understanding; `readShell` turns it into a problem, and nobody else sees it. */
export class NotRead extends Error {
  override readonly name = "NotRead";
}
