// deno-lint-ignore-file no-console -- what it prints is what it is for
/**
 * Measures which share of the runtime's own pace the server reaches with small files, logins and commands: beside
 * `floor.ts` with kept listeners, in turn, one client, an ECDSA certificate. Prints medians: what is done in a second, and
 * the processor time of the server for each, which is the steadier of the two. Linux only.
 *
 * deno task bench:floor
 * deno run -A bench/share.ts --seconds=2 --repeats=5 --workers=2
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { createEphemeralCertificate } from "../lib/transport/ephemeral_certificate.ts";
import { RawClient } from "../tests/helpers/raw_client.ts";
import { TemporaryFolder } from "../tests/helpers/temporary_folder.ts";

const HOST = "127.0.0.1";
const USER = { name: "user", password: "12345" };
const CONTENT = new Uint8Array(1024);
/** `floor.ts` sends as many bytes as the name says. */
const FILE = `${CONTENT.length}`;
const RISKS = ["plaintext-password", "clear-text-control", "clear-text-data", "no-close-notify"];

const options = parseArgs(Deno.args, {
  string: ["seconds", "repeats", "workers"],
  default: { seconds: "1", repeats: "5", workers: "1" },
});

/** A server in a process of its own. */
class MeasuredProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(args: readonly string[], port: number): Promise<MeasuredProcess> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...args],
      stdout: "null",
      stderr: "null", // the accepted risks
      env: { DENO_TOKIO_EVENT_INTERVAL: "1", DENO_TOKIO_GLOBAL_QUEUE_INTERVAL: "1" },
    }).spawn();
    for (let tries = 0; tries < 200; tries++) {
      try {
        (await Deno.connect({ hostname: HOST, port })).close();
        return new MeasuredProcess(process, port);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50)); // not yet
      }
    }
    process.kill();
    throw new Error(`No server on port ${port}: ${args.join(" ")}`);
  }

  /** Processor time of all its threads, in microseconds. */
  async cpuUs(): Promise<number> {
    let total = 0;
    const folder = `/proc/${this.#process.pid}/task`;
    for await (const { name } of Deno.readDir(folder)) {
      const [nanoseconds] = (await Deno.readTextFile(`${folder}/${name}/schedstat`)).split(" ");
      total += Number(nanoseconds) / 1000;
    }
    return total;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

/** Logs in; over TLS unless it is to be in clear. */
async function login(port: number, isClear: boolean): Promise<RawClient> {
  const client = await RawClient.connect({ host: HOST, port });
  await client.readReply("connecting");
  if (!isClear) await client.startTls();
  await client.login(USER.name, USER.password);
  return client;
}

type Operation = (client: RawClient, port: number, isClear: boolean) => Promise<unknown>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "downloads of 1 KiB": (client) => client.retrieve(FILE),
  "uploads of 1 KiB": (client) => client.store("upload", CONTENT),
  logins: async (_client, port, isClear) => {
    await using client = await login(port, isClear);
    await client.expect(221, "QUIT");
  },
  NOOP: (client) => client.expect(200, "NOOP"),
};

interface Pace {
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** Does one thing after the other for some seconds. */
async function measure(
  server: MeasuredProcess,
  operation: Operation,
  isClear: boolean,
  seconds: number,
): Promise<Pace> {
  await using client = await login(server.port, isClear);
  const before = await server.cpuUs();
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < seconds * 1000; count++) await operation(client, server.port, isClear);
  const elapsed = (performance.now() - start) / 1000;
  return { perSecond: count / elapsed, cpuUs: (await server.cpuUs() - before) / count };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  return listener.addr.port;
}

/** Writes what a server of a folder needs: a certificate, a file to send, the configuration. */
async function prepare(folder: string, port: number): Promise<void> {
  const { certificate, key } = await createEphemeralCertificate({ names: ["localhost", HOST] });
  await Deno.mkdir(`${folder}/home`);
  await Deno.writeFile(`${folder}/home/${FILE}`, CONTENT);
  await Deno.writeTextFile(`${folder}/cert.pem`, certificate);
  await Deno.writeTextFile(`${folder}/key.pem`, key, { mode: 0o600 });
  const configuration = {
    listen: [{ host: HOST, port }],
    tls: { policy: "optional", certificate: "cert.pem", key: "key.pem", requireCloseNotify: false },
    log: { level: "warn" },
    acceptRisks: RISKS.map((risk) => ({ risk, reason: "measurement" })),
    users: [{ ...USER, home: "home", permissions: "elradfmwMT" }],
  };
  await Deno.writeTextFile(`${folder}/ftpsd.yaml`, JSON.stringify(configuration));
}

function pathOf(module: string): string {
  return new URL(module, import.meta.url).pathname;
}

function startFloor(folder: string, port: number): Promise<MeasuredProcess> {
  const args = [`${folder}/cert.pem`, `${folder}/key.pem`, `${port}`, "kept"];
  return MeasuredProcess.start(["--allow-net", "--allow-read", pathOf("floor.ts"), ...args], port);
}

function startServer(folder: string, port: number): Promise<MeasuredProcess> {
  const permissions = ["--allow-net", "--allow-read", `--allow-write=${folder}/home`, "--allow-sys=cpus"];
  const args = ["serve", "--config", `${folder}/ftpsd.yaml`, "--workers", `${options.workers}`];
  return MeasuredProcess.start([...permissions, pathOf("../main.ts"), ...args], port);
}

/** Lets both take turns; the first round is for the compiler. */
async function compare(
  servers: readonly MeasuredProcess[],
  operation: Operation,
  isClear: boolean,
): Promise<readonly Pace[]> {
  const found = servers.map((): Pace[] => []);
  for (let round = 0; round <= Number(options.repeats); round++) {
    for (const [index, server] of servers.entries()) {
      const pace = await measure(server, operation, isClear, Number(options.seconds));
      if (round > 0) found[index]?.push(pace);
    }
  }
  return found.map((paces) => ({
    perSecond: median(paces.map(({ perSecond }) => perSecond)),
    cpuUs: median(paces.map(({ cpuUs }) => cpuUs)),
  }));
}

function row(name: string, [floor, ours]: readonly Pace[]): string {
  if (floor === undefined || ours === undefined) throw new Error("Two servers are compared");
  const share = (part: number) => `${Math.round(part * 100)} %`;
  const rates = [floor.perSecond.toFixed(0), ours.perSecond.toFixed(0), share(ours.perSecond / floor.perSecond)];
  const costs = [floor.cpuUs.toFixed(0), ours.cpuUs.toFixed(0), share(floor.cpuUs / ours.cpuUs)];
  return `| ${[name, ...rates, ...costs].join(" | ")} |`;
}

async function main(): Promise<void> {
  await using folder = await TemporaryFolder.create();
  const [floorPort, port] = [freePort(), freePort()];
  await prepare(folder.path, port);
  await using floor = await startFloor(folder.path, floorPort);
  await using server = await startServer(folder.path, port);
  console.log("| row | floor.ts /s | ftpsd /s | share | floor.ts µs | ftpsd µs | share |");
  console.log("|---|--:|--:|--:|--:|--:|--:|");
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    for (const isClear of [false, true]) {
      const paces = await compare([floor, server], operation, isClear);
      console.log(row(`${name}, ${isClear ? "clear" : "TLS"}`, paces));
    }
  }
}

await main();
