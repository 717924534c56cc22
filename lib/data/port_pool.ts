/**
 * Ports for passive data connections.
 *
 * A listener costs as much as a small file, so it is kept when its connection has come, and lent to another session: see
 * docs/decisions/0007-kept-listeners.md.
 *
 * @module
 */

import { yieldToEventLoop } from "../deadline.ts";
import {
  ConnectionError,
  type DataListener,
  type DataTransport,
  type IncomingConnection,
  type SocketAddress,
} from "../transport/connection.ts";

/** How many ports are tried before all are looked at. */
const RANDOM_TRIES = 16;

/** How often ports are tried again that nobody of us holds: the runtime frees one a turn after it was closed. */
const MAX_RETRIES = 3;

/** The next port must not be known beforehand: one of so many at least is lent, or a new one is opened. */
const MIN_CHOICE = 8;
/** Others may use the same range: no more of it than this is held by listeners that nobody uses, in all event loops together. */
const MAX_FREE_PART = 1 / 4;
/** One in so many is closed and not kept, so that the ports change. */
const USES_OF_A_PORT = 64;
const USE_WINDOW_MS = 5_000;
/** Turns in which connections are handled that the system has reported together with a command, in whatever order. */
const REFUSING_TURNS = 2;

/** No port of the passive range is free. */
export class PortsExhaustedError extends Error {
  override readonly name = "PortsExhaustedError";
}

/** A port that belongs to one session, until it is given back or closed. */
export interface LentPort {
  /** Where it listens. */
  readonly address: SocketAddress;
  /** See {@linkcode DataListener.accept}. */
  accept(): Promise<IncomingConnection>;
  /** Gives back a port whose connection has come; all that come later are refused. Does nothing after `close()`. */
  giveBack(): void;
  /** Closes a port whose connection has not come in time: it may be deaf. Does nothing after `giveBack()`. */
  giveUp(): void;
  /** Closes a port whose connection has not come. Does nothing after `giveBack()`. */
  close(): void;
}

/** Options of {@linkcode PortPool}. */
export interface PortPoolOptions {
  /** Listeners beyond those that were in use at once in this time are closed, in milliseconds. @default {5_000} */
  readonly windowMs?: number;
  /** How many pools have the same range. @default {1} */
  readonly sharers?: number;
  /** Runs what outlives the session that begins it. @default {run => run()} */
  readonly inScope?: <Result>(run: () => Result) => Result;
}

/** What a port is for. */
export interface LendingOptions {
  /** Whether connections are taken from any address: then nobody may know the port beforehand, and none is lent twice. */
  readonly acceptsAnyPeer: boolean;
  /**
   * Whether nothing has been waited for since the system has reported the command, so that it has reported with it all
   * connections that were made before. Otherwise one of them might be first on a kept port.
   */
  readonly isPrompt: boolean;
}

/** Listeners of one transport on one address. */
interface Kind {
  /** Those that nobody has. */
  readonly free: DataListener[];
  lent: number;
  /** Most that were lent at once in this window and the one before. */
  peak: number;
  formerPeak: number;
}

/**
 * Lends listeners on random ports of a range, so that the next port cannot be guessed (RFC 2577 §3); never on one outside.
 * One pool serves all sessions of a server. It owns the listeners that nobody has, until it is disposed of.
 */
export class PortPool implements Disposable {
  readonly #range: { readonly from: number; readonly to: number } | undefined;
  /** Ports of the range that are lent or kept. */
  readonly #taken = new Set<number>();
  readonly #kinds = new Map<DataTransport, Map<string, Kind>>();
  readonly #windowMs: number;
  readonly #inScope: <Result>(run: () => Result) => Result;
  /** Most listeners that nobody has. */
  readonly #maxFree: number;
  #window: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  /** Makes a pool of the ports `from` to `to`, both included; without a range any port will do. */
  constructor(
    range: { readonly from: number; readonly to: number } | undefined,
    { windowMs = USE_WINDOW_MS, sharers = 1, inScope = (run) => run() }: PortPoolOptions = {},
  ) {
    this.#range = range;
    this.#windowMs = windowMs;
    this.#inScope = inScope;
    const maxFree = range === undefined ? Infinity : Math.floor(sizeOf(range) * MAX_FREE_PART / sharers);
    this.#maxFree = maxFree < MIN_CHOICE ? 0 : maxFree;
  }

  /**
   * Lends a listener on a free port.
   *
   * @throws {PortsExhaustedError} When every port of the range is taken.
   */
  async lend(transport: DataTransport, host: string, options: LendingOptions): Promise<LentPort> {
    const kind = this.#kind(transport, host);
    kind.peak = Math.max(kind.peak, ++kind.lent);
    try {
      const kept = options.isPrompt && !options.acceptsAnyPeer ? await this.#takeQuiet(kind) : undefined;
      const listener = kept ?? await this.#listen(transport, host);
      return new PooledListener(listener, this.#endsOf(kind, { ...options, wasKept: kept !== undefined }));
    } catch (error) {
      kind.lent--;
      throw error;
    }
  }

  /** Closes the listeners that nobody has, and keeps none from now on. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#closeFree();
  }

  #kind(transport: DataTransport, host: string): Kind {
    const kinds = this.#kinds.get(transport) ?? new Map<string, Kind>();
    const kind = kinds.get(host) ?? { free: [], lent: 0, peak: 0, formerPeak: 0 };
    this.#kinds.set(transport, kinds.set(host, kind));
    return kind;
  }

  #endsOf(
    kind: Kind,
    { acceptsAnyPeer, wasKept }: LendingOptions & { readonly wasKept: boolean },
  ): LendingEnds {
    return {
      giveBack: (listener) => {
        kind.lent--;
        if (acceptsAnyPeer || !this.#mayKeep(kind)) return this.#close(listener);
        listener.refuse();
        kind.free.push(listener);
        this.#window ??= this.#inScope(() => setInterval(() => this.#startWindow(), this.#windowMs));
      },
      giveUp: (listener) => {
        kind.lent--;
        this.#close(listener);
        // One that was lent before and found no client may be deaf, and others with it: see `node_socket.ts`.
        if (wasKept) { for (const free of kind.free.splice(0)) this.#close(free); }
      },
      close: (listener) => {
        kind.lent--;
        this.#close(listener);
      },
    };
  }

  /** Takes a kept listener, unless somebody has knocked at it while nobody had it, who may be quicker again than the client. */
  async #takeQuiet({ free }: Kind): Promise<DataListener | undefined> {
    const listener = free.length < MIN_CHOICE ? undefined : takeRandom(free);
    if (listener === undefined) return undefined;
    for (let turn = 0; turn < REFUSING_TURNS; turn++) await yieldToEventLoop();
    if (!listener.hasRefused && !listener.isClosed) return listener;
    this.#close(listener);
    return undefined;
  }

  #mayKeep(kind: Kind): boolean {
    if (this.#isClosed || randomBelow(USES_OF_A_PORT) === 0 || kind.free.length >= maxFreeOf(kind)) return false;
    return this.#allKinds().reduce((count, { free }) => count + free.length, 0) < this.#maxFree;
  }

  /** Closes what was not needed for a time. */
  #startWindow(): void {
    for (const kind of this.#allKinds()) {
      for (const free of kind.free.splice(maxFreeOf(kind))) this.#close(free);
      kind.formerPeak = kind.peak;
      kind.peak = kind.lent;
    }
    if (this.#allKinds().every(({ free }) => free.length === 0)) this.#stopWindow();
  }

  #stopWindow(): void {
    clearInterval(this.#window);
    this.#window = undefined;
  }

  #allKinds(): readonly Kind[] {
    return [...this.#kinds.values()].flatMap((kinds) => [...kinds.values()]);
  }

  /** Returns whether there was any. */
  #closeFree(): boolean {
    const free = this.#allKinds().flatMap((kind) => kind.free.splice(0));
    for (const listener of free) this.#close(listener);
    this.#stopWindow();
    return free.length > 0;
  }

  #close(listener: DataListener): void {
    listener.close();
    this.#taken.delete(listener.address.port);
  }

  async #listen(transport: DataTransport, host: string): Promise<DataListener> {
    if (this.#range === undefined) return await this.#listenAnywhere(transport, host);
    let candidates: Iterable<number> = this.#candidates(this.#range);
    for (let retries = 0; retries <= MAX_RETRIES; retries++) {
      const inUse = new Set<number>();
      for (const port of candidates) {
        if (this.#taken.has(port)) continue;
        const listener = await this.#tryPort(transport, { host, port });
        if (listener !== undefined) return listener;
        inUse.add(port);
      }
      // Those of other kinds are given up.
      if (this.#closeFree()) candidates = this.#candidates(this.#range);
      else if (inUse.size === 0) break;
      else candidates = inUse;
      await yieldToEventLoop();
    }
    throw new PortsExhaustedError(`No free port in ${this.#range.from}-${this.#range.to}`);
  }

  async #listenAnywhere(transport: DataTransport, host: string): Promise<DataListener> {
    try {
      return await transport.listen({ host, port: 0 });
    } catch (error) {
      this.#closeFree(); // file descriptors may be short
      throw error;
    }
  }

  /** Listens on a port that nobody of this pool has; `undefined` when somebody else has it. */
  async #tryPort(transport: DataTransport, address: SocketAddress): Promise<DataListener | undefined> {
    const { port } = address;
    this.#taken.add(port);
    try {
      return await transport.listen(address);
    } catch (error) {
      this.#taken.delete(port);
      if (error instanceof ConnectionError && error.kind === "addressInUse") return undefined;
      this.#closeFree(); // as above
      throw error;
    }
  }

  /** Some ports of the range at random, which find a free one where there are many; then each port, starting anywhere. */
  *#candidates(range: { readonly from: number; readonly to: number }): Generator<number> {
    const { from } = range;
    const count = sizeOf(range);
    for (let tries = 0; tries < RANDOM_TRIES; tries++) yield from + randomBelow(count);
    const start = randomBelow(count);
    for (let index = 0; index < count; index++) yield from + (start + index) % count;
  }
}

/** As many as were in use at once lately, and those to choose from. */
function maxFreeOf({ peak, formerPeak, lent }: Kind): number {
  const maxInUse = Math.max(peak, formerPeak);
  return maxInUse === 0 ? 0 : MIN_CHOICE + maxInUse - lent;
}

/** What happens to a listener when its session does not need it any more. */
interface LendingEnds {
  giveBack(listener: DataListener): void;
  giveUp(listener: DataListener): void;
  close(listener: DataListener): void;
}

class PooledListener implements LentPort {
  readonly #listener: DataListener;
  readonly #ends: LendingEnds;
  #isOver = false;

  constructor(listener: DataListener, ends: LendingEnds) {
    this.#listener = listener;
    this.#ends = ends;
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  accept(): Promise<IncomingConnection> {
    return this.#listener.accept();
  }

  giveBack(): void {
    this.#end(() => this.#ends.giveBack(this.#listener));
  }

  giveUp(): void {
    this.#end(() => this.#ends.giveUp(this.#listener));
  }

  close(): void {
    this.#end(() => this.#ends.close(this.#listener));
  }

  #end(how: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    how();
  }
}

/** Takes one out at random. */
function takeRandom<Item>(items: Item[]): Item | undefined {
  return items.length === 0 ? undefined : items.splice(randomBelow(items.length), 1)[0];
}

function sizeOf({ from, to }: { readonly from: number; readonly to: number }): number {
  return to - from + 1;
}

function randomBelow(limit: number): number {
  const [word] = crypto.getRandomValues(new Uint32Array(1));
  return (word as number) % limit;
}
