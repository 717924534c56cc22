/**
 * Records that all nodes have.
 *
 * @module
 */

import { orderedKey } from "../ordered_key.ts";
import type { ListRecordsOptions, RecordOptions, StateRecord, StateRecords } from "../records.ts";
import type { ClusterNode } from "./cluster_node.ts";
import type { SqlRow } from "./database_connection.ts";

/** Keeps records in the database. The end of a record is counted by its clock. */
export class PostgresRecords implements StateRecords {
  readonly #node: Pick<ClusterNode, "query">;

  constructor(node: Pick<ClusterNode, "query">) {
    this.#node = node;
  }

  async get(space: string, key: string): Promise<string | undefined> {
    const [row] = await this.#node.query(
      "SELECT value FROM ftpsd.record WHERE space = $1 AND digest = sha256($2) AND expires_at > clock_timestamp()",
      [space, orderedKey(key)],
    );
    return row && valueOf(row);
  }

  async set(space: string, key: string, value: string, { expiresAt = Infinity }: RecordOptions = {}): Promise<void> {
    await this.#node.query(INSERT, rowOf({ space, key, value, expiresAt }));
  }

  async add(
    space: string,
    key: string,
    value: string,
    { expiresAt = Infinity }: RecordOptions = {},
  ): Promise<boolean> {
    const set = await this.#node.query(
      `${INSERT} WHERE record.expires_at <= clock_timestamp() RETURNING 1`,
      rowOf({ space, key, value, expiresAt }),
    );
    return set.length > 0;
  }

  async delete(space: string, key: string): Promise<void> {
    await this.#node.query("DELETE FROM ftpsd.record WHERE space = $1 AND digest = sha256($2)", [
      space,
      orderedKey(key),
    ]);
  }

  async list(space: string, options: ListRecordsOptions = {}): Promise<readonly StateRecord[]> {
    const { prefix = "", after = "", limit = 1000 } = options;
    const rows = await this.#node.query(
      `SELECT encode(key, 'hex') AS key, value FROM ftpsd.record
        WHERE space = $1 AND substr(key, 1, ${INDEXED_BYTES}) >= substr(greatest($2::bytea, $3), 1, ${INDEXED_BYTES})
          AND key > $3 AND substr(key, 1, length($2)) = $2 AND ($4::bytea IS NULL OR substr(key, 1, ${INDEXED_BYTES}) < $4)
          AND expires_at > clock_timestamp() ORDER BY substr(record.key, 1, ${INDEXED_BYTES}), record.key LIMIT $5`,
      [space, orderedKey(prefix), orderedKey(after), behind(prefix), limit],
    );
    return rows.map((row) => ({ key: toText(row.key ?? ""), value: valueOf(row) }));
  }
}

const INSERT = `INSERT INTO ftpsd.record (space, key, value, expires_at)
  VALUES ($1, $2, $3, coalesce(clock_timestamp() + $4::float8 * interval '1 s', 'infinity'))
  ON CONFLICT (space, digest) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`;

function rowOf({ space, key, value, expiresAt }: StateRecord & { readonly space: string; readonly expiresAt: number }) {
  const seconds = expiresAt === Infinity ? null : (expiresAt - Date.now()) / 1000;
  // As JSON: PostgreSQL has no character 0 and no lone surrogates.
  return [space, orderedKey(key), JSON.stringify(value), seconds];
}

/** So much of a key is in the index that finds keys by their beginnings. */
const INDEXED_BYTES = 1024;

function valueOf({ value }: SqlRow): string {
  return JSON.parse(value ?? '""');
}

/** What no beginning of a key that begins so reaches, as far as it is in the index; null where there is none. */
function behind(prefix: string): Uint8Array | null {
  const bytes = orderedKey(prefix).slice(0, INDEXED_BYTES);
  const last = bytes.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return null;
  bytes[last] = (bytes[last] ?? 0) + 1;
  return bytes.subarray(0, last + 1);
}

function toText(hex: string): string {
  return String.fromCharCode(...hex.match(/.{4}/g)?.map((unit) => parseInt(unit, 16)) ?? []);
}
