/**
 * A handshake that a certificate makes with itself in memory, before any client meets it.
 *
 * @module
 */

import type net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import type { CertificatePair } from "./certificate_pair.ts";
import { onTlsError, serverSocket } from "./tls_connection.ts";
import { TlsContext, type TlsContextOptions } from "./tls_context.ts";

/** Far more than the largest key takes on a busy machine: only an engine that says nothing is waited for so long. */
const TRIAL_TIMEOUT_MS = 30_000;

/**
 * Makes a handshake with a pair; nothing leaves the process. It takes some milliseconds of processor.
 *
 * @throws {TypeError} When the pair cannot be read, or no handshake comes about with it.
 */
export async function tryHandshake(pair: CertificatePair, versions: TrialVersions = {}): Promise<void> {
  const { handshake } = new TlsContext({ ...pair, ...versions });
  const [near, far] = memoryPair();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = serverSocket(near as unknown as net.Socket, { handshake, alpnProtocols: [] });
  // Whom it would trust is not the question.
  const client = tls.connect({ socket: far as unknown as tls.TLSSocket, rejectUnauthorized: false });
  for (const socket of [server, client]) onTlsError(socket, reject);
  const timer = setTimeout(() => reject(new Error("No end of the handshake")), TRIAL_TIMEOUT_MS);
  server.once("secure", () => resolve());
  try {
    await promise;
  } catch (cause) {
    throw new TypeError("Cannot use the certificate: no TLS handshake comes about with it", { cause });
  } finally {
    clearTimeout(timer);
    client.destroy();
    server.destroy();
  }
}

/** Versions of TLS that the handshake may use. */
export type TrialVersions = Pick<TlsContextOptions, "minVersion" | "maxVersion">;

/** Two ends of a connection within the process: what is written to one is read from the other. */
function memoryPair(): [Duplex, Duplex] {
  const ends: Duplex[] = [0, 1].map((index) =>
    new Duplex({
      read() {},
      write(bytes: Uint8Array, _encoding, done) {
        ends[1 - index]?.push(bytes);
        done();
      },
      final(done) {
        ends[1 - index]?.push(null);
        done();
      },
    })
  );
  return ends as [Duplex, Duplex];
}
