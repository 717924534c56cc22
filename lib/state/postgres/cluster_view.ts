/**
 * What an operator sees of all nodes, and does about bans.
 *
 * @module
 */

import { addressBlock } from "../../protocol/host_port.ts";
import type { Ban, Bans } from "../bans.ts";
import type { SqlRow, SqlValue } from "./database_connection.ts";

/** Runs a statement. */
export type RunStatement = (text: string, values?: readonly SqlValue[]) => Promise<readonly SqlRow[]>;

/** A node that is heard. */
export interface NodeView {
  readonly name: string;
  /** Names its run. */
  readonly id: string;
  /** Sessions of accounts. */
  readonly sessions: number;
  /** Seconds until it is not heard any more. */
  readonly leaseSeconds: number;
}

/** Statement that reads the nodes. */
export const NODES_STATEMENT = `SELECT id, name, ceil(extract(epoch FROM expires_at - clock_timestamp())) AS seconds,
    (SELECT count(*) FROM ftpsd.hold WHERE node = n.id AND kind = 'account') AS sessions
  FROM ftpsd.node n WHERE expires_at > clock_timestamp() ORDER BY name`;

/** Reads a row of {@linkcode NODES_STATEMENT}. */
export function readNode({ id, name, seconds, sessions }: SqlRow): NodeView {
  return { id: id ?? "", name: name ?? "", sessions: Number(sessions), leaseSeconds: Number(seconds) };
}

/** Bans on all nodes. */
export class ClusterBans implements Bans {
  readonly #run: RunStatement;

  constructor(run: RunStatement) {
    this.#run = run;
  }

  async list(): Promise<readonly Ban[]> {
    const rows = await this.#run(
      `SELECT block, extract(epoch FROM until - clock_timestamp()) AS seconds FROM ftpsd.ban
        WHERE until > clock_timestamp() ORDER BY until`,
    );
    return rows.map(({ block, seconds }) => ({ address: block ?? "", seconds: Number(seconds) }));
  }

  async ban(address: string, seconds: number): Promise<void> {
    await this.#run("SELECT ftpsd.ban_set($1, $2)", [addressBlock(address), seconds]);
  }

  async lift(address: string): Promise<boolean> {
    const [row] = await this.#run("SELECT ftpsd.ban_lift($1) AS lifted", [addressBlock(address)]);
    return row?.lifted === "t";
  }
}
