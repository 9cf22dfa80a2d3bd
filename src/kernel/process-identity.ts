/** What names a process beyond doubt on one machine: a pid alone is reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot, from /proc/<pid>/stat; null where the system does not tell. */
  readonly start_time: string | null;
  /** Changes with every boot; null where the system does not tell. */
  readonly boot_id: string | null;
  /** The PID namespace (`pid:[4026531836]`), when the process has one of its own that dies with it; null otherwise. */
  readonly namespace: string | null;
}
