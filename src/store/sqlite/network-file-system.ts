/** Whether a path is on a network file system, whose locks and syncs SQLite cannot rely on. */
import { readFile, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ignoreErrno, isErrno, rethrowAsStoreError } from "../file-error.ts";

/** `f_type` of statfs(2). */
const BY_TYPE: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x517b, "smb"],
  [0x01021997, "9p"],
  [0x00c36400, "ceph"],
  [0x5346414f, "afs"],
  [0x6b414653, "afs"],
  [0x73757245, "coda"],
  [0x564c, "ncp"],
  [0x0bd00bd0, "lustre"],
  [0x19830326, "beegfs"],
  [0x47504653, "gpfs"],
  [0x7461636f, "ocfs2"],
  [0x01161970, "gfs2"],
]);
const FUSE = 0x65735546;

/** FUSE serves local and remote file systems alike: the mount table tells which. */
const FUSE_NETWORK =
  /^fuse\.(?:sshfs|glusterfs|ceph|ceph-fuse|s3fs|rclone|gcsfuse|goofys|davfs2?|smbnetfs|curlftpfs|juicefs|moosefs|mfs|lizardfs|nfs-ganesha|blobfuse2?)$/;

/** @returns its name, as `nfs`; null when it is local or the system does not tell. The path need not exist yet. */
export async function networkFileSystem(path: string): Promise<string | null> {
  const type = await fileSystemType(resolve(path));
  if (type === null) return null;
  if (type === FUSE) return fuseNetworkIn(await mountTable(), resolve(path));
  return BY_TYPE.get(type) ?? null;
}

/** Of the nearest directory that exists. */
async function fileSystemType(path: string): Promise<number | null> {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { type } = await statfs(at);
      return type >>> 0; // some systems report it signed
    } catch (error) {
      if (!isErrno(error)) throw error;
      const missing = error.code === "ENOENT" || error.code === "ENOTDIR";
      if (!missing) rethrowAsStoreError(at, error);
      if (at === dirname(at)) return null;
    }
  }
}

async function mountTable(): Promise<string> {
  try {
    return await readFile("/proc/self/mountinfo", "utf8");
  } catch (error) {
    ignoreErrno(error); // not on this system
    return "";
  }
}

/** The type of the mount that holds the path, when it is a network file system behind FUSE. See proc_pid_mountinfo(5). */
export function fuseNetworkIn(mountinfo: string, path: string): string | null {
  let holder = { point: "", type: "" };
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    const point = unescaped(left?.split(" ")[4] ?? "");
    const type = right?.split(" ")[0] ?? "";
    const holds = path === point || path.startsWith(point.endsWith("/") ? point : `${point}/`);
    // A later mount on the same point hides the earlier one.
    if (point !== "" && holds && point.length >= holder.point.length) holder = { point, type };
  }
  return FUSE_NETWORK.test(holder.type) ? holder.type : null;
}

/** Spaces and the like are octal in the mount table. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
