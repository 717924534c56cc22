/**
 * Pebble, a CA for tests of ACME, with a name server for which every name is at one address: both on loopback addresses of
 * their own, so that no port has to be free elsewhere.
 *
 * @module
 */

import { delay } from "../../../lib/deadline.ts";
import { createEphemeralCertificate } from "../../../lib/transport/ephemeral_certificate.ts";
import { isInstalled } from "../client_program.ts";
import { TemporaryFolder } from "../temporary_folder.ts";

/** Whether tests with Pebble are ignored: it is not installed, and this is not CI, where they fail. */
export const IS_PEBBLE_ABSENT: boolean = Deno.env.get("CI") === undefined &&
  !(isInstalled("pebble") && isInstalled("pebble-challtestsrv"));

/** How it behaves. */
export interface PebbleOptions {
  /** Percentage of good nonces that are refused. @default {0} */
  readonly refusedNonces?: number;
  /** External accounts: keys in base64url by their ids; with them every account has to be bound to one. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
  /** How long certificates are valid, in seconds. @default {7_776_000} */
  readonly validSeconds?: number;
  /** Names that it gives no certificates for. */
  readonly refusedNames?: readonly string[];
  /** Whether it waits a moment before it looks at a challenge. @default {false} */
  readonly isSlow?: boolean;
  /** Port that it asks on; absent: one above 1023. */
  readonly httpPort?: number;
  /** Where challenges are answered; absent: an address of the same network. */
  readonly answersAt?: string;
}

const CA_PORT = 14000;
const MANAGEMENT_PORT = 15000;
const NAMES_PORT = 8053;
const NAMES_MANAGEMENT_PORT = 8055;
/** In the place of 80. */
const HTTP_PORT = 5002;
const START_TRIES = 5;
const MAX_LOG_LINES = 500;

/** It runs until the end of its scope. */
export class Pebble implements AsyncDisposable {
  /** Address of the directory. */
  readonly directory: string;
  /** Where it looks at challenges: address and port. */
  readonly http: { readonly host: string; readonly port: number };
  /** Who signs the certificate of the CA's own server, PEM. */
  readonly ca: string;
  readonly #host: string;
  readonly #opened: AsyncDisposableStack;
  readonly #log: string[];
  #programs: readonly Deno.ChildProcess[];
  readonly #start: () => Promise<readonly Deno.ChildProcess[]>;

  private constructor(
    parts: {
      readonly host: string;
      readonly answersAt: string;
      readonly httpPort: number;
      readonly ca: string;
      readonly log: string[];
      readonly programs: readonly Deno.ChildProcess[];
      readonly start: () => Promise<readonly Deno.ChildProcess[]>;
    },
    opened: AsyncDisposableStack,
  ) {
    this.directory = `https://${parts.host}:${CA_PORT}/dir`;
    this.http = { host: parts.answersAt, port: parts.httpPort };
    this.ca = parts.ca;
    this.#host = parts.host;
    this.#log = parts.log;
    this.#programs = parts.programs;
    this.#start = parts.start;
    this.#opened = opened;
  }

  /** Starts both, and waits until they answer. */
  static async start(options: PebbleOptions = {}): Promise<Pebble> {
    for (let tries = 1;; tries++) {
      try {
        return await Pebble.#startAt(randomNetwork(), options);
      } catch (error) {
        if (tries === START_TRIES) throw error;
      }
    }
  }

  static async #startAt(network: string, options: PebbleOptions): Promise<Pebble> {
    await using opened = new AsyncDisposableStack();
    const host = `${network}.1`;
    const folder = opened.use(await TemporaryFolder.create()).path;
    const { certificate, key } = await createEphemeralCertificate({ names: [host] });
    await Deno.writeTextFile(`${folder}/server.crt`, certificate);
    await Deno.writeTextFile(`${folder}/server.key`, key);
    await Deno.writeTextFile(
      `${folder}/pebble.json`,
      JSON.stringify({ pebble: configurationOf(host, folder, options) }),
    );
    const answersAt = options.answersAt ?? `${network}.10`;
    const log: string[] = [];
    const start = async () => {
      const names = run("pebble-challtestsrv", log, {}, [
        ...["-defaultIPv4", answersAt, "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""],
        ...["-dns01", `${host}:${NAMES_PORT}`, "-management", `${host}:${NAMES_MANAGEMENT_PORT}`],
      ]);
      const ca = run("pebble", log, {
        PEBBLE_WFE_NONCEREJECT: String(options.refusedNonces ?? 0),
        PEBBLE_AUTHZREUSE: "0",
        ...options.isSlow ? { PEBBLE_VA_SLEEPTIME: "2" } : { PEBBLE_VA_NOSLEEP: "1" },
      }, ["-config", `${folder}/pebble.json`, "-dnsserver", `${host}:${NAMES_PORT}`]);
      const programs = [names, ca];
      try {
        for (const port of [NAMES_MANAGEMENT_PORT, CA_PORT, MANAGEMENT_PORT]) await untilOpen(host, port, programs);
      } catch (error) {
        await endAll(programs);
        throw new Error(`Pebble has not started: ${log.slice(-5).join("; ")}`, { cause: error });
      }
      return programs;
    };
    const programs = await start();
    return new Pebble({
      host,
      answersAt,
      httpPort: options.httpPort ?? HTTP_PORT,
      ca: certificate,
      log,
      programs,
      start,
    }, opened.move());
  }

  /** Lines that it has logged. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** How many certificates it has made. */
  get issued(): number {
    return this.#log.filter((line) => /Issued certificate serial/.test(line)).length;
  }

  /** The root of the certificates that it makes, PEM. It is another one after each start. */
  async root(): Promise<string> {
    using client = Deno.createHttpClient({ caCerts: [this.ca] });
    return await (await fetch(`https://${this.#host}:${MANAGEMENT_PORT}/roots/0`, { client })).text();
  }

  /** Tells the name server. @param request Such as `set-servfail`, and what it takes. */
  async names(request: string, body: object): Promise<void> {
    const url = `http://${this.#host}:${NAMES_MANAGEMENT_PORT}/${request}`;
    const { ok, status, body: answer } = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    await answer?.cancel();
    if (!ok) throw new Error(`pebble-challtestsrv answers ${status} to ${request}`);
  }

  /** Ends the CA, as if it were away. */
  async stop(): Promise<void> {
    const programs = this.#programs;
    this.#programs = [];
    await endAll(programs);
  }

  /** Starts it again; it has forgotten everything. */
  async restart(): Promise<void> {
    this.#programs = await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#opened.disposeAsync();
  }
}

function configurationOf(host: string, folder: string, options: PebbleOptions): object {
  const { externalAccounts, validSeconds = 7_776_000, refusedNames = [] } = options;
  return {
    listenAddress: `${host}:${CA_PORT}`,
    managementListenAddress: `${host}:${MANAGEMENT_PORT}`,
    certificate: `${folder}/server.crt`,
    privateKey: `${folder}/server.key`,
    httpPort: options.httpPort ?? HTTP_PORT,
    tlsPort: 5001,
    ocspResponderURL: "",
    externalAccountBindingRequired: externalAccounts !== undefined,
    externalAccountMACKeys: externalAccounts ?? {},
    domainBlocklist: refusedNames,
    certificateValidityPeriod: validSeconds,
  };
}

function run(
  name: string,
  log: string[],
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Deno.ChildProcess {
  const process = new Deno.Command(name, { args: [...args], env: { ...env }, stdout: "piped", stderr: "piped" })
    .spawn();
  for (const stream of [process.stdout, process.stderr]) void keepLines(stream, log);
  return process;
}

async function keepLines(stream: ReadableStream<Uint8Array>, log: string[]): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    log.push(...lines);
    log.splice(0, log.length - MAX_LOG_LINES);
  }
}

async function untilOpen(host: string, port: number, programs: readonly Deno.ChildProcess[]): Promise<void> {
  const ended = Promise.race(programs.map(async ({ status }) => (await status).code));
  for (const until = performance.now() + 10_000; performance.now() < until;) {
    try {
      (await Deno.connect({ hostname: host, port })).close();
      return;
    } catch {
      const code = await Promise.race([ended, delay(20, AbortSignal.timeout(1_000))]);
      if (code !== undefined) throw new Error(`a program has ended with status ${code}`);
    }
  }
  throw new Error(`nobody listens on ${host} port ${port}`);
}

async function endAll(programs: readonly Deno.ChildProcess[]): Promise<void> {
  for (const program of programs) {
    try {
      program.kill("SIGKILL");
    } catch {
      // it has ended
    }
  }
  await Promise.all(programs.map(({ status }) => status));
}

/** A part of 127.0.0.0/8 that most likely nobody else uses. */
function randomNetwork(): string {
  const [second = 0, third = 0] = crypto.getRandomValues(new Uint8Array(2));
  return `127.${10 + second % 200}.${third}`;
}
