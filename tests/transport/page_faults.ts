/**
 * Counts how often a process gets pages of memory from the system while it takes and gives back pieces as downloads do.
 * Prints the number. With the argument "keep", freed memory is kept.
 *
 * @module
 */

import { keepFreedMemory } from "../../lib/transport/buffer_release.ts";

const PIECES = 8;
const PIECE_BYTES = 1024 * 1024;
const ROUNDS = 20;
/** Place of `minflt` behind the name in proc_pid_stat(5). */
const MINOR_FAULTS = 7;

function countFaults(): number {
  const [, fields = ""] = Deno.readTextFileSync("/proc/self/stat").split(") ");
  return Number(fields.split(" ")[MINOR_FAULTS]);
}

function takeAndGiveBack(): void {
  const pieces = Array.from({ length: PIECES }, () => new Uint8Array(PIECE_BYTES).fill(1));
  for (const { buffer } of pieces) buffer.transfer(0);
}

if (Deno.args[0] === "keep") keepFreedMemory();
takeAndGiveBack();
const before = countFaults();
for (let round = 0; round < ROUNDS; round++) takeAndGiveBack();
// deno-lint-ignore no-console -- what it prints is what it is for
console.log(countFaults() - before);
