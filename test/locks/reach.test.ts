import { describe, expect, it } from "vitest";
import { lockReach } from "../../src/adapters/lock-reach.ts";

/** 0:53 */
const device = 53;
const mount = (type: string, options = "rw", own = "rw,relatime") =>
  [
    "22 1 0:21 / /proc rw,nosuid - proc proc rw",
    "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
    `90 27 0:53 / /home ${own} shared:5 master:2 - ${type} files:/home ${options}`,
    "",
  ].join("\n");

describe("how far a kernel lock reaches", () => {
  it.each<[string, string]>([
    ["nfs4", "rw,vers=4.2,local_lock=none,addr=10.0.0.1"],
    ["nfs", "rw,vers=3,local_lock=none"],
    // Only flock(2) is local then; ours are fcntl(2) locks.
    ["nfs", "rw,vers=3,local_lock=flock"],
    ["cifs", "rw,vers=3.1.1"],
    ["lustre", "rw,flock,user_xattr"],
    ["ceph", "rw"],
  ])("to the file server of %s (%s)", (type, options) => {
    expect(lockReach(mount(type, options), device)).toEqual({ reach: "server", isShared: true });
  });

  it.each<[string, string]>([
    ["nfs", "rw,vers=3,nolock,local_lock=all"],
    ["nfs", "rw,local_lock=posix"],
    ["nfs4", "rw,nolock"],
    ["cifs", "rw,nobrl"],
    ["lustre", "rw,localflock"],
    ["lustre", "rw"],
    ["fuse.sshfs", "rw"],
    ["fuse", "rw"],
    ["9p", "rw"],
    ["virtiofs", "rw"],
    ["vboxsf", "rw"],
  ])("no farther than this host on %s (%s), which others may use", (type, options) => {
    expect(lockReach(mount(type, options), device)).toEqual({ reach: "host-53", isShared: true });
  });

  it.each(["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "apfs"])("to everybody on %s: the disk of this host", (type) => {
    expect(lockReach(mount(type), device)).toEqual({ reach: "host-53", isShared: false });
  });

  it("an option is one whole word, of the mount or of the file system", () => {
    expect(lockReach(mount("nfs", "rw,nolocks,xnolock"), device).reach).toBe("server");
    expect(lockReach(mount("nfs", "rw", "rw,nolock"), device).reach).toBe("host-53");
  });

  it("finds large device numbers, and takes an unknown one for a disk", () => {
    // makedev(259, 70000)
    const large = (70_000 % 256) + 259 * 256 + Math.floor(70_000 / 256) * 2 ** 20;
    expect(lockReach("1 0 259:70000 / / rw - nfs4 a:/ rw", large)).toEqual({ reach: "server", isShared: true });
    expect(lockReach(mount("nfs4"), 54)).toEqual({ reach: "host-54", isShared: false });
  });

  it.each(["", "\n\n", "garbage", "1 2 0:53", "1 2 0:53 - ", " - - - ", "1 0 0:53 / / rw - "])("reads %j without falling over", (text) => {
    expect(lockReach(text, device)).toEqual({ reach: "host-53", isShared: false });
  });
});
