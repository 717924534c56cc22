/**
 * What Linux tells of a process under /proc. Deno lets only those look there who may do everything, so programs do.
 *
 * @module
 */

import { requireProgram, runProgram } from "./run_program.ts";

/** Whether the system has it all. */
export const HAS_PROC = Deno.build.os === "linux";

/** Resident memory of a process in bytes: now, and at most since its start; 0 where the system does not tell. */
export async function memoryOf(pid: number): Promise<{ readonly now: number; readonly peak: number }> {
  if (!HAS_PROC) return { now: 0, peak: 0 };
  const status = await requireProgram("cat", [`/proc/${pid}/status`]);
  const bytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: bytes("VmRSS"), peak: bytes("VmHWM") };
}

/** What each open descriptor of a process leads to. */
async function descriptorsOf(pid: number): Promise<string[]> {
  // Its exit status tells of descriptors that were closed while it looked.
  const { stdout } = await runProgram("ls", ["-l", `/proc/${pid}/fd`]);
  return stdout.split("\n").flatMap((line) => line.split(" -> ").slice(1));
}

/** What each open descriptor of a process leads to, and how many of these are sockets that listen. */
export async function descriptorsAndListenersOf(
  pid: number,
): Promise<{ readonly descriptors: readonly string[]; readonly listeners: number }> {
  const tables = await requireProgram("cat", [`/proc/${pid}/net/tcp`, `/proc/${pid}/net/tcp6`]);
  // Looked at later: a listener that is closed in between is in neither.
  const descriptors = await descriptorsOf(pid);
  const LISTEN = "0A";
  const listening = tables.split("\n").flatMap((line) => {
    const [, , , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === LISTEN ? [`socket:[${inode}]`] : [];
  });
  return { descriptors, listeners: descriptors.filter((target) => listening.includes(target)).length };
}

/** `socket:[123]` and the like are of one kind each; files go by their path. */
export function kindOf(target: string): string {
  return target.replace(/\[\d+\]$/, "");
}

/** Numbers of signals on Linux. */
const SIGNAL_NUMBERS = { SIGHUP: 1, SIGXFSZ: 25 } as const;

/**
 * Waits until a process listens for a signal.
 *
 * @throws {Error} When it has ended without.
 */
export async function listensFor(pid: number, signal: keyof typeof SIGNAL_NUMBERS): Promise<void> {
  // A process that has ended is a zombie, which has no mask.
  const script = `
    while mask=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status") && [ -n "$mask" ]; do
      [ $(((0x$mask >> ($2 - 1)) & 1)) = 1 ] && exit 0
      grep -q '^State:.*[ZX]' "/proc/$1/status" && exit 1
    done
    exit 1`;
  await requireProgram("sh", ["-c", script, "sh", String(pid), String(SIGNAL_NUMBERS[signal])]);
}
