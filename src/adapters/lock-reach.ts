import type { KernelReach } from "./lock-token.ts";

/** What a kernel lock on a file of one device is worth. */
export interface LockReach {
  readonly reach: Exclude<KernelReach, "none">;
  /** True when other hosts, or the host of a virtual machine, may use the same files. */
  readonly isShared: boolean;
}

/** Network file systems, shared folders of virtual machines, and FUSE, where the kernel cannot know what lies behind. */
const sharedTypes = /^(nfs4?|cifs|smb3|ceph|lustre|gfs2|ocfs2|gpfs|afs|beegfs|orangefs|coda|9p|virtiofs|vboxsf|vmhgfs|prl_fs|fuse(\..*)?)$/;

/**
 * Finds the device in /proc/self/mountinfo (proc(5)) and says how far its locks reach. Those of NFS stay on this host with `nolock` and
 * `local_lock=all|posix` (nfs(5)), those of SMB with `nobrl` (mount.cifs(8)), those of Lustre without `flock`. Of the shared
 * file systems only those that are known to carry locks are trusted to. An unknown device, or no mountinfo, is a local disk.
 */
export function lockReach(mountinfo: string, device: number): LockReach {
  const mount = mountOf(mountinfo, device);
  const isShared = mount !== undefined && sharedTypes.test(mount.type);
  return { reach: isShared && carriesLocks(mount) ? "server" : `host-${device}`, isShared };
}

interface Mount {
  readonly type: string;
  readonly options: readonly string[];
}

function carriesLocks({ type, options }: Mount): boolean {
  switch (type) {
    case "nfs":
    case "nfs4":
      return !options.some((option) => ["nolock", "local_lock=all", "local_lock=posix"].includes(option));
    case "cifs":
    case "smb3":
      return !options.includes("nobrl");
    case "lustre":
      return options.includes("flock");
    default:
      return ["ceph", "gfs2", "ocfs2", "gpfs"].includes(type);
  }
}

/** By device, not by path: a path may lead through links and be hidden by a later mount. One device has one type and one set of options. */
function mountOf(mountinfo: string, device: number): Mount | undefined {
  const wanted = `${majorOf(device)}:${minorOf(device)}`;
  for (const line of mountinfo.split("\n")) {
    const [head = "", tail = ""] = line.split(" - ");
    const [, , found, , , ours = ""] = head.split(" ");
    const [type = "", , ofAll = ""] = tail.split(" ");
    if (found === wanted) return { type, options: [...ours.split(","), ...ofAll.split(",")] };
  }
  return undefined;
}

/** Linux packs a device number as minor 8 bits, major 12 bits, minor 12 more bits (makedev(3)). */
const majorOf = (device: number) => Math.floor(device / 0x100) % 0x1000;
const minorOf = (device: number) => (device % 0x100) + Math.floor(device / 0x10_0000) * 0x100;
