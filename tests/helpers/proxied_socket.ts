/**
 * Clients that stand behind a balancer.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";

/** How the first bytes of a connection are cut into segments. */
export interface Cuts {
  /** What the balancer sends before all else. */
  readonly header: Uint8Array;
  /**
   * Where the first segment ends, counted over the header and the client's first bytes, which wait for each other: 0 or less
   * counts from behind the header. Absent: the header goes by itself, at once.
   */
  readonly at?: number;
}

/** A pause after which two segments are two for the other end, too. */
const SEGMENT_MS = 1;

/**
 * Connects, and makes a stream on which a client can begin its own dialogue. What it sends first goes behind the header, cut as
 * asked. Destroying the stream destroys the socket.
 */
export async function connectProxied(
  to: { readonly host: string; readonly port: number },
  cuts: Cuts,
): Promise<Socket> {
  const socket = connect({ ...to, noDelay: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("connect", resolve);
  socket.once("error", reject);
  await promise;
  return streamBehind(socket, cuts);
}

/** The same on a socket that is connected. */
export function streamBehind(socket: Socket, { header, at }: Cuts): Socket {
  let isFirst = at !== undefined;
  if (at === undefined) socket.write(header);
  const write = (bytes: Uint8Array, done: (error?: Error | null) => void) => {
    if (!isFirst || at === undefined) return void socket.write(bytes, done);
    isFirst = false;
    const all = Uint8Array.from([...header, ...bytes]);
    const end = Math.min(at > 0 ? at : header.length - at, all.length);
    socket.write(all.subarray(0, end));
    if (end === all.length) return done();
    setTimeout(() => void socket.write(all.subarray(end), done), SEGMENT_MS);
  };
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (bytes: Uint8Array, _encoding, done) => write(bytes, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (bytes: Uint8Array) => {
    if (!stream.push(bytes)) socket.pause();
  });
  socket.once("end", () => stream.push(null));
  socket.on("error", (error: Error) => stream.destroy(error));
  socket.once("close", () => stream.destroy());
  return stream as Socket; // all that `node:tls` asks of it
}
