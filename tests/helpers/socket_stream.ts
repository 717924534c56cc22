/**
 * A socket under TLS, for clients of tests.
 *
 * @module
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/**
 * Makes a stream of a socket, for `tls.connect({ socket })`. Over a socket of its own, `node:tls` of Deno 2.9 sometimes misses
 * the end of more than 128 KiB, and waits for ever; over a stream it does not. Destroying either destroys the other.
 */
export function streamOf(socket: Socket): Socket {
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (bytes, _encoding, done) => void socket.write(bytes, done),
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
