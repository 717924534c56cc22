/**
 * Clients and certificates for the tests of protected connections.
 *
 * @module
 */

import type { Direction, IncomingConnection } from "../../lib/transport/connection.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import type { CertificatePair } from "../../lib/transport/certificate_pair.ts";
import { TlsContext, type TlsContextOptions } from "../../lib/transport/tls_context.ts";
import { addressOf, type ConnectedPair } from "./connection_cases.ts";

/** One pair for all tests of a file. */
export const PAIR: CertificatePair = await createEphemeralCertificate({ names: ["localhost", "127.0.0.1"] });

/** What the client does before the handshake is over. */
export interface TlsClientOptions {
  readonly alpnProtocols?: string[];
  readonly versions?: Omit<TlsContextOptions, keyof CertificatePair>;
}

/** A data connection made, its handshake not. */
export interface IncomingPair {
  readonly transport: NodeTlsTransport;
  readonly incoming: IncomingConnection;
  readonly client: Deno.TcpConn;
  readonly stack: AsyncDisposableStack;
}

/** Makes a passive data connection whose client is still clear. */
export async function connectPassive(options: TlsClientOptions = {}): Promise<IncomingPair> {
  const stack = new AsyncDisposableStack();
  const transport = stack.use(new NodeTlsTransport(new TlsContext({ ...PAIR, ...options.versions })));
  const listener = stack.adopt(await transport.listen({ host: "127.0.0.1", port: 0 }), (listener) => listener.close());
  const [client, incoming] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.address.port }),
    listener.accept(),
  ]);
  return { transport, incoming, client, stack };
}

/** Makes an active data connection whose client is still clear. */
export async function connectActive(): Promise<IncomingPair> {
  const stack = new AsyncDisposableStack();
  const transport = stack.use(new NodeTlsTransport(new TlsContext(PAIR)));
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const signal = new AbortController().signal;
  const [client, incoming] = await Promise.all([
    listener.accept(),
    transport.connect({ remote: addressOf(listener), localHost: "127.0.0.1", signal }),
  ]);
  return { transport, incoming, client, stack };
}

/** Makes the handshake of both ends. */
export async function secure(
  pair: IncomingPair,
  direction: Direction,
  options: TlsClientOptions = {},
): Promise<ConnectedPair & { readonly alpnProtocol: string | null }> {
  const { incoming, client, stack } = pair;
  const [connection, { peer, alpnProtocol }] = await Promise.all([
    incoming.open(direction),
    startClientTls(client, options),
  ]);
  return { connection, peer, stack, alpnProtocol };
}

/** Makes the handshake of both ends before the direction is known, as some clients want it. */
export async function secureEarly(
  pair: IncomingPair,
  direction: Direction,
  options: TlsClientOptions = {},
): Promise<ConnectedPair> {
  const { incoming, client, stack } = pair;
  const { peer } = await startClientTls(client, options);
  return { connection: await incoming.open(direction), peer, stack };
}

/** Makes a client's handshake over a clear connection. */
export async function startClientTls(
  client: Deno.TcpConn,
  options: TlsClientOptions = {},
): Promise<{ readonly peer: Deno.TlsConn; readonly alpnProtocol: string | null }> {
  const { alpnProtocols } = options;
  const peer = await Deno.startTls(client, {
    hostname: "localhost",
    caCerts: [PAIR.certificate],
    ...(alpnProtocols === undefined ? {} : { alpnProtocols }),
  });
  try {
    const { alpnProtocol } = await peer.handshake();
    return { peer, alpnProtocol };
  } catch (error) {
    peer.close();
    throw error;
  }
}
