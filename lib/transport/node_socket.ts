/**
 * Accepted and dialled sockets of `node:net`, nothing read from them yet.
 *
 * @module
 */

import net from "node:net";
import { ConnectionError, type SocketAddress } from "./connection.ts";
import { closedError, toConnectionError } from "./connection_failure.ts";
import { toSocketAddress } from "./socket_address.ts";

/** Both ends of a connected socket. */
export interface SocketEnds {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** Reads both ends of a socket; `undefined` when the peer is gone already. */
export function socketEnds(socket: net.Socket): SocketEnds | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (localAddress === undefined || localPort === undefined) return undefined;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return { local: toSocketAddress(localAddress, localPort), remote: toSocketAddress(remoteAddress, remotePort) };
}

/** How a socket listens. */
export interface SocketListenOptions {
  /** Whether others of this process may listen on the same port; the system spreads the connections over them. */
  readonly sharesPort?: boolean;
}

/** A listening socket of `node:net` whose connections are pulled. */
export class SocketListener {
  readonly address: SocketAddress;
  readonly #server: net.Server;
  #unaccepted: net.Socket[] = [];
  #waiting: PromiseWithResolvers<net.Socket>[] = [];
  #closed = false;

  private constructor(server: net.Server) {
    const { address, port } = server.address() as net.AddressInfo;
    this.address = toSocketAddress(address, port);
    this.#server = server;
    server.on("connection", (socket) => this.#take(socket));
  }

  /**
   * Listens on an address; port 0 means any. Accepted sockets are paused, half-open and without Nagle's delay.
   *
   * @throws {ConnectionError} Kind `"addressInUse"` when the port is taken.
   * @throws {Deno.errors.NotCapable} When the sandbox forbids the address.
   */
  static listen(address: SocketAddress, options: SocketListenOptions = {}): Promise<SocketListener> {
    if (!isPermitted(address)) {
      return Promise.reject(new Deno.errors.NotCapable(`Requires net access to "${netHost(address)}"`));
    }
    const { promise, resolve, reject } = Promise.withResolvers<SocketListener>();
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    server.on("error", (error: Error & { readonly code?: string }) => {
      reject(error.code === "EADDRINUSE" ? toConnectionError(error) : error);
    });
    const { host, port } = address;
    server.listen(
      { host, port, reusePort: options.sharesPort ?? false } as net.ListenOptions,
      () => resolve(new SocketListener(server)),
    );
    return promise;
  }

  /**
   * Waits for the next connection.
   *
   * @throws {ConnectionError} Kind `"closed"` after {@linkcode SocketListener.close}.
   */
  accept(): Promise<net.Socket> {
    if (this.#closed) return Promise.reject(closedError());
    const socket = this.#unaccepted.shift();
    if (socket !== undefined) return Promise.resolve(socket);
    const waiting = Promise.withResolvers<net.Socket>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Stops listening and releases connections that were not accepted. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#unaccepted.splice(0)) socket.destroy();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closedError());
  }

  #take(socket: net.Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#unaccepted.push(socket);
    else waiting.resolve(socket);
  }
}

/**
 * Dials out from a local address and any local port.
 *
 * @throws {ConnectionError} Kind `"refused"` when nobody listens there or the sandbox forbids it, `"closed"` when `signal`
 * aborts.
 */
export function dialSocket(
  options: { readonly remote: SocketAddress; readonly localHost: string; readonly signal: AbortSignal },
): Promise<net.Socket> {
  const { remote, localHost, signal } = options;
  if (signal.aborted) return Promise.reject(closedError());
  const binding = { host: localHost, port: 0 };
  if (!isPermitted(binding)) {
    return Promise.reject(new ConnectionError("refused", `Net access to "${netHost(binding)}" is not granted`));
  }
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const socket = net.connect({
    host: remote.host,
    port: remote.port,
    localAddress: localHost,
    allowHalfOpen: true,
    noDelay: true,
  });
  socket.pause(); // Bytes that come before the adapter listens stay with TCP
  const abort = () => {
    reject(closedError());
    socket.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  socket.on("error", (error) => reject(toConnectionError(error, "refused")));
  socket.once("close", () => reject(new ConnectionError("refused", "Connection was closed before it stood")));
  socket.once("connect", () => resolve(socket));
  return promise.finally(() => signal.removeEventListener("abort", abort));
}

/** Asks first: `node:net` throws a refusal of the sandbox to bind where nothing can catch it, and the process ends. */
function isPermitted(address: SocketAddress): boolean {
  // The host alone first: the runtime remembers each answer, and there are many ports.
  return isGranted(netHost({ host: address.host })) || isGranted(netHost(address));
}

function isGranted(host: string): boolean {
  return Deno.permissions.querySync({ name: "net", host }).state === "granted";
}

/** An address, or a host for all its ports, in the form of `--allow-net`. */
function netHost({ host, port }: { readonly host: string; readonly port?: number }): string {
  const name = net.isIPv6(host) ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}
