/**
 * What one of several nodes does for all.
 *
 * @module
 */

import type { Duties } from "../duties.ts";
import type { ClusterNode } from "./cluster_node.ts";

/** Duties in the database. */
export class PostgresDuties implements Duties {
  readonly #node: ClusterNode;

  constructor(node: ClusterNode) {
    this.#node = node;
  }

  async take(name: string, forMs: number): Promise<boolean> {
    const { term } = this.#node;
    const [row] = await this.#node.query("SELECT ftpsd.duty_take($1, $2, $3) AS taken", [term.id, name, forMs]);
    return row?.taken === "t" && term.isHeld();
  }
}
