/**
 * Accepted and dialled sockets of `node:net`, nothing read from them yet.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import net from "node:net";
import { unmapHost } from "../protocol/host_port.ts";
import { ConnectionError, type ProxyRoute, type SocketAddress } from "./connection.ts";
import { CLOSED_ERROR, toConnectionError } from "./connection_failure.ts";
import { guarded, scoped } from "./error_scope.ts";
import type { ProxyGate } from "./proxy_gate.ts";

/** Makes a {@linkcode SocketAddress}; an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) gets its IPv4 form. */
export function toSocketAddress(host: string, port: number): SocketAddress {
  return { host: unmapHost(host), port };
}

/** Both ends of a connected socket. */
export interface SocketEnds {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Present where a balancer has told them. */
  readonly route?: ProxyRoute | undefined;
}

/** A socket with a peer. */
export interface ConnectedSocket {
  /** Paused. */
  readonly socket: net.Socket;
  readonly ends: SocketEnds;
}

/**
 * Reads both ends of a socket; `undefined` when the peer is gone already.
 *
 * @param local Our end, where it is known.
 */
function socketEnds(socket: net.Socket, local = localEnd(socket)): SocketEnds | undefined {
  const { remoteAddress, remotePort } = socket;
  if (local === undefined || remoteAddress === undefined || remotePort === undefined) return undefined;
  return { local, remote: toSocketAddress(remoteAddress, remotePort) };
}

function localEnd({ localAddress, localPort }: net.Socket): SocketAddress | undefined {
  return localAddress === undefined || localPort === undefined ? undefined : toSocketAddress(localAddress, localPort);
}

/** Addresses that stand for all of the host, so that each connection has another local end. */
const UNSPECIFIED_HOSTS: readonly string[] = ["0.0.0.0", "::"];

/**
 * Pauses a socket and puts what was read from it in front of what waits in it, for its next owner, who resumes it. All
 * hand-overs go this way, so that bytes stay in order however they are cut. The peer's end stays behind them.
 *
 * @param chunks In the order in which they came; they belong to the socket then. It has not ended.
 */
export function pushBack(socket: net.Socket, chunks: readonly Uint8Array[]): void {
  socket.pause();
  for (const chunk of chunks.toReversed()) socket.unshift(chunk);
}

/**
 * Makes one chunk of all that waits in a paused socket without listeners for data. `node:tls` hands what waits to its engine
 * chunk by chunk, and the process ends where the engine has failed at the first of them.
 */
export function joinUnread(socket: net.Socket): void {
  const chunks: Uint8Array[] = [];
  for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) chunks.push(chunk);
  if (chunks.length > 0) socket.unshift(Buffer.concat(chunks));
}

/**
 * How listeners of one process share a port, over which the system then spreads the connections. The first one to listen
 * `"begins"`: it takes a port that nobody has. Others `"join"` it.
 *
 * Left to the system alone, any process of the same user could join (SO_REUSEPORT), such as a second server, which would take
 * half of the clients to its own files.
 */
export type PortSharing = "begins" | "joins";

/** How a socket listens. */
export interface SocketListenOptions {
  /** With whom the port is shared; absent: with nobody. */
  readonly sharing?: PortSharing;
  /** How long in milliseconds a listener that may be deaf waits for a connection before it is opened anew; absent: for ever. */
  readonly renewAfterMs?: number;
  /** Reads what balancers say before all else; absent: clients connect by themselves. */
  readonly proxyGate?: ProxyGate | undefined;
  /** Returns what a balancer is told that only looks whether somebody is here; absent: nothing. */
  readonly checkReply?: (() => string) | undefined;
}

/** A socket that nobody has accepted. */
interface Arrival {
  readonly socket: net.Socket;
  /** Present where a balancer has told them. */
  readonly ends?: SocketEnds;
}

// On Deno 2.9 a listener that has once found no file descriptor left accepts nobody any more, and reports nothing. It looks
// like one that nobody wants, but for this: it had many connections at once.
const MANY_CONNECTIONS = 32;
// Where others have the same port, they have most of the descriptors, and take the clients of a moment without a listener.
const MANY_OF_SHARED_PORT = 8;
const RENEWAL_RETRY_MS = 1000;

/** A listening socket of `node:net` whose connections are pulled. */
export class SocketListener {
  readonly address: SocketAddress;
  readonly #options: SocketListenOptions;
  /** Our end of all connections, where they have the same. */
  readonly #local: SocketAddress | undefined;
  #server: net.Server;
  #unaccepted: Arrival[] = [];
  #waiting: PromiseWithResolvers<Arrival>[] = [];
  /** Sockets whose balancer has not said yet on whose behalf it connects. */
  readonly #unproven = new Set<net.Socket>();
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #openConnections = 0;
  #hadMany = false;
  #isRefusing = false;
  #hasRefused = false;
  #closed = false;

  private constructor(server: net.Server, options: SocketListenOptions) {
    const { address, port } = server.address() as net.AddressInfo;
    this.address = toSocketAddress(address, port);
    this.#local = UNSPECIFIED_HOSTS.includes(this.address.host) ? undefined : this.address;
    this.#options = options;
    this.#server = server;
    this.#attach(server);
  }

  /**
   * Listens on an address; port 0 means any. Accepted sockets are paused, half-open and without Nagle's delay.
   *
   * @throws {ConnectionError} Kind `"addressInUse"` when the port is taken.
   * @throws {Deno.errors.NotCapable} When the sandbox forbids the address.
   */
  static async listen(address: SocketAddress, options: SocketListenOptions = {}): Promise<SocketListener> {
    if (!isPermitted(address)) throw new Deno.errors.NotCapable(`Requires net access to "${netHost(address)}"`);
    return new SocketListener(await listen(address, options), options);
  }

  /**
   * Waits for the next connection.
   *
   * @throws {ConnectionError} Kind `"closed"` after {@linkcode SocketListener.close}.
   * @throws {Error} When a listener that may be deaf cannot be opened anew; that is tried again meanwhile.
   */
  async accept(): Promise<ConnectedSocket> {
    while (true) {
      const { socket, ends = socketEnds(socket, this.#local) } = await this.#next();
      // One that a header was read from may have failed since.
      if (ends !== undefined && !socket.destroyed) return { socket, ends };
      socket.destroy();
    }
  }

  #next(): Promise<Arrival> {
    if (this.#closed) return Promise.reject(CLOSED_ERROR);
    this.#isRefusing = false;
    this.#hasRefused = false;
    const arrival = this.#unaccepted.shift();
    if (arrival !== undefined) return Promise.resolve(arrival);
    const waiting = Promise.withResolvers<Arrival>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether it has refused a connection since the last call of {@linkcode SocketListener.accept}. */
  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  /** Closes what was not accepted, and what connects until the next call of {@linkcode SocketListener.accept}. */
  refuse(): void {
    this.#isRefusing = true;
    this.#hasRefused ||= this.#unaccepted.length > 0 || this.#unproven.size > 0;
    for (const { socket } of this.#unaccepted.splice(0)) socket.destroy();
    for (const socket of this.#unproven) socket.destroy();
  }

  /** Stops listening and releases connections that were not accepted. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#renewal);
    this.#server.close();
    this.refuse();
    this.#reject(CLOSED_ERROR);
  }

  #attach(server: net.Server): void {
    server.on("connection", scoped((socket: net.Socket) => this.#take(socket)));
  }

  #take(socket: net.Socket): void {
    if (this.#closed || this.#isRefusing) {
      this.#hasRefused = true;
      socket.destroy();
      return;
    }
    this.#count(socket);
    if (this.#options.proxyGate === undefined) this.#offer({ socket });
    else this.#prove(socket, this.#options.proxyGate);
  }

  #prove(socket: net.Socket, gate: ProxyGate): void {
    const ends = socketEnds(socket, this.#local);
    if (ends === undefined) return void socket.destroy();
    this.#unproven.add(socket);
    socket.once("close", guarded(() => void this.#unproven.delete(socket)));
    gate.receive(socket, ends, {
      checkReply: this.#options.checkReply?.(),
      onClient: (ends, behind) => {
        this.#unproven.delete(socket);
        pushBack(socket, behind.length > 0 ? [behind] : []);
        this.#offer({ socket, ends });
      },
    });
  }

  #offer(arrival: Arrival): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#unaccepted.push(arrival);
    else waiting.resolve(arrival);
  }

  #reject(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  #count(socket: net.Socket): void {
    const { renewAfterMs } = this.#options;
    if (renewAfterMs === undefined) return;
    this.#openConnections++;
    socket.once("close", guarded(() => void this.#openConnections--));
    this.#hadMany ||= this.#hasMany();
    if (this.#hadMany) this.#renewIn(renewAfterMs);
  }

  #hasMany(): boolean {
    return this.#openConnections >= (this.#options.sharing === undefined ? MANY_CONNECTIONS : MANY_OF_SHARED_PORT);
  }

  #renewIn(ms: number | undefined): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(guarded(() => void this.#renew()), ms);
  }

  async #renew(): Promise<void> {
    this.#server.close();
    try {
      const server = await listen(this.address, renewed(this.#options));
      if (this.#closed) return void server.close();
      this.#server = server;
      this.#attach(server);
      this.#hadMany = this.#hasMany();
      if (this.#hadMany) this.#renewIn(this.#options.renewAfterMs);
    } catch (error) {
      if (this.#closed) return;
      this.#renewIn(RENEWAL_RETRY_MS);
      this.#reject(error);
    }
  }
}

/** Others have joined meanwhile. */
function renewed(options: SocketListenOptions): SocketListenOptions {
  return options.sharing === undefined ? options : { ...options, sharing: "joins" };
}

async function listen(address: SocketAddress, { sharing }: SocketListenOptions): Promise<net.Server> {
  // A listener that shares its port with nobody finds out whether somebody has it. Another that begins between this one and
  // the next is not found.
  if (sharing === "begins" && address.port !== 0) await closed(await bind(address, { reusePort: false }));
  return await bind(address, { reusePort: sharing !== undefined });
}

function bind({ host, port }: SocketAddress, { reusePort }: { readonly reusePort: boolean }): Promise<net.Server> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Server>();
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  server.on(
    "error",
    guarded((error: Error & { readonly code?: string }) => {
      reject(error.code === "EADDRINUSE" ? toConnectionError(error) : error);
    }),
  );
  server.listen({ host, port, reusePort } as net.ListenOptions, guarded(() => resolve(server)));
  return promise;
}

/** Closes a listener that nobody should have connected to. */
function closed(server: net.Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.on("connection", (socket) => socket.destroy());
  server.close(() => resolve());
  return promise;
}

/**
 * Dials out from a local address and any local port.
 *
 * @throws {ConnectionError} Kind `"refused"` when nobody listens there or the sandbox forbids it, `"reset"` when the peer
 * left at once, `"closed"` when `signal` aborts.
 */
export async function dialSocket(
  options: { readonly remote: SocketAddress; readonly localHost: string; readonly signal: AbortSignal },
): Promise<ConnectedSocket> {
  const socket = await connectSocket(options);
  const ends = socketEnds(socket);
  if (ends !== undefined) return { socket, ends };
  socket.destroy();
  throw new ConnectionError("reset", "Peer left at once");
}

function connectSocket(
  { remote, localHost, signal }: {
    readonly remote: SocketAddress;
    readonly localHost: string;
    readonly signal: AbortSignal;
  },
): Promise<net.Socket> {
  if (signal.aborted) return Promise.reject(CLOSED_ERROR);
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
    reject(CLOSED_ERROR);
    socket.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  socket.on("error", (error) => reject(toConnectionError(error, "refused")));
  socket.once("close", () => reject(new ConnectionError("refused", "Connection was closed before it was established")));
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
