/**
 * How clients come to a server: by themselves, or through balancers that are trusted with their addresses.
 *
 * @module
 */

import type { DataTransports } from "../control/session_state.ts";
import { parseAddressRange } from "../protocol/address_range.ts";
import { DenoTcpTransport } from "../transport/deno_tcp.ts";
import { NodeTlsTransport } from "../transport/node_tls.ts";
import { ProxyGate, type ProxyGateOptions } from "../transport/proxy_gate.ts";
import type { TlsContext } from "../transport/tls_context.ts";

/** What the connections of one address that is listened on have in common. */
export interface ClientRoute {
  /** Absent where clients come by themselves. */
  readonly proxyGate: ProxyGate | undefined;
  /** Of data connections, which come the same way. */
  readonly dataTransports: DataTransports;
}

/** Makes the routes of a server, and owns their data transports. */
export class ClientRoutes implements AsyncDisposable {
  readonly #tls: TlsContext | undefined;
  readonly #gateOptions: Omit<ProxyGateOptions, "trusted">;
  readonly #protected: NodeTlsTransport[] = [];
  /** Of clients that come by themselves. */
  readonly direct: ClientRoute;

  /** @param tls Absent: no data connection can be protected. */
  constructor(tls: TlsContext | undefined, gateOptions: Omit<ProxyGateOptions, "trusted">) {
    this.#tls = tls;
    this.#gateOptions = gateOptions;
    this.direct = this.#route(undefined);
  }

  /**
   * Returns the route of an address that is listened on.
   *
   * @param trusted Addresses and networks of balancers; absent: clients come by themselves.
   */
  routeOf(trusted: readonly string[] | undefined): ClientRoute {
    if (trusted === undefined) return this.direct;
    const ranges = trusted.map(parseAddressRange).filter((range) => range !== undefined);
    return this.#route(new ProxyGate({ ...this.#gateOptions, trusted: ranges }));
  }

  /** Waits for the last data connections to be gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#protected.map((transport) => transport[Symbol.asyncDispose]()));
  }

  #route(proxyGate: ProxyGate | undefined): ClientRoute {
    const P = this.#tls && new NodeTlsTransport(this.#tls, proxyGate);
    if (P !== undefined) this.#protected.push(P);
    return { proxyGate, dataTransports: { C: new DenoTcpTransport(proxyGate), P } };
  }
}
