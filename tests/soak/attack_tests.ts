/**
 * Tests of attacks that use up what a server has.
 *
 * @module
 */

import { assertLess } from "@std/assert";
import { HAS_PROC } from "../helpers/process_state.ts";
import { type Attack, suffer } from "./attacks.ts";

/** Others get their turn, however busy the machine is: measured are some milliseconds. */
const MAX_WAIT_MS = 30_000;

const reason = HAS_PROC ? "" : " (ignored: only Linux shows the memory of a process under /proc)";

/** Makes a test of each. */
export function testAttacks(attacks: readonly Attack[]): void {
  for (const attack of attacks) {
    const { name, clients, mostBytes, admitsOthers = true } = attack;
    const outcome = admitsOthers ? "others come and go" : "users go on";
    Deno.test({
      name: `FtpServer survives ${clients} ${name}: ${outcome}, memory is bounded, all is freed in time${reason}`,
      ignore: !HAS_PROC,
      fn: async () => {
        const { bytesBefore, bytesAtMost, commandMs, visitMs } = await suffer(attack);
        assertLess(bytesAtMost - bytesBefore, mostBytes);
        assertLess(Math.max(...commandMs), MAX_WAIT_MS);
        assertLess(Math.max(0, ...visitMs), MAX_WAIT_MS);
      },
    });
  }
}
