/**
 * The rows that this node holds in the database, and those that it gives back.
 *
 * @module
 */

/** What is held: a place of a connection, of a session, a password that is checked, a file that is written, room under a quota. */
export type HoldKind = "address" | "account" | "attempt" | "claim";

/** A row, as far as it is the same in every term. */
export interface HeldRow {
  readonly kind: HoldKind;
  readonly key: string;
}

/** Most rows that go back with one statement. */
const MAX_BATCH = 1_000;
/** How long a row may appear whose taking nobody knows the end of; more than a statement may wait for a lock. */
const DOUBTFUL_MS = 30_000;

/**
 * Gives rows back in batches, and those again that the database has not heard of. What was given back is not on offer before the
 * database knows.
 */
export class HeldRows {
  readonly #send: (ids: readonly number[]) => Promise<void>;
  readonly #held = new Map<number, HeldRow>();
  /** Rows to give back, with what they are, and until when that is repeated. */
  readonly #releasing = new Map<number, { readonly name: string | undefined; readonly repeatUntil: number }>();
  readonly #releasingNames = new Map<string, number>();
  #flushing: Promise<void> | undefined;
  #lastId = 0;

  /** @param send Removes rows of this node; rejects when nobody knows whether it has. */
  constructor(send: (ids: readonly number[]) => Promise<void>) {
    this.#send = send;
  }

  /** A number that no row of this process has had. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** A row was taken. */
  add(id: number, row: HeldRow): void {
    this.#held.set(id, row);
  }

  /** The database has removed it by itself. */
  forget(id: number): void {
    this.#held.delete(id);
  }

  /** Forgets what does not go on in another term. */
  forgetClaims(): void {
    for (const [id, { kind }] of this.#held) if (kind === "claim") this.#held.delete(id);
  }

  /** Gives a row back; may be said again. */
  release(id: number): void {
    const row = this.#held.get(id);
    if (row === undefined) return;
    this.#held.delete(id);
    const name = nameOf(row);
    this.#releasing.set(id, { name, repeatUntil: 0 });
    this.#releasingNames.set(name, (this.#releasingNames.get(name) ?? 0) + 1);
    this.flush();
  }

  /** Gives a row back that may be there, or come to be. */
  releaseDoubtful(id: number): void {
    this.#releasing.set(id, { name: undefined, repeatUntil: performance.now() + DOUBTFUL_MS });
  }

  /** Waits until what this node has given back under a key is on offer again, or cannot be given back now. */
  async released(row: HeldRow): Promise<void> {
    // What is being sent may have begun before.
    for (let tries = 0; tries < 2 && this.#releasingNames.has(nameOf(row)); tries++) {
      this.flush();
      await this.#flushing;
    }
  }

  /** Sends what is to be given back. */
  flush(): void {
    if (this.#flushing !== undefined || this.#releasing.size === 0) return;
    this.#flushing = this.#flush().finally(() => this.#flushing = undefined);
  }

  /** Waits until everything was sent once. */
  async settle(): Promise<void> {
    this.flush();
    await this.#flushing;
  }

  /** What is held, as columns: ids, kinds, keys. */
  columns(): readonly [readonly number[], readonly string[], readonly string[]] {
    const rows = [...this.#held];
    return [rows.map(([id]) => id), rows.map(([, { kind }]) => kind), rows.map(([, { key }]) => key)];
  }

  /** Never rejects: what could not be sent is sent with the next beat. */
  async #flush(): Promise<void> {
    await Promise.resolve(); // so that what ends together goes together
    for (let sent = new Set<number>();;) {
      const batch = [...this.#releasing.keys()].filter((id) => !sent.has(id)).slice(0, MAX_BATCH);
      if (batch.length === 0) return;
      try {
        await this.#send(batch);
      } catch {
        return; // the beat tells of an engine that is out of reach
      }
      sent = sent.union(new Set(batch));
      for (const id of batch) this.#sent(id);
    }
  }

  #sent(id: number): void {
    const entry = this.#releasing.get(id);
    if (entry === undefined || entry.repeatUntil > performance.now()) return;
    this.#releasing.delete(id);
    if (entry.name === undefined) return;
    const left = (this.#releasingNames.get(entry.name) ?? 1) - 1;
    if (left > 0) this.#releasingNames.set(entry.name, left);
    else this.#releasingNames.delete(entry.name);
  }
}

function nameOf({ kind, key }: HeldRow): string {
  return `${kind}:${key}`;
}
