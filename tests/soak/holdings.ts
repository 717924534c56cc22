/**
 * What a server held before and after, side by side.
 *
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import type { LoggedEvent, ServerState } from "../helpers/measured_server.ts";
import { printRow } from "./figures.ts";

const MIB = 1024 * 1024;
/** What the memory of a server may grow by. */
export const MAX_GROWTH_BYTES = 20 * MIB;

/** A server at rest, before and after it was put to work. */
export interface Holdings {
  readonly before: ServerState;
  readonly after: ServerState;
  readonly internalErrors: readonly LoggedEvent[];
}

/** Checks that nothing was left behind, and that nothing unexpected happened. */
export function assertHoldsNoMore({ before, after, internalErrors }: Holdings): void {
  assertEquals(internalErrors, []);
  assertEquals(after.descriptors, before.descriptors);
  assertEquals(after.listeners, before.listeners);
  assertNoMoreTimers(before, after);
  assertLess(after.memoryBytes - before.memoryBytes, MAX_GROWTH_BYTES);
}

/** Each listener that had many connections watches for ten seconds more whether it has gone deaf. */
export function assertNoMoreTimers(before: ServerState, after: ServerState): void {
  assert(after.timers <= before.timers + after.listeners, `${after.timers} timers, ${before.timers} before`);
}

/** Prints a table. */
export function printHoldings({ before, after }: Holdings): void {
  printRow(["", "before", "after"]);
  printRow(["memory, MiB", mebibytes(before.memoryBytes), mebibytes(after.memoryBytes)]);
  printRow(["of it objects", mebibytes(before.heapBytes), mebibytes(after.heapBytes)]);
  printRow(["descriptors", `${before.descriptors.length}`, `${after.descriptors.length}`]);
  printRow(["listeners", `${before.listeners}`, `${after.listeners}`]);
  printRow(["timers", `${before.timers}`, `${after.timers}`]);
}

function mebibytes(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
