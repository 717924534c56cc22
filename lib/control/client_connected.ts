/**
 * Whether the client of an upload that has just ended is still there.
 *
 * A client that is killed ends its upload by FIN, like one that is done. Its control connection ends in the same moment,
 * which must be noticed first: nobody is left to say that the file is whole.
 *
 * @module
 */

import type { Transfer } from "../data/transfer.ts";
import { delay } from "../deadline.ts";

/** An upload that is no larger and no slower is sent in one go, in which hardly any client gets killed. */
const QUICK_UPLOAD_BYTES = 64 * 1024;
const QUICK_UPLOAD_SECONDS = 0.05;
/** A process that is killed takes a millisecond to end its connections: without this wait, 31 of 100 came too late. */
const MIN_WAIT_MS = 2;
/** The longer an upload took, the likelier is it that it was cut, and the less does it matter to wait: so much of its time. */
const WAITING_PART = 0.05;
const TURN_SECONDS = 0.005;
const MIN_TURNS = 8;
const MAX_TURNS = 20;

/**
 * Waits as long as the other end of a client may come behind that of its upload.
 *
 * @param transfer Has ended by FIN.
 * @param signal Aborts with the session, which fails the transfer.
 * @throws {TransferError} When the client is gone.
 */
export async function assertClientConnected(transfer: Transfer, signal: AbortSignal): Promise<void> {
  let turnsLeft = turnsNeeded(transfer);
  // A late timer goes before the ends that have come meanwhile. On a busy machine 20 ms have been seen between the two.
  for (let turns = 0; turns < MAX_TURNS && turnsLeft > 0; turns++) {
    if (await isOnTime(signal)) turnsLeft--;
    if (transfer.failure !== undefined) throw transfer.failure;
  }
  await delay(MIN_WAIT_MS, signal).catch(() => {}); // the end of the session has failed the transfer
  if (transfer.failure !== undefined) throw transfer.failure;
}

function turnsNeeded({ bytes, seconds }: Transfer): number {
  if (bytes <= QUICK_UPLOAD_BYTES && seconds < QUICK_UPLOAD_SECONDS) return 0;
  return Math.max(Math.ceil(seconds * WAITING_PART / TURN_SECONDS), MIN_TURNS);
}

async function isOnTime(signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now();
  await delay(TURN_SECONDS * 1000, signal).catch(() => {}); // as above
  return performance.now() - startedAt < 2 * TURN_SECONDS * 1000;
}
