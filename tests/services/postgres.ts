/**
 * A real PostgreSQL for the tests, on 127.0.0.1 with a certificate of a private CA. Debian and Ubuntu:
 * `apt-get install --no-install-recommends postgresql`. It does not run as root: there it runs as the user `postgres`.
 *
 * @module
 */

import { requireProgram } from "../helpers/run_program.ts";
import { freePort } from "./free_port.ts";

/** Where Debian puts what is not for everybody. */
const FOLDERS = ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"];
const USER = "postgres";
const KILL_MS = 10_000;
/** Name and password of the role and the database that tests use. */
export const ROLE = "ftpsd";

/** A cluster that was started. */
export class PostgresCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #bin: string;
  /** Port of 127.0.0.1. */
  readonly port: number;

  /** @param folder One that a cluster was made in. */
  constructor(folder: string, bin: string, port: number) {
    this.#folder = folder;
    this.#bin = bin;
    this.port = port;
  }

  /** File with the certificate of the CA. */
  get authorityFile(): string {
    return `${this.#folder}/ca.crt`;
  }

  /** URL of a database in it. */
  url(database: string = ROLE): string {
    return `postgres://${ROLE}:${ROLE}@localhost:${this.port}/${database}`;
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    await this.#control("-w", "-l", `${this.#folder}/log`, "start");
  }

  /** Stops it; `immediate` is as after a crash. */
  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    await this.#control("-w", "-m", mode, "stop");
  }

  /** Kills all its processes at once, as when the host loses its power. */
  async kill(): Promise<void> {
    const [pid = ""] = (await Deno.readTextFile(`${this.#folder}/data/postmaster.pid`)).split("\n");
    // Stopped first, so that it does not start anew what is killed before it. It can be started again once all are gone.
    const script = `
      kill -STOP "$1"
      all="$(pgrep -P "$1") $1"
      kill -KILL $all
      for pid in $all; do
        while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
      done`;
    await requireProgram("sh", ["-c", script, "sh", pid], { deadlineMs: KILL_MS });
  }

  /** Runs SQL as the superuser. */
  async sql(text: string, database: string = ROLE): Promise<string> {
    const args = ["-h", this.#folder, "-p", String(this.port), "-U", USER, "-d", database, "-Atqc", text];
    return await runAsUser(`${this.#bin}/psql`, "-v", "ON_ERROR_STOP=1", ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("immediate").catch(() => {}); // the test may have stopped it
  }

  async #control(...args: readonly string[]): Promise<void> {
    await runAsUser(`${this.#bin}/pg_ctl`, "-D", `${this.#folder}/data`, ...args);
  }
}

/** Where the programs are; `undefined` when they are not installed. */
export async function findPostgres(): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const info = await Deno.stat(`${folder}/initdb`).catch(() => undefined);
    if (info?.isFile) return folder;
  }
  return undefined;
}

/**
 * Makes and starts a cluster in a folder that is empty.
 *
 * @throws {Error} When a program is missing or fails, with what it said.
 */
export async function startPostgres(folder: string, options: readonly string[] = []): Promise<PostgresCluster> {
  const bin = await findPostgres();
  if (bin === undefined) throw new Error("PostgreSQL is not installed");
  if (Deno.uid() === 0) {
    await Deno.chmod(folder, 0o700);
    await requireProgram("chown", [USER, folder]);
  }
  await makeCertificates(folder);
  await runAsUser(`${bin}/initdb`, "-D", `${folder}/data`, "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8");
  const port = freePort();
  const lines = [
    "listen_addresses = '127.0.0.1'",
    `port = ${port}`,
    `unix_socket_directories = '${folder}'`,
    "ssl = on",
    `ssl_cert_file = '${folder}/server.crt'`,
    `ssl_key_file = '${folder}/server.key'`,
    "max_connections = 200",
    "fsync = off",
    ...options,
  ];
  await Deno.writeTextFile(`${folder}/data/postgresql.conf`, lines.join("\n") + "\n", { append: true });
  const access = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
  await Deno.writeTextFile(`${folder}/data/pg_hba.conf`, access);
  const cluster = new PostgresCluster(folder, bin, port);
  await cluster.start();
  await cluster.sql(`CREATE ROLE ${ROLE} LOGIN CREATEDB PASSWORD '${ROLE}'`, "postgres");
  await cluster.sql(`CREATE DATABASE ${ROLE} OWNER ${ROLE}`, "postgres");
  return cluster;
}

/** Stops what was started in a folder, if anything was. */
export async function stopPostgres(folder: string): Promise<void> {
  const bin = await findPostgres();
  const pid = await Deno.stat(`${folder}/data/postmaster.pid`).catch(() => undefined);
  if (bin !== undefined && pid !== undefined) await new PostgresCluster(folder, bin, 0).stop("immediate");
}

async function makeCertificates(folder: string): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
  const openssl = (...args: readonly string[]) => requireProgram("openssl", args);
  const [ca, server] = [`${folder}/ca`, `${folder}/server`];
  await openssl("req", "-x509", ...key, "-subj", "/CN=ftpsd tests", "-keyout", `${ca}.key`, "-out", `${ca}.crt`);
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  await openssl(
    "req",
    ...key,
    "-subj",
    "/CN=localhost",
    "-addext",
    names,
    "-keyout",
    `${server}.key`,
    "-out",
    `${server}.csr`,
  );
  const sign = [
    "-CA",
    `${ca}.crt`,
    "-CAkey",
    `${ca}.key`,
    "-CAcreateserial",
    "-copy_extensions",
    "copy",
    "-days",
    "30",
  ];
  await openssl("x509", "-req", "-in", `${server}.csr`, ...sign, "-out", `${server}.crt`);
  await Deno.chmod(`${server}.key`, 0o600);
  if (Deno.uid() === 0) await requireProgram("chown", [USER, `${server}.key`, `${server}.crt`]);
}

async function runAsUser(program: string, ...args: readonly string[]): Promise<string> {
  if (Deno.uid() !== 0) return await requireProgram(program, args);
  const as = ["--reuid", USER, "--regid", USER, "--clear-groups", program];
  return await requireProgram("setpriv", [...as, ...args]);
}
