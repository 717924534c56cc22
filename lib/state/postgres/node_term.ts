/**
 * How long a node may use what the database has given it.
 *
 * @module
 */

/** What all event loops know of the term: its number, and its end by the clock that nobody sets and by the other, in microseconds. */
export type TermCell = BigInt64Array<SharedArrayBuffer>;

const [NUMBER, UNTIL, WALL_UNTIL] = [0, 1, 2];

/** A moment, by both clocks, in microseconds since 1970. */
export interface Moment {
  readonly steadyUs: bigint;
  readonly wallUs: bigint;
}

/** Makes a cell that says that there is no term. */
export function createTermCell(): TermCell {
  return new BigInt64Array(new SharedArrayBuffer(3 * 8));
}

/** Now. The steady clock does not go while the host is suspended; the other one does, but is set now and then. */
export function readClocks(): Moment {
  return {
    steadyUs: BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)),
    wallUs: BigInt(Date.now()) * 1000n,
  };
}

/** Returns whether a term still lasts. Asked right before what nobody else may do: no timer has run in a process that was stopped. */
export function isTermHeld(cell: TermCell, number: bigint, { steadyUs, wallUs }: Moment = readClocks()): boolean {
  return Atomics.load(cell, NUMBER) === number && steadyUs < Atomics.load(cell, UNTIL) &&
    wallUs < Atomics.load(cell, WALL_UNTIL);
}

/** Returns whether there is a term that still lasts. */
export function hasTerm(cell: TermCell): boolean {
  const number = Atomics.load(cell, NUMBER);
  return number !== 0n && isTermHeld(cell, number);
}

/** From a node's joining to the moment at which it has not been able to beat for too long. There is one at a time. */
export class NodeTerm {
  /** Names the run of the node in the database. */
  readonly id: string = crypto.randomUUID();
  /** From 1 on. */
  readonly number: bigint;
  readonly #cell: TermCell;
  readonly #lost = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param cell Of all terms of this process. */
  constructor(cell: TermCell, number: bigint) {
    this.#cell = cell;
    this.number = number;
  }

  /** Aborts at its end. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The database has heard from the node: the term lasts so long, counted from when that was sent. */
  extend(sentAt: Moment, forMs: number): void {
    if (this.#lost.signal.aborted) return;
    const forUs = BigInt(Math.round(forMs * 1000));
    Atomics.store(this.#cell, UNTIL, sentAt.steadyUs + forUs);
    Atomics.store(this.#cell, WALL_UNTIL, sentAt.wallUs + forUs);
    Atomics.store(this.#cell, NUMBER, this.number);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.#leftMs());
  }

  /** Returns whether it lasts; the first one to find that it does not ends it. */
  isHeld(): boolean {
    if (this.#lost.signal.aborted) return false;
    if (isTermHeld(this.#cell, this.number)) return true;
    this.end(new Error("The database has not heard from this node for too long"));
    return false;
  }

  /** Ends it; may be called again. */
  end(reason: unknown): void {
    clearTimeout(this.#timer);
    if (this.#lost.signal.aborted) return;
    if (Atomics.load(this.#cell, NUMBER) === this.number) Atomics.store(this.#cell, NUMBER, 0n);
    this.#lost.abort(reason);
  }

  #look(): void {
    if (this.isHeld()) this.#timer = setTimeout(() => this.#look(), this.#leftMs());
  }

  #leftMs(): number {
    const { steadyUs, wallUs } = readClocks();
    const [steady, wall] = [Atomics.load(this.#cell, UNTIL) - steadyUs, Atomics.load(this.#cell, WALL_UNTIL) - wallUs];
    return Math.max(1, Math.ceil(Number(steady < wall ? steady : wall) / 1000));
  }
}
