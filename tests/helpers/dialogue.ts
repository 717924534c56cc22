/**
 * Scripted dialogues: what the client says and, word by word, what the server answers.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import type { RawClient } from "./raw_client.ts";
import type { RawDataConnection } from "./raw_data_connection.ts";
import { StalledRelay } from "./stalled_relay.ts";

/** A line, without CR LF, and its whole reply; lines of a reply are separated by LF. */
export type Exchange = readonly [line: string, reply: string | RegExp];

/** Sends line after line and compares the replies. */
export async function assertDialogue(client: RawClient, exchanges: readonly Exchange[]): Promise<void> {
  for (const [line, expected] of exchanges) {
    assertReply((await client.command(line)).text, expected, `after "${line}"`);
  }
}

/** Reads replies that nothing is sent for any more, and compares them. */
export async function assertReplies(client: RawClient, expected: readonly (string | RegExp)[]): Promise<void> {
  for (const reply of expected) assertReply((await client.readReply()).text, reply, "of those that were to come");
}

/** Opens a data connection and starts a transfer on it; nothing was moved yet. */
export async function startTransfer(client: RawClient, line: string): Promise<RawDataConnection> {
  await using stack = new AsyncDisposableStack();
  const data = stack.use(await client.passive());
  await client.expect(150, line);
  await data.secure();
  stack.move();
  return data;
}

/** A transfer on a blocked way. */
export interface StalledTransfer extends AsyncDisposable {
  readonly data: RawDataConnection;
  /** Unblocks the way. */
  release(): void;
}

/** More than the kernels hold between both ends of a blocked way. */
export const MORE_THAN_KERNELS_HOLD = 12 << 20;

/** Starts a download of {@linkcode MORE_THAN_KERNELS_HOLD} bytes or more, of which the client reads the very first only. */
export async function stallDownload(client: RawClient, line: string): Promise<StalledTransfer> {
  await using stack = new AsyncDisposableStack();
  const relay = stack.use(new StalledRelay());
  const data = stack.use(await client.passive({ via: (port) => relay.lead(port) }));
  await client.expect(150, line);
  await data.secure();
  await relay.stalled;
  const resources = stack.move();
  return { data, release: () => relay.release(), [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

function assertReply(text: string, expected: string | RegExp, where: string): void {
  const actual = text.replaceAll("\r\n", "\n");
  if (typeof expected === "string") assertEquals(actual, expected, where);
  else assertMatch(actual, expected, where);
}
