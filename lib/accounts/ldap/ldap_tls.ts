/**
 * TLS to a directory.
 *
 * By `node:tls` over a stream of ours, not by `Deno.startTls`: a handshake that is given up there leaves the connection open for as
 * long as the other side wants.
 *
 * @module
 */

import { isIP } from "node:net";
import * as tls from "node:tls";
import { type ByteChannel, LdapStream } from "./ldap_stream.ts";

/** Who has to answer. */
export interface LdapTlsOptions {
  readonly host: string;
  /** Certificates in PEM that its certificate has to lead up to; absent: those that Deno trusts. */
  readonly ca: string | undefined;
}

/**
 * Makes the handshake. What comes back owns the connection, also while that is under way: closing the connection ends it.
 *
 * @throws {Error} When the certificate is not trusted, or is for another host.
 */
export async function secure(connection: Deno.Conn, { host, ca }: LdapTlsOptions): Promise<ByteChannel> {
  const socket = tls.connect({
    socket: new LdapStream(connection, Infinity) as unknown as NonNullable<tls.ConnectionOptions["socket"]>,
    ...isIP(host) === 0 ? { servername: host } : { host },
    ...ca !== undefined && { ca },
    minVersion: "TLSv1.2",
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("secureConnect", resolve);
  socket.once("close", () => reject(new Error("it has closed the connection in the handshake")));
  socket.on("error", reject);
  try {
    await promise;
    return new TlsChannel(socket);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

class TlsChannel implements ByteChannel {
  readonly #socket: tls.TLSSocket;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return null;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, buffer.length);
    buffer.set(part);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
