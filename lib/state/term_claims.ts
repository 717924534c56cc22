/**
 * Claims that end by time, in every event loop of a node.
 *
 * @module
 */

import type { FileClaims } from "../filesystem/file_claims.ts";
import type { Lease, MaybePromise, SharedMethods } from "../shared_port.ts";

/** A claim, and the number of the term in which it was made. */
export interface TermClaim extends Lease {
  readonly term: bigint;
}

/** Claims as one event loop makes them for all. */
export interface TermClaims {
  /** See {@linkcode FileClaims.claim}. */
  claim(file: string, signal?: AbortSignal): MaybePromise<TermClaim>;
}

/** What event loops share of it. */
export const SHARED_TERM_CLAIMS: SharedMethods<TermClaims> = { claim: { term: "value" } };

/**
 * Names that mean the same file on every node are claimed on all of them, and others, such as those of files on the disks of this
 * host, on this node alone. Whoever has lost the lease finds that out by the time alone, before any message says so.
 */
export class NodeFileClaims implements FileClaims {
  readonly #own: FileClaims;
  readonly #all: TermClaims;
  readonly #isTermHeld: (term: bigint) => boolean;

  /**
   * @param own Of this node.
   * @param all Of all nodes.
   * @param isTermHeld Looks at what this process has of its lease.
   */
  constructor(own: FileClaims, all: TermClaims, isTermHeld: (term: bigint) => boolean) {
    this.#own = own;
    this.#all = all;
    this.#isTermHeld = isTermHeld;
  }

  /** @throws {FileSystemError} Kind `"busy"` while there is another claim on it. */
  async claim(file: string, signal?: AbortSignal): Promise<Lease> {
    using claimed = new DisposableStack();
    const own = claimed.use(await this.#own.claim(file, signal));
    if (!isOfStore(file)) {
      claimed.move();
      return own;
    }
    // In this order, so that two of one node need not ask the others.
    const all = claimed.use(await this.#all.claim(file, signal));
    const both = claimed.move();
    const { lost, term } = all;
    return { ...lost && { lost }, isHeld: () => this.#isTermHeld(term), [Symbol.dispose]: () => both.dispose() };
  }
}

/** Names in a store begin with that of the store; those of the host are paths, or numbers of files. */
function isOfStore(file: string): boolean {
  return /^[^/\\]+\//.test(file);
}
