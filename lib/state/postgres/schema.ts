/**
 * The schema of a database: made, brought up to date, and checked before it is used.
 *
 * @module
 */

import type { DatabaseConnection } from "./database_connection.ts";
import { SCHEMA_VERSIONS, type SchemaVersion } from "./schema_sql.ts";

/** What a database has. */
export interface SchemaStatus {
  /** Its version; 0: none. */
  readonly version: number;
  /** The oldest version of a program that may use it. */
  readonly usableFrom: number;
  /** The version that this program makes. */
  readonly own: number;
}

/** A schema that this program cannot use. The message is a short reason for the operator. */
export class SchemaError extends Error {
  /** The name of the class. */
  override readonly name = "SchemaError";
  /** The command that mends it; absent where there is none. */
  readonly command: "init" | "upgrade" | undefined;

  /** Makes an error with a reason such as "the database has no schema of ftpsd". */
  constructor(message: string, command?: "init" | "upgrade") {
    super(message);
    this.command = command;
  }
}

const VERSION_TABLE = `
CREATE SCHEMA IF NOT EXISTS ftpsd;
CREATE TABLE IF NOT EXISTS ftpsd.schema_version (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  version int NOT NULL,
  usable_from int NOT NULL
);
`;
/** Any number, the same in every version. */
const LOCK = 0x66747073;
const STATUS_TIMEOUT_MS = 5_000;
/** A step may wait for statements that run, and write many rows. */
const STEP_TIMEOUT_MS = 10 * 60_000;

/** Reads which version a database has. */
export async function readSchemaStatus(
  connection: DatabaseConnection,
  versions: readonly SchemaVersion[] = SCHEMA_VERSIONS,
): Promise<SchemaStatus> {
  const own = versions.length;
  // Not to_regclass(): that may answer from a cache, which a lock of ours does not renew.
  const tables = await connection.query(
    `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'ftpsd' AND c.relname = 'schema_version'`,
    [],
    STATUS_TIMEOUT_MS,
  );
  if (tables.length === 0) return { version: 0, usableFrom: 0, own };
  const [row] = await connection.query("SELECT version, usable_from FROM ftpsd.schema_version", [], STATUS_TIMEOUT_MS);
  return { version: Number(row?.version ?? 0), usableFrom: Number(row?.usable_from ?? 0), own };
}

/**
 * Refuses a schema that this program cannot use.
 *
 * @throws {SchemaError}
 */
export function assertUsable({ version, usableFrom, own }: SchemaStatus): void {
  if (version === 0) throw new SchemaError("the database has no schema of ftpsd", "init");
  if (version < own) throw new SchemaError(`the schema has version ${version}, this ftpsd needs ${own}`, "upgrade");
  if (usableFrom > own) {
    throw new SchemaError(`a newer ftpsd has made the schema (${version}), which needs ${usableFrom}`);
  }
}

/**
 * Brings the schema to the version of this program, each step in a transaction of its own, while nodes of the version before may
 * run. Two of these at once wait for each other.
 *
 * @returns The version before, and now.
 * @throws {SchemaError} When a newer program has made it.
 */
export async function upgradeSchema(
  connection: DatabaseConnection,
  versions: readonly SchemaVersion[] = SCHEMA_VERSIONS,
): Promise<{ readonly before: number; readonly now: number }> {
  let before: number | undefined;
  for (;;) {
    const version = await takeStep(connection, versions);
    before ??= version;
    if (version === versions.length) return { before, now: version };
  }
}

/** Goes one version further, if there is one; returns the version that it found. */
async function takeStep(connection: DatabaseConnection, versions: readonly SchemaVersion[]): Promise<number> {
  await connection.script(`BEGIN; SELECT pg_advisory_xact_lock(${LOCK})`, STEP_TIMEOUT_MS);
  try {
    const { version, own } = await readSchemaStatus(connection, versions);
    if (version > own) throw new SchemaError(`a newer ftpsd has made the schema (${version}, this one knows ${own})`);
    const step = versions[version];
    if (step !== undefined) {
      await connection.script(
        // The look at the version has set its own time for the whole transaction.
        `SET LOCAL statement_timeout = ${STEP_TIMEOUT_MS}; ${VERSION_TABLE}${step.sql};
        INSERT INTO ftpsd.schema_version (version, usable_from) VALUES (${version + 1}, ${step.usableFrom})
          ON CONFLICT (only_one) DO UPDATE SET version = excluded.version, usable_from = excluded.usable_from`,
        STEP_TIMEOUT_MS,
      );
    }
    await connection.script("COMMIT", STEP_TIMEOUT_MS);
    return version;
  } catch (error) {
    if (!connection.ended.aborted) await connection.script("ROLLBACK", STATUS_TIMEOUT_MS);
    throw error;
  }
}
