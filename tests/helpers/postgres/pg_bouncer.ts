/**
 * A pooler in front of a test's database: PgBouncer, in transaction mode.
 *
 * @module
 */

import type { DatabaseAddress } from "../../../lib/state/postgres/database_address.ts";
import { freePort } from "../../services/free_port.ts";
import { requireProgram } from "../run_program.ts";
import { TemporaryFolder } from "../temporary_folder.ts";
import type { TestDatabase } from "./test_database.ts";

const PROGRAM = "/usr/sbin/pgbouncer";
const USER = "postgres";
const READY_WITHIN_MS = 10_000;

/** Whether tests that need it are ignored: it is not there, and this is not CI, where they fail. */
export const IS_POOLER_ABSENT: boolean = Deno.env.get("CI") === undefined &&
  await Deno.stat(PROGRAM).then(({ isFile }) => !isFile, () => true);

/** A pooler that runs. */
export class PgBouncer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: TemporaryFolder;
  /** Where it is, in clear. */
  readonly address: DatabaseAddress;

  private constructor(child: Deno.ChildProcess, folder: TemporaryFolder, address: DatabaseAddress) {
    this.#child = child;
    this.#folder = folder;
    this.address = address;
  }

  /** Starts one, and waits until it listens. */
  static async start({ address }: TestDatabase): Promise<PgBouncer> {
    const folder = await TemporaryFolder.create();
    const port = freePort();
    const { host, user, password, database } = address;
    await Deno.writeTextFile(`${folder.path}/users`, `"${user}" "${password}"\n`);
    await Deno.writeTextFile(
      `${folder.path}/pgbouncer.ini`,
      `[databases]
${database} = host=${host} port=${address.port} dbname=${database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${folder.path}/users
pool_mode = transaction
default_pool_size = 4
server_tls_sslmode = require
`,
    );
    const isRoot = Deno.uid() === 0; // it does not run as root
    if (isRoot) await requireProgram("chown", ["-R", USER, folder.path]);
    const [program, ...args] = isRoot
      ? ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", PROGRAM, "-q", `${folder.path}/pgbouncer.ini`]
      : [PROGRAM, "-q", `${folder.path}/pgbouncer.ini`];
    const child = new Deno.Command(program ?? "", { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    const end = performance.now() + READY_WITHIN_MS;
    for (;;) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        break;
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    return new PgBouncer(child, folder, { ...address, host: "127.0.0.1", port, isEncrypted: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#folder[Symbol.asyncDispose]();
  }
}
