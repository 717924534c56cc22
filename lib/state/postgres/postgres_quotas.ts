/**
 * Quotas over all nodes.
 *
 * @module
 */

import { delay } from "../../deadline.ts";
import type { Quota, QuotaAmount, QuotaCounting, QuotaRefusal, QuotaUse } from "../quotas.ts";
import { createLeft, type QuotaAllowance, type QuotaAllowances } from "../quota_allowances.ts";
import type { ClusterNode } from "./cluster_node.ts";
import { DatabaseUnavailableError } from "./database_connection.ts";
import { EndedChanges } from "./ended_changes.ts";
import type { NodeTerm } from "./node_term.ts";
import { leaseOf } from "./postgres_state.ts";
import { storedKey } from "./stored_key.ts";

/** What a change reserves ahead, which doubles each time that it asks for more. */
const MIN_AHEAD = 256 * 1024;
const MAX_AHEAD = 16 * 1024 * 1024;
/** How often is asked again where others may give back what they have not used, and how long is waited before. */
const MAX_TRIES = 3;
const RECALL_MS = 80;

interface Change {
  readonly id: number;
  /** In the database. */
  readonly keys: readonly string[];
  readonly quotas: readonly Quota[];
  readonly left: BigInt64Array;
  ahead: number;
}

/**
 * Counts in the database. A change reserves some bytes ahead, so that not every write asks; near a limit it reserves none, and where
 * a limit is reached all nodes are asked to give back what they have not used. What a change has reserved is counted until the
 * database has heard of its end. Of a node that is gone it stays counted, until somebody counts what there is.
 */
export class PostgresQuotas implements QuotaAllowances {
  readonly #node: ClusterNode;
  readonly #changes = new Map<number, Change>();
  readonly #ended: EndedChanges;
  #lastId = 0;
  #isUsed = false;

  /** @param node Stays the caller's; {@linkcode PostgresQuotas.beat} is called with each of its beats. */
  constructor(node: ClusterNode) {
    this.#node = node;
    this.#ended = new EndedChanges(node);
  }

  async use(name: string): Promise<QuotaUse | undefined> {
    const [row] = await this.#node.query(
      "SELECT bytes, files, reserved_bytes, reserved_files FROM ftpsd.quota WHERE name = $1 AND counted",
      [storedKey(name)],
    );
    return row && {
      stored: { bytes: Number(row.bytes), files: Number(row.files) },
      reserved: { bytes: Number(row.reserved_bytes), files: Number(row.reserved_files) },
    };
  }

  /** @throws {DatabaseUnavailableError} */
  async reserve(quotas: readonly Quota[], amount: QuotaAmount): Promise<QuotaAllowance | QuotaRefusal> {
    this.#isUsed = true;
    const { term } = this.#node;
    const change: Change = {
      id: ++this.#lastId,
      keys: quotas.map(({ name }) => storedKey(name)),
      quotas,
      left: createLeft(),
      ahead: MIN_AHEAD,
    };
    const refusal = await this.#ask(change, term, amount, { isNew: true });
    if (refusal !== undefined) return refusal;
    if (!term.isHeld()) {
      this.#ended.add(change.id);
      throw new DatabaseUnavailableError("This node has lost its lease meanwhile");
    }
    this.#changes.set(change.id, change);
    return this.#allowance(change, term);
  }

  /** @throws {DatabaseUnavailableError} */
  async beginCount(name: string): Promise<QuotaCounting | undefined> {
    this.#isUsed = true;
    const [key, { term }, id] = [storedKey(name), this.#node, ++this.#lastId];
    const [row] = await this.#node.query("SELECT ftpsd.quota_count_begin($1, $2, $3) AS answer", [term.id, id, key]);
    if (isObstacle(row?.answer)) throw new DatabaseUnavailableError(`Nothing is counted now: ${row?.answer}`);
    if (row?.answer !== "begun") return undefined;
    const end = (bytes: number | null, files: number | null) =>
      this.#node.query("SELECT ftpsd.quota_count_end($1, $2, $3, $4, $5)", [term.id, id, key, bytes, files]);
    let isHeld = true;
    return {
      ...leaseOf({ term }),
      end: async ({ bytes, files }) => {
        if (!isHeld) return;
        await end(bytes, files);
        isHeld = false;
      },
      [Symbol.dispose]: () => {
        if (isHeld) end(null, null).catch(() => {}); // then another count can begin once this node has left
        isHeld = false;
      },
    };
  }

  /** A node has no room: gives back what was reserved ahead under a key. Never rejects. */
  async giveBack(key: string): Promise<void> {
    const changes = this.#changes.values().filter(({ keys }) => keys.includes(key))
      .map(({ id, left }) => ({ id, bytes: Number(Atomics.exchange(left, 0, 0n)) }))
      .filter(({ bytes }) => bytes > 0).toArray();
    if (changes.length === 0) return;
    await this.#node.query("SELECT ftpsd.quota_trim($1, $2, $3)", [
      ...[this.#node.owner, changes.map(({ id }) => id), changes.map(({ bytes }) => bytes)],
    ]).catch(() => {}); // it stays reserved until the changes end
  }

  /** Does what is to be done with each beat of the node. */
  async beat(): Promise<void> {
    await this.#ended.send();
    if (this.#isUsed) await this.#node.query("SELECT ftpsd.quota_settle_lost()");
  }

  /** Tells of all changes that have ended, once. */
  async settle(): Promise<void> {
    await this.#ended.send();
  }

  #allowance(change: Change, term: NodeTerm): QuotaAllowance {
    let isHeld = true;
    const end = (amount?: QuotaAmount) => {
      isHeld = false;
      this.#changes.delete(change.id);
      this.#ended.add(change.id, amount);
      return this.#ended.send();
    };
    return {
      ...leaseOf({ term }),
      left: change.left,
      term: term.number,
      grow: (bytes) => this.#grow(change, term, bytes),
      commit: async (amount) => {
        if (isHeld) await end(amount);
      },
      [Symbol.dispose]: () => {
        if (isHeld) void end();
      },
    };
  }

  async #grow(change: Change, term: NodeTerm, bytes: number): Promise<boolean> {
    const { left } = change;
    const taken = Number(Atomics.exchange(left, 0, 0n)); // what was given back since the event loop has looked is missing, too
    let isThere = taken >= bytes;
    try {
      isThere ||= await this.#ask(change, term, { bytes: bytes - taken, files: 0 }, { isNew: false }) === undefined;
      return isThere;
    } finally {
      Atomics.add(left, 0, BigInt(isThere ? Math.max(0, taken - bytes) : taken));
    }
  }

  /** Returns why not. */
  async #ask(
    change: Change,
    term: NodeTerm,
    { bytes, files }: QuotaAmount,
    { isNew }: { readonly isNew: boolean },
  ): Promise<QuotaRefusal | undefined> {
    const { id, keys, quotas } = change;
    const limits = [quotas.map(({ limits }) => limits.bytes), quotas.map(({ limits }) => limits.files)] as const;
    for (let tries = 1;; tries++) {
      const values = [this.#node.owner, term.id, id, keys, ...limits, bytes, files, change.ahead, isNew];
      const [row] = await this.#node.query(
        "SELECT answer, place, others, granted FROM ftpsd.quota_reserve($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values,
      ).catch((error) => {
        // It may have been done, or be done later. What an old one has got is given back with its end.
        if (isNew) this.#ended.addDoubtful(id);
        throw error;
      });
      const { answer, place, others, granted } = row ?? {};
      if (answer === "granted") {
        Atomics.add(change.left, 0, BigInt(Number(granted) - bytes));
        change.ahead = Math.min(MAX_AHEAD, change.ahead * 2);
        return undefined;
      }
      if (answer !== "bytes" && answer !== "files" && answer !== "uncounted") {
        throw new DatabaseUnavailableError(`Nothing is reserved now: ${answer}`);
      }
      const at = Number(place) - 1;
      const refusal: QuotaRefusal = { refusal: answer, name: quotas[at]?.name ?? "" };
      if (answer === "uncounted" || tries === MAX_TRIES) return refusal;
      if (this.#ended.isPending) await this.#ended.send(); // what has just ended here has room left
      else if (answer === "bytes" && others === "t") await this.#recall(keys[at] ?? "");
      else return refusal;
    }
  }

  /** Asks all nodes to give back what they have reserved ahead, and waits for a moment. */
  async #recall(key: string): Promise<void> {
    await this.giveBack(key);
    // Who does not hear it goes on with what it has.
    await this.#node.query("SELECT ftpsd.recall($1)", [key]);
    await delay(RECALL_MS, new AbortController().signal);
  }
}

function isObstacle(answer: string | null | undefined): boolean {
  return answer === "unsettled" || answer === "fenced";
}
