/**
 * Everything that a node keeps in PostgreSQL.
 *
 * @module
 */

import type { Bans } from "../bans.ts";
import { formatSelector, type SessionSelector } from "../session_selector.ts";
import type { DatabaseAddress } from "./database_address.ts";
import { BanList } from "./ban_list.ts";
import { ClusterBans, NODES_STATEMENT, type NodeView, readNode } from "./cluster_view.ts";
import { ClusterNode, type ClusterNodeOptions } from "./cluster_node.ts";
import { DatabaseUnavailableError } from "./database_connection.ts";
import type { NodeEvent } from "./event_feed.ts";
import type { TermCell } from "./node_term.ts";
import { PostgresDuties } from "./postgres_duties.ts";
import { PostgresFileClaims } from "./postgres_file_claims.ts";
import { PostgresQuotas } from "./postgres_quotas.ts";
import { PostgresRecords } from "./postgres_records.ts";
import { PostgresState, type PostgresStateOptions } from "./postgres_state.ts";

/** How it is opened. */
export type PostgresEngineOptions =
  & PostgresStateOptions
  & Omit<ClusterNodeOptions, "onBeat" | "onConnected" | "failureWindow">
  & {
    /** Called when events may have been missed for good: what was remembered of accounts may be old. Must not throw. */
    readonly onReconnected?: () => void;
  };

const LOAD_TIMEOUT_MS = 3_000;

/** An open node with all that it offers, from {@linkcode PostgresEngine.open} until it is disposed of. */
export class PostgresEngine implements AsyncDisposable {
  readonly state: PostgresState;
  readonly claims: PostgresFileClaims;
  readonly records: PostgresRecords;
  readonly duties: PostgresDuties;
  readonly quotas: PostgresQuotas;
  /** Bans, as an operator sees them. */
  readonly bans: Bans;
  readonly #node: ClusterNode;

  private constructor(node: ClusterNode, bans: BanList, options: PostgresEngineOptions) {
    this.#node = node;
    this.state = new PostgresState(node, bans, options);
    this.claims = new PostgresFileClaims(node);
    this.records = new PostgresRecords(node);
    this.duties = new PostgresDuties(node);
    this.quotas = new PostgresQuotas(node);
    this.bans = new ClusterBans((text, values) => node.query(text, values));
  }

  /**
   * Joins the others.
   *
   * @throws As {@linkcode ClusterNode.open}.
   */
  static async open(address: DatabaseAddress, options: PostgresEngineOptions): Promise<PostgresEngine> {
    const bans = new BanList();
    const opened: { engine?: PostgresEngine } = {};
    const node = await ClusterNode.open(address, {
      ...options,
      failureWindow: () => opened.engine?.state.failureWindow ?? options.ban.window,
      onEvent: (event) => {
        bans.take(event);
        if (event.kind === "recall") void opened.engine?.quotas.giveBack(event.subject);
        options.onEvent?.(event);
      },
      onConnected: async (connection) => {
        await bans.load(connection, LOAD_TIMEOUT_MS);
        if (opened.engine !== undefined) options.onReconnected?.();
      },
      onBeat: async () => void await Promise.all([opened.engine?.state.beat(), opened.engine?.quotas.beat()]),
    });
    return opened.engine = new PostgresEngine(node, bans, options);
  }

  /** Whether this node has its lease, for the other event loops. */
  get termCell(): TermCell {
    return this.#node.termCell;
  }

  /** Whether this node has its lease. */
  get isHeld(): boolean {
    return this.#node.isHeld;
  }

  /** Connections to the database that are open. */
  get connections(): number {
    return this.#node.connections;
  }

  /** Runs a statement. See {@linkcode ClusterNode.query}. */
  readonly query: ClusterNode["query"] = (text, values) => this.#node.query(text, values);

  /** Returns whether a statement has failed because the database cannot be asked now. */
  isOutOfReach(error: unknown): boolean {
    return error instanceof DatabaseUnavailableError;
  }

  /** All nodes that are heard. */
  async nodes(): Promise<readonly (NodeView & { readonly isThis: boolean })[]> {
    const rows = await this.query(NODES_STATEMENT);
    const own = this.#node.isHeld ? this.#node.term.id : undefined;
    return rows.map(readNode).map((node) => ({ ...node, isThis: node.id === own }));
  }

  /**
   * Ends sessions on all nodes. Each ends those of its own once it hears of it, at once or with its next beat; nobody counts
   * them.
   */
  async kick(selector: SessionSelector): Promise<void> {
    await this.tell("kick", formatSelector(selector));
  }

  /** Tells all nodes of something, this one too. */
  async tell(kind: NodeEvent["kind"], subject: string): Promise<void> {
    await this.query("SELECT ftpsd.emit($1, $2)", [kind, subject]);
  }

  /** Leaves: what this node holds is free at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.quotas.settle();
    await this.#node[Symbol.asyncDispose]();
  }
}
