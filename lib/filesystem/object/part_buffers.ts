/**
 * Memory for parts of uploads that are on their way to a store: one bounded pool for all uploads.
 *
 * A part is as large as the store wants it, not as the upload is; so a part takes a block when its bytes come, and a thousand
 * small files take a thousand small blocks. Uploads that all hold some blocks and wait for more would wait for ever; therefore a
 * block is given only when the rest is enough for every part to become full, one after the other (Dijkstra's banker).
 *
 * Guarantees, as long as whoever fills a part needs nothing of the pool but that part's own bytes:
 * - the pool never has more than its bound in use;
 * - a part that was begun becomes full, or its bytes end: those that wait are served as others are disposed of;
 * - parts that were begun come before new ones, and new ones in the order of their asking;
 * - the parts of one owner, however many and however slow, leave a quarter of the pool to others.
 *
 * @module
 */

import type { CallOptions } from "../filesystem.ts";
import type { Body } from "./object_store.ts";

const MIB = 1_048_576;

/** Bounds of the pool. */
export interface PartBuffersOptions {
  /** Most bytes in use. @default {268435456} */
  readonly maxBytes?: number;
  /** Size of a block in bytes, the least that a part takes. @default {262144} */
  readonly blockBytes?: number;
}

/** What one owner may have of the pool. */
const OWNER_SHARE = 3 / 4;

/** How a part is begun. */
export interface AcquirePartOptions extends CallOptions {
  /** Whose share of the pool it counts against; absent: nobody's. */
  readonly owner?: string;
}

/** Someone who waits for a block. */
interface Waiter {
  readonly part: PartAccount;
  readonly grant: () => void;
}

/** What the pool knows of a part, in blocks. */
interface PartAccount {
  readonly owner: string | undefined;
  held: number;
  /** How many more it may ask for. */
  needed: number;
}

/** The pool. It has nothing to be disposed of: its parts have. */
export class PartBuffers {
  /** Most bytes in use, and of a part without an owner. */
  readonly maxBytes: number;
  /** Most bytes of one owner, and so of a part that has one. */
  readonly maxOwnerBytes: number;
  readonly #blockBytes: number;
  readonly #parts = new Set<PartAccount>();
  /** Blocks to be used again. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #freeBlocks: number;
  #waiting: readonly Waiter[] = [];
  /** Whether somebody waits for others than the parts of its own owner. */
  #isCrowded = false;

  /**
   * Makes an empty pool, which takes no memory yet.
   *
   * @throws {RangeError} When not a single block fits.
   */
  constructor(options: PartBuffersOptions = {}) {
    const { maxBytes = 256 * MIB, blockBytes = MIB / 4 } = options;
    if (!(blockBytes >= 1) || !Number.isInteger(blockBytes)) {
      throw new RangeError(`Cannot make blocks of ${blockBytes} bytes: it must be a whole number from 1 on`);
    }
    this.#freeBlocks = Math.floor(maxBytes / blockBytes);
    if (!(this.#freeBlocks >= 1)) {
      throw new RangeError(`Cannot bound parts to ${maxBytes} bytes: a block of ${blockBytes} must fit`);
    }
    this.#blockBytes = blockBytes;
    this.maxBytes = this.#freeBlocks * blockBytes;
    this.maxOwnerBytes = Math.ceil(this.#freeBlocks * OWNER_SHARE) * blockBytes;
  }

  /** Bytes of all blocks that parts hold. */
  get usedBytes(): number {
    return this.maxBytes - this.#freeBlocks * this.#blockBytes;
  }

  /**
   * Begins a part of at most `bytes`, and waits for its first block. Dispose of the part when its bytes have been sent, or are not
   * wanted any more. Whoever waits here may hold other parts only if they will be disposed of without waiting for this one.
   *
   * @throws {RangeError} When the pool could never hold the part.
   * @throws The reason of the signal when it aborts before.
   */
  async acquire(bytes: number, options: AcquirePartOptions): Promise<PartBuffer> {
    const most = options.owner === undefined ? this.maxBytes : this.maxOwnerBytes;
    if (!(bytes >= 1 && bytes <= most)) {
      throw new RangeError(`Cannot hold a part of ${bytes} bytes: it must be 1 to ${most}`);
    }
    const account = { owner: options.owner, held: 0, needed: Math.ceil(bytes / this.#blockBytes) };
    const blocks = [await this.#take(account, options.signal)];
    return new PartBuffer(bytes, blocks, {
      take: (signal) => this.#take(account, signal),
      seal: () => {
        account.needed = 0;
        this.#serve();
      },
      give: (given) => this.#give(account, given),
    });
  }

  async #take(part: PartAccount, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal.throwIfAborted();
    // A part that was begun need not wait behind others, whose blocks it may have to become full for.
    const isWithinShare = this.#isWithinShare(part);
    const mayTake = part.held > 0 || !this.#isCrowded;
    if (isWithinShare && mayTake && this.#isSafe(part)) {
      this.#count(part);
    } else {
      this.#isCrowded ||= isWithinShare;
      await this.#wait(part, signal);
    }
    return this.#spare.pop() ?? new Uint8Array(this.#blockBytes);
  }

  #wait(part: PartAccount, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = { part, grant };
      const abandon = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal.reason);
        this.#serve(); // a part that was begun may have kept new ones out
      };
      function grant(): void {
        signal.removeEventListener("abort", abandon);
        resolve();
      }
      signal.addEventListener("abort", abandon, { once: true });
      this.#waiting = [...this.#waiting, waiter];
    });
  }

  #count(part: PartAccount): void {
    this.#parts.add(part);
    this.#freeBlocks--;
    part.held++;
    part.needed--;
  }

  #give(part: PartAccount, blocks: readonly Uint8Array<ArrayBuffer>[]): void {
    this.#parts.delete(part);
    this.#freeBlocks += blocks.length;
    part.held = 0;
    part.needed = 0;
    for (const block of blocks) {
      // What many uploads at once have needed is not kept for ever.
      if (this.#spare.length * this.#blockBytes < this.maxBytes / 4) this.#spare.push(block);
    }
    this.#serve();
  }

  /**
   * Serves parts that were begun, then new ones; no new one while one that was begun, or an earlier one, has to wait for others
   * than its own owner's.
   */
  #serve(): void {
    let isCrowded = false;
    const mustWait = ({ part, grant }: Waiter): boolean => {
      if (!this.#isWithinShare(part)) return true;
      const isNew = part.held === 0;
      if (isNew && isCrowded || !this.#isSafe(part)) {
        isCrowded = true;
        return true;
      }
      this.#count(part);
      grant();
      return false;
    };
    const begun = this.#waiting.filter(({ part }) => part.held > 0);
    const fresh = this.#waiting.filter(({ part }) => part.held === 0);
    this.#waiting = [...begun, ...fresh].filter(mustWait);
    this.#isCrowded = isCrowded;
  }

  /** Returns whether all parts can become full, one after the other, once this one has got a block. */
  #isSafe(asking: PartAccount): boolean {
    return canAllBecomeFull(this.#freeBlocks, this.#parts, asking);
  }

  /** The same of the parts of its owner alone, in what that one may have. */
  #isWithinShare(asking: PartAccount): boolean {
    const { owner } = asking;
    if (owner === undefined) return true;
    const own = [...this.#parts].filter((part) => part.owner === owner);
    const held = own.reduce((sum, { held }) => sum + held, 0);
    return canAllBecomeFull(this.maxOwnerBytes / this.#blockBytes - held, own, asking);
  }
}

function canAllBecomeFull(freeBlocks: number, parts: Iterable<PartAccount>, asking: PartAccount): boolean {
  if (freeBlocks < 1) return false;
  if (freeBlocks >= asking.needed) return true; // it can become full next, and give back all
  const others = [...parts].filter((part) => part !== asking);
  const order = [...others, { held: asking.held + 1, needed: asking.needed - 1 }];
  order.sort((one, other) => one.needed - other.needed);
  let free = freeBlocks - 1;
  for (const { held, needed } of order) {
    if (needed > free) return false;
    free += held;
  }
  return true;
}

/** How a part deals with its pool. */
interface Lender {
  take(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  seal(): void;
  give(blocks: readonly Uint8Array<ArrayBuffer>[]): void;
}

/** The bytes of one part. Made by {@linkcode PartBuffers.acquire}; whoever has it disposes of it. Calls must not overlap. */
export class PartBuffer implements Disposable {
  /** Most bytes that it takes. */
  readonly capacity: number;
  readonly #lender: Lender;
  readonly #blocks: Uint8Array<ArrayBuffer>[];
  #length = 0;
  #isDisposed = false;

  /** For the pool. */
  constructor(capacity: number, blocks: Uint8Array<ArrayBuffer>[], lender: Lender) {
    this.capacity = capacity;
    this.#blocks = blocks;
    this.#lender = lender;
  }

  /** Bytes that it has. */
  get length(): number {
    return this.#length;
  }

  /**
   * Copies the beginning of `bytes`, as much as there is room for.
   *
   * @returns How many bytes were copied; less than all only when the part is full now.
   * @throws The reason of the signal when it aborts while the pool has no block; what was copied before is kept, see `length`.
   */
  async write(bytes: Uint8Array, options: CallOptions): Promise<number> {
    let taken = 0;
    while (taken < bytes.length && this.#length < this.capacity) {
      const block = await this.#currentBlock(options.signal);
      const at = this.#length % block.length;
      const count = Math.min(block.length - at, bytes.length - taken, this.capacity - this.#length);
      block.set(bytes.subarray(taken, taken + count), at);
      taken += count;
      this.#length += count;
    }
    return taken;
  }

  /** Says that no more bytes will come, so that others need not wait for what this part could have needed. */
  seal(): void {
    if (!this.#isDisposed) this.#lender.seal();
  }

  /** The bytes, where they lie: valid until the part is disposed of. */
  body(): Body {
    const views: Uint8Array[] = [];
    let left = this.#length;
    for (const block of this.#blocks) {
      if (left > 0) views.push(block.subarray(0, left));
      left -= block.length;
    }
    return views;
  }

  /** Gives the memory back. May be called twice. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#length = 0;
    this.#lender.give(this.#blocks.splice(0));
  }

  async #currentBlock(signal: AbortSignal): Promise<Uint8Array> {
    const size = this.#blocks[0]?.length;
    if (size === undefined) throw new TypeError("Cannot write to a part that was disposed of");
    const index = Math.floor(this.#length / size);
    const block = this.#blocks[index];
    if (block !== undefined) return block;
    const taken = await this.#lender.take(signal);
    if (this.#isDisposed) throw new TypeError("Cannot write to a part that was disposed of"); // and has given back its account
    this.#blocks.push(taken);
    return taken;
  }
}
