/**
 * The database that several nodes share, as `ftpsd state` and `ftpsd quota` work on it.
 *
 * @module
 */

import type { DatabaseLocation } from "../server/configured_options.ts";
import { NODES_STATEMENT, readNode } from "../state/postgres/cluster_view.ts";
import { DatabaseConnection } from "../state/postgres/database_connection.ts";
import { assertUsable, readSchemaStatus, upgradeSchema } from "../state/postgres/schema.ts";
import { storedKey } from "../state/postgres/stored_key.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Makes the schema, brings it up to date, or tells of it and the nodes.
 *
 * @returns What to print.
 * @throws {SchemaError} When the schema is not one for that.
 * @throws {DatabaseUnavailableError} When the database is out of reach.
 * @throws {DatabaseError} When it refuses.
 */
export async function maintainSchema(
  action: "init" | "upgrade" | "status",
  { address, authorities }: DatabaseLocation,
): Promise<string> {
  using connection = await connect({ address, authorities });
  const status = await readSchemaStatus(connection);
  if (action === "status") {
    assertUsable(status);
    const nodes = (await connection.query(NODES_STATEMENT, [], CONNECT_TIMEOUT_MS)).map(readNode);
    const lines = nodes.map(({ name, sessions, leaseSeconds }) =>
      `node ${name}: ${sessions} sessions, lease ${leaseSeconds} s`
    );
    return [`schema ${status.version}, ${nodes.length} nodes`, ...lines].join("\n");
  }
  if (action === "init" && status.version > 0) return `the schema is there: version ${status.version}`;
  if (action === "upgrade" && status.version === 0) assertUsable(status);
  const { before, now } = await upgradeSchema(connection);
  if (before === now) return `the schema is up to date: version ${now}`;
  return before === 0 ? `made the schema: version ${now}` : `brought the schema from version ${before} to ${now}`;
}

/**
 * Lets quotas be counted anew by the nodes.
 *
 * @throws As {@linkcode maintainSchema}.
 */
export async function requestCounts(names: readonly string[], database: DatabaseLocation): Promise<void> {
  using connection = await connect(database);
  assertUsable(await readSchemaStatus(connection));
  await connection.query("SELECT ftpsd.quota_recount($1)", [names.map(storedKey)], CONNECT_TIMEOUT_MS);
}

async function connect({ address, authorities }: DatabaseLocation): Promise<DatabaseConnection> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), CONNECT_TIMEOUT_MS);
  try {
    return await DatabaseConnection.open(address, { authorities, signal: deadline.signal });
  } finally {
    clearTimeout(timer);
  }
}
