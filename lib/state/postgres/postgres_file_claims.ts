/**
 * Who writes which file, over all nodes.
 *
 * @module
 */

import { delay } from "../../deadline.ts";
import { FileSystemError } from "../../filesystem/filesystem.ts";
import type { TermClaim, TermClaims } from "../term_claims.ts";
import type { ClusterNode, Hold } from "./cluster_node.ts";
import { leaseOf } from "./postgres_state.ts";
import { storedKey } from "./stored_key.ts";

/** A client that has its 226 may go on at another node before the database has heard that the file is free. */
const PATIENCE_MS = 300;
const RETRY_MS = 50;

/**
 * The files open for writing on all nodes, so that each has one writer. Names have to mean the same file on every node, as those of
 * objects in a store do.
 */
export class PostgresFileClaims implements TermClaims {
  readonly #node: ClusterNode;

  constructor(node: ClusterNode) {
    this.#node = node;
  }

  /**
   * @throws {FileSystemError} Kind `"busy"` while there is another claim on it.
   * @throws {DatabaseUnavailableError}
   */
  async claim(file: string, signal: AbortSignal = new AbortController().signal): Promise<TermClaim> {
    const hold = await this.#take(storedKey(file), signal);
    return { term: hold.term.number, ...leaseOf(hold), [Symbol.dispose]: () => hold[Symbol.dispose]() };
  }

  async #take(key: string, signal: AbortSignal): Promise<Hold> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const hold = await this.#node.take("claim", key, 1);
      if (hold !== undefined) return hold;
      if (performance.now() >= end) {
        throw new FileSystemError("busy", "Cannot open file for writing: it is being written");
      }
      await delay(RETRY_MS, signal);
    }
  }
}
