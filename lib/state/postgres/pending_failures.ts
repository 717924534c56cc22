/**
 * Failed logins that the database has to hear of.
 *
 * @module
 */

import type { ClusterNode, Hold } from "./cluster_node.ts";

/** A failure, and what holds of such. */
export interface FailureRules {
  readonly block: string;
  /** Failures that bring a ban. */
  readonly failures: number;
  /** How long they count, and the ban lasts, in seconds. */
  readonly window: number;
  readonly duration: number;
}

/** What has come of it. */
export interface FailureOutcome {
  readonly banned: boolean;
  readonly seconds: number | undefined;
}

interface Pending {
  readonly node: string;
  readonly id: number;
  readonly rules: FailureRules;
}

/** Attempts hold places while they last, so there are few. */
const MAX_PENDING = 10_000;

/** Tells of failures, and again of those that the database may not have heard of, so that nobody guesses for free while it is away. */
export class PendingFailures {
  readonly #node: ClusterNode;
  #pending: readonly Pending[] = [];

  constructor(node: ClusterNode) {
    this.#node = node;
  }

  /**
   * Ends an attempt as a failure.
   *
   * @throws When the database is out of reach; then it hears of it later.
   */
  async count(hold: Hold, rules: FailureRules): Promise<FailureOutcome> {
    const failure = { node: hold.term.id, id: hold.id, rules };
    try {
      return await this.#tell(failure);
    } catch (error) {
      this.#pending = [...this.#pending, failure].slice(-MAX_PENDING);
      throw error;
    }
  }

  /** Tells again of those that have not been heard. */
  async send(): Promise<void> {
    for (let [first] = this.#pending; first !== undefined; [first] = this.#pending) {
      await this.#tell(first); // counted once, however often it is said
      this.#pending = this.#pending.slice(1);
    }
  }

  async #tell({ node, id, rules }: Pending): Promise<FailureOutcome> {
    const { block, failures, window, duration } = rules;
    const [row] = await this.#node.query("SELECT banned, seconds FROM ftpsd.attempt_fail($1, $2, $3, $4, $5, $6)", [
      ...[node, id, block, failures, window, duration],
    ]);
    this.#node.forget(id, node);
    const seconds = row?.seconds ?? null;
    return { banned: row?.banned === "t", seconds: seconds === null ? undefined : Number(seconds) };
  }
}
