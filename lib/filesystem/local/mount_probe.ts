/**
 * Whether the file system of a folder answers at this moment, asked through the runtime's threads.
 *
 * Look-ups are synchronous, which is fast and lets no other session come between. On a network or FUSE mount whose server or
 * daemon hangs, each of them would freeze the whole event loop; so there a thread asks first, and what is asked synchronously
 * follows only its answer. All homes on a mount wait with one thread.
 *
 * @module
 */

import { statfs } from "node:fs";
import { dirname } from "node:path";
import { abortable } from "../../deadline.ts";

/** Magic numbers of `statfs` (see statfs(2)) of what is served by another machine or by another process. */
const REMOTE_TYPES: ReadonlySet<number> = new Set([
  0x65735546, // FUSE: sshfs, bindfs, s3fs, rclone mount, GlusterFS, virtiofs
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x01021997, // 9P
  0x00c36400, // Ceph
  0x5346414f, // AFS
  0x6b414653, // AFS of the kernel
  0x73757245, // Coda
  0x564c, // NCP
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
  0x19830326, // BeeGFS
  0x7461636f, // OCFS2
  0x01161970, // GFS2
  0x786f4256, // VirtualBox
  0x0187, // autofs
]);

/** How long the type of a mount is believed: another one may be mounted over it. */
const TYPE_AGE_MS = 60_000;

/** So many homes in one folder of which nothing is known yet are asked at once: one that hangs holds up none beside it. */
const MAX_UNKNOWN_ASKED = 4;

const IS_LINUX = Deno.build.os === "linux";

/**
 * What is being asked: mounts by their device, whose homes share the answer; and folders with homes of which nothing is
 * known yet, a few of them at once. So few threads wait, of which the runtime has 32.
 */
export type AskedMounts = Map<number | string, Promise<void>>;

/** Asks whether a folder answers. */
export class MountProbe {
  readonly #root: string;
  readonly #maySeeType: boolean;
  readonly #asked: AskedMounts;
  #device: number | undefined;
  #mayHang: boolean | undefined;
  #seenAt = 0;
  #asking: Promise<void> | undefined;

  /**
   * Asks nothing yet.
   *
   * @param root Host path of the folder.
   * @param options.asked Shared by all homes.
   * @param options.maySeeType Whether `--allow-sys=statfs` is granted. Without it, every file system is asked that has no
   * device of its own, as network and FUSE mounts have none, but tmpfs, overlays, Btrfs and ZFS neither.
   */
  constructor(root: string, options: { readonly maySeeType: boolean; readonly asked: AskedMounts }) {
    this.#root = root;
    this.#asked = options.asked;
    this.#maySeeType = options.maySeeType;
  }

  /** Whether the folder is where it could hang, as far as is known. */
  get mayHang(): boolean {
    return this.#mayHang === true;
  }

  /**
   * Waits for an answer, where there may be none.
   *
   * @returns `undefined` where nothing has to be waited for: on a local disk, and on systems other than Linux.
   * @throws The signal's reason when it aborts.
   */
  answered(signal: AbortSignal): Promise<void> | undefined {
    if (!IS_LINUX) return undefined;
    const isLocal = this.#mayHang === false;
    if (isLocal && performance.now() - this.#seenAt < TYPE_AGE_MS) return undefined;
    const asking = this.#askOnce();
    return isLocal ? undefined : abortable(asking, signal);
  }

  #askOnce(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const isKnown = this.#mayHang === true && this.#device !== undefined;
    const keys = isKnown ? [this.#device ?? 0] : keysOfUnknown(dirname(this.#root));
    const key = keys.find((key) => !this.#asked.has(key));
    if (key === undefined) {
      const answered = Promise.race(keys.map((key) => this.#asked.get(key)));
      return isKnown ? answered : answered.then(() => this.#askOnce());
    }
    const asking = this.#ask().finally(() => {
      this.#asking = undefined;
      this.#asked.delete(key);
    });
    this.#asking = asking;
    this.#asked.set(key, asking);
    return asking;
  }

  /** Never rejects: what is wrong with the folder, whoever uses it will see. */
  async #ask(): Promise<void> {
    const now = performance.now();
    const isKnown = this.#mayHang === true && now - this.#seenAt < TYPE_AGE_MS;
    try {
      // Neither is answered from the kernel's memory, as attributes may be.
      if (this.#maySeeType) this.#mayHang = await isRemote(this.#root);
      else await lookUpNothing(this.#root);
      if (isKnown) return;
      const { dev } = await Deno.stat(this.#root);
      this.#device = dev;
      if (!this.#maySeeType) this.#mayHang = isWithoutDevice(dev);
      this.#seenAt = now;
    } catch {
      // Missing, dead (ENOTCONN), or forbidden: it has answered
    }
  }
}

function keysOfUnknown(folder: string): string[] {
  return Array.from({ length: MAX_UNKNOWN_ASKED }, (_, index) => `${index} ${folder}`);
}

/** Looks up a name that nobody has ever asked for. (`Deno.open()` would look at the path on the event loop first.) */
async function lookUpNothing(root: string): Promise<void> {
  try {
    await Deno.lstat(`${root}/.ftpsd-${crypto.randomUUID()}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function isRemote(root: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    statfs(
      root,
      (error, { type } = { type: 0 } as never) => error ? reject(error) : resolve(REMOTE_TYPES.has(Number(type) >>> 0)),
    );
  });
}

/** The major number is 0 then (makedev(3)); none in use is larger than these bits. */
function isWithoutDevice(dev: number): boolean {
  return (dev >>> 8 & 0xfff) === 0;
}
