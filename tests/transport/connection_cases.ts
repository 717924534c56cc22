/**
 * What every connection of lib/transport must do, whatever it is made of.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Connection,
  ConnectionError,
  type Direction,
  type PeerEnding,
  type SocketAddress,
} from "../../lib/transport/connection.ts";

/** Both ends of one connection. */
export interface ConnectedPair {
  /** The end under test. */
  readonly connection: Connection;
  /** The client. */
  readonly peer: Deno.Conn;
  /** Releases listeners; both ends are closed by the test. */
  readonly stack: AsyncDisposableStack;
}

/** An adapter under test. */
export interface ConnectionCase {
  readonly name: string;
  /** Ending of a peer that closes in the regular way. */
  readonly ending: PeerEnding;
  /** Which direction can read bytes, which can write at any time. */
  readonly connect: (direction: Direction) => Promise<ConnectedPair>;
}

const MORE_THAN_KERNELS_HOLD = 64 * 1024 * 1024;
const HELLO = new TextEncoder().encode("hello");

/** Registers the tests of one adapter. */
export function testConnection(subject: ConnectionCase): void {
  const { name } = subject;
  Deno.test(`${name} read() returns what the peer sent, then null and the ending`, () => readsToTheEnd(subject));
  Deno.test(`${name} read() leaves a flooding peer to TCP`, () => stopsFlood(subject));
  Deno.test(`${name} write() resolves no sooner than the kernel accepts more`, () => holdsWrites(subject));
  Deno.test(`${name} finish() ends our direction, all bytes before it`, () => finishes(subject));
  Deno.test(`${name} close() rejects a pending read() and all later calls`, () => closesWhileReading(subject));
  Deno.test(`${name} close() rejects a pending write()`, () => closesWhileWriting(subject));
}

async function readsToTheEnd({ connect, ending }: ConnectionCase): Promise<void> {
  const { connection, peer, stack } = await connect("receive");
  await using _ = stack;
  await peer.write(HELLO);
  assertEquals(new Uint8Array(await connection.read() ?? []), HELLO);
  assertEquals(connection.ending, undefined);
  await peer.closeWrite();
  assertEquals(await connection.read(), null);
  assertEquals(await connection.read(), null);
  assertEquals(connection.ending, ending);
  peer.close();
  connection.close();
  connection.close();
}

async function stopsFlood({ connect }: ConnectionCase): Promise<void> {
  const { connection, peer, stack } = await connect("receive");
  await using _ = stack;
  const flood = writeAll(peer, new Uint8Array(MORE_THAN_KERNELS_HOLD)).then(() => peer.closeWrite());
  let received = (await connection.read())?.length ?? 0;
  const { promise: timeUp, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 500);
  assertEquals(await Promise.race([flood.then(() => "swallowed"), timeUp.then(() => "stopped")]), "stopped");
  for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) received += bytes.length;
  assertEquals(received, MORE_THAN_KERNELS_HOLD);
  await flood;
  peer.close();
  connection.close();
}

async function holdsWrites({ connect }: ConnectionCase): Promise<void> {
  const { connection, peer, stack } = await connect("send");
  await using _ = stack;
  let isWritten = false;
  const written = connection.write(new Uint8Array(MORE_THAN_KERNELS_HOLD)).then(() => isWritten = true);
  const buffer = new Uint8Array(1 << 20);
  let received = await peer.read(buffer) ?? 0;
  assert(!isWritten);
  while (received < MORE_THAN_KERNELS_HOLD) received += await peer.read(buffer) ?? 0;
  await written;
  connection.close();
  peer.close();
}

async function finishes({ connect }: ConnectionCase): Promise<void> {
  const { connection, peer, stack } = await connect("send");
  await using _ = stack;
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  await connection.write(sent);
  await connection.finish();
  assertEquals(await readAll(peer), sent);
  connection.close();
}

async function closesWhileReading({ connect }: ConnectionCase): Promise<void> {
  const { connection, peer, stack } = await connect("receive");
  await using _ = stack;
  const pending = connection.read();
  connection.close();
  assertEquals(await kindOf(pending), "closed");
  assertEquals(await kindOf(connection.read()), "closed");
  assertEquals(await kindOf(connection.write(HELLO)), "closed");
  assertEquals(await kindOf(connection.finish()), "closed");
  peer.close();
}

async function closesWhileWriting({ connect }: ConnectionCase): Promise<void> {
  const { connection, peer, stack } = await connect("send");
  await using _ = stack;
  const pending = connection.write(new Uint8Array(MORE_THAN_KERNELS_HOLD));
  await peer.read(new Uint8Array(1));
  connection.close();
  assertEquals(await kindOf(pending), "closed");
  peer.close();
}

/** Waits for a call to fail, and tells the kind of its error. */
export async function kindOf(call: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => call, ConnectionError)).kind;
}

/** Reads until the end, and closes. */
export async function readAll(peer: Deno.Conn): Promise<Uint8Array> {
  return new Uint8Array(await new Response(peer.readable).arrayBuffer());
}

/** Writes everything. */
export async function writeAll(peer: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await peer.write(rest));
}

/** Address of a listener of Deno. */
export function addressOf(listener: Deno.TcpListener): SocketAddress {
  return { host: listener.addr.hostname, port: listener.addr.port };
}
