/**
 * A database of PostgreSQL for a test.
 *
 * @module
 */

import { type DatabaseAddress, parseDatabaseAddress } from "../../../lib/state/postgres/database_address.ts";
import { DatabaseConnection } from "../../../lib/state/postgres/database_connection.ts";
import { PostgresEngine, type PostgresEngineOptions } from "../../../lib/state/postgres/postgres_engine.ts";
import { upgradeSchema } from "../../../lib/state/postgres/schema.ts";
import { resolveSettings } from "../../../lib/settings/validate.ts";
import { findPostgres, type PostgresCluster, startPostgres } from "../../services/postgres.ts";
import { TemporaryFolder } from "../temporary_folder.ts";

const WAIT_MS = 10_000;

/** URL of the service that `services:start` has started, and the file of its CA; `undefined` when it was not. */
const URL_OF_SERVICE = Deno.env.get("FTPSD_TEST_POSTGRES");
const CA_OF_SERVICE = Deno.env.get("FTPSD_TEST_POSTGRES_CA");

/** Whether tests that need PostgreSQL are ignored: it is not there, and this is not CI, where they fail. */
export const IS_POSTGRES_ABSENT: boolean = URL_OF_SERVICE === undefined && Deno.env.get("CI") === undefined &&
  await findPostgres() === undefined;

/** Limits that limit nothing. */
export const NO_LIMITS = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };

/** A cluster of its own, for a test that breaks it. */
export class TestCluster implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly cluster: PostgresCluster;

  private constructor(folder: TemporaryFolder, cluster: PostgresCluster) {
    this.#folder = folder;
    this.cluster = cluster;
  }

  /** Starts one. */
  static async start(): Promise<TestCluster> {
    const folder = await TemporaryFolder.create();
    return new TestCluster(folder, await startPostgres(folder.path));
  }

  /** A database of it, with the schema. */
  async open(): Promise<TestDatabase> {
    return await TestDatabase.at(this.cluster.url(), await Deno.readTextFile(this.cluster.authorityFile));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** An empty database, and nodes in it. They are closed, and it is removed, at the end of its scope. */
export class TestDatabase implements AsyncDisposable {
  readonly address: DatabaseAddress;
  readonly authorities: readonly string[];
  readonly #opened = new AsyncDisposableStack();

  private constructor(address: DatabaseAddress, authorities: readonly string[]) {
    this.address = address;
    this.authorities = authorities;
  }

  /** Makes one in the service that runs, or in a cluster of its own. */
  static async open(options: { readonly hasSchema?: boolean } = {}): Promise<TestDatabase> {
    if (URL_OF_SERVICE !== undefined) {
      return await TestDatabase.at(URL_OF_SERVICE, await Deno.readTextFile(CA_OF_SERVICE ?? ""), options);
    }
    await using opened = new AsyncDisposableStack();
    const cluster = opened.use(await TestCluster.start());
    const database = await TestDatabase.at(
      cluster.cluster.url(),
      await Deno.readTextFile(cluster.cluster.authorityFile),
      options,
    );
    database.#opened.use(opened.move());
    return database;
  }

  /** Makes one beside the database that a URL names. */
  static async at(url: string, authority: string, { hasSchema = true } = {}): Promise<TestDatabase> {
    const root = parseDatabaseAddress(url);
    const authorities = [authority];
    const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
    const admin = async (text: string) => {
      using connection = await DatabaseConnection.open(root, { authorities, signal: AbortSignal.timeout(WAIT_MS) });
      await connection.script(text, WAIT_MS);
    };
    await admin(`CREATE DATABASE ${name}`);
    const database = new TestDatabase({ ...root, database: name }, authorities);
    database.#opened.defer(() => admin(`DROP DATABASE ${name} WITH (FORCE)`).catch(() => {})); // the cluster may be gone
    if (hasSchema) {
      using connection = await database.connect();
      await upgradeSchema(connection);
    }
    return database;
  }

  /** The same database, for nodes that leave at the end of another scope; it stays. */
  scope(): TestDatabase {
    return new TestDatabase(this.address, this.authorities);
  }

  /** Opens a connection, which the caller closes. */
  async connect(): Promise<DatabaseConnection> {
    const { authorities } = this;
    return await DatabaseConnection.open(this.address, { authorities, signal: AbortSignal.timeout(WAIT_MS) });
  }

  /** Runs a statement. */
  async query(
    ...[text, values = []]: [text: string, values?: Parameters<DatabaseConnection["query"]>[1]]
  ): Promise<Record<string, string | null>[]> {
    using connection = await this.connect();
    return [...await connection.query(text, values, WAIT_MS)];
  }

  /** Lets a node join, which leaves at the end of the scope, or before. */
  async join(
    options: Partial<PostgresEngineOptions> = {},
    address: DatabaseAddress = this.address,
  ): Promise<PostgresEngine> {
    const { authorities } = this;
    const { ban } = resolveSettings({});
    const engine = await PostgresEngine.open(address, {
      name: "test",
      limits: NO_LIMITS,
      ban,
      authorities,
      ...options,
    });
    this.#opened.use(engine);
    return engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
