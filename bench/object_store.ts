// deno-lint-ignore-file no-console -- what it prints is what it is for
/**
 * Measures homes in an object store through FTPS: one large file up and down, many uploads at once, listings; the memory and
 * the processor seconds of the server, and the same upload made directly by the SDK of AWS. Linux with curl.
 *
 * The store is a stand-in in a process of its own that discards what it gets, or the one that `--store` names.
 *
 * ```sh
 * deno run -A bench/object_store.ts                                         # 10 GiB, 20 times 1 GiB; a stand-in
 * deno run -A bench/object_store.ts --store=http://127.0.0.1:7480 --gib=2 --at-once=20 --gib-at-once=0.25 --objects=10000
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { QUICK_HASH } from "../tests/cli/installation.ts";
import { sendSigned } from "../tests/helpers/object_store/signed_request.ts";
import { TEST_CREDENTIALS } from "../tests/helpers/object_store/s3_signature.ts";
import { freePort } from "../tests/services/free_port.ts";
import { RawClient } from "../tests/helpers/raw_client.ts";
import { TemporaryFolder } from "../tests/helpers/temporary_folder.ts";

const GIB = 2 ** 30;
const PART_BYTES = 8 * 2 ** 20;
const USER = { name: "alice", password: "12345" };

const parsed = parseArgs(Deno.args, { string: ["store", "gib", "at-once", "gib-at-once", "objects"] });
const options = {
  store: typeof parsed.store === "string" ? parsed.store : undefined,
  gib: Number(parsed.gib ?? 10),
  atOnce: Number(parsed["at-once"] ?? 20),
  gibAtOnce: Number(parsed["gib-at-once"] ?? 1),
  objects: String(parsed.objects ?? "10000,100000").split(",").map(Number).filter((it) => it > 0),
};

/** A program of ours that runs until it is disposed of. */
class Program implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  #output: ReadableStreamDefaultReader<string> | undefined;

  constructor(args: readonly string[], stdout: "null" | "piped") {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...args],
      stdout,
      stderr: Deno.env.has("BENCH_DEBUG") ? "inherit" : "null", // the accepted risks
      env: { DENO_TOKIO_EVENT_INTERVAL: "1", DENO_TOKIO_GLOBAL_QUEUE_INTERVAL: "1" },
    }).spawn();
  }

  /** What it prints first. */
  async firstLine(): Promise<string> {
    this.#output = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value = "" } = await this.#output.read();
    return value.trim();
  }

  /** Processor seconds of all its threads since its start. */
  async cpuSeconds(): Promise<number> {
    const fields = (await Deno.readTextFile(`/proc/${this.#process.pid}/stat`)).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Most memory since it was last asked, in MiB. */
  async peakMib(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.#process.pid}/status`);
    await Deno.writeTextFile(`/proc/${this.#process.pid}/clear_refs`, "5");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
    await this.#output?.cancel();
    await this.#process.status;
  }
}

/** Runs something, and prints what it has cost the server. */
async function measure(what: string, server: Program, bytes: number, run: () => Promise<void>): Promise<void> {
  await server.peakMib();
  const before = await server.cpuSeconds();
  const start = performance.now();
  await run();
  const seconds = (performance.now() - start) / 1000;
  const cpu = await server.cpuSeconds() - before;
  const pace = bytes === 0
    ? ""
    : `, ${(bytes / seconds / 1e6).toFixed(1)} MB/s, ${(cpu / bytes * GIB).toFixed(2)} CPU s/GiB`;
  const peak = await server.peakMib();
  console.log(`${what}: ${seconds.toFixed(2)} s${pace}, ${cpu.toFixed(2)} CPU s, peak ${peak.toFixed(0)} MiB`);
}

async function curl(port: number, ...args: readonly string[]): Promise<void> {
  const always = ["-sS", "-k", "--ssl-reqd", "-u", `${USER.name}:${USER.password}`];
  const { code, stderr } = await new Deno.Command("curl", {
    args: [...always, ...args.map((it) => it.replace("PORT", `${port}`))],
  })
    .output();
  if (code !== 0) throw new Error(`curl ended with status ${code}: ${new TextDecoder().decode(stderr)}`);
}

async function configure(folder: string, port: number, endpoint: string): Promise<string> {
  const files = { id: TEST_CREDENTIALS.accessKey, secret: TEST_CREDENTIALS.secretKey };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
  }
  const file = `${folder}/ftpsd.yaml`;
  const store =
    `{ type: s3, endpoint: "${endpoint}", bucket: files, accessKeyFile: id, secretKeyFile: secret, partSize: 8MiB }`;
  await Deno.writeTextFile(
    file,
    `listen: [{ port: ${port} }]\nstores: { s: ${store} }\n` +
      `acceptRisks: [{ risk: clear-text-store, reason: it is measured }, { risk: excess-permissions, reason: the same }]\n` +
      `users: [{ name: ${USER.name}, password: '${QUICK_HASH}', home: { store: s, path: / }, permissions: elradfmwMT }]\n`,
  );
  return file;
}

/** Waits until somebody can log in. */
async function waitFor(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    try {
      return await (await login(port))[Symbol.asyncDispose]();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50)); // not yet
    }
  }
  throw new Error(`No server on port ${port}`);
}

async function login(port: number): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port, deadlineMs: 600_000 });
  await client.readReply("connecting");
  await client.startTls();
  await client.login(USER.name, USER.password);
  return client;
}

/** Lists a folder; prints when its first bytes came, too. */
async function list(port: number, folder: string): Promise<void> {
  await using client = await login(port);
  await using data = await client.passive();
  const start = performance.now();
  await client.expect(150, `MLSD ${folder}`);
  await data.secure();
  const first = Promise.withResolvers<number>();
  data.tls?.once("data", () => first.resolve(performance.now() - start));
  const text = new TextDecoder().decode(await data.readAll());
  await client.readReply("MLSD");
  console.log(`  first line after ${(await first.promise).toFixed(0)} ms, ${text.split("\r\n").length - 1} lines`);
}

async function transfers(server: Program, port: number, folder: string, endpoint: string): Promise<void> {
  const bytes = options.gib * GIB;
  const file = `${folder}/large`;
  await Deno.writeFile(file, new Uint8Array(0));
  await Deno.truncate(file, bytes);
  const sdk = async () => {
    const args = ["--no-lock", "bench/aws_upload.mjs", endpoint, "direct", file, String(PART_BYTES)];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--quiet", ...args] })
      .output();
    const text = new TextDecoder().decode(stdout);
    if (text === "") throw new Error(new TextDecoder().decode(stderr));
    const { seconds, cpuSeconds } = JSON.parse(text);
    console.log(
      `  ${(bytes / seconds / 1e6).toFixed(1)} MB/s, ${(cpuSeconds / bytes * GIB).toFixed(2)} CPU s/GiB of the client`,
    );
  };
  await measure(`${options.gib} GiB directly by the SDK of AWS`, server, 0, sdk);
  await measure(`${options.gib} GiB up`, server, bytes, () => curl(port, "-T", file, "ftp://127.0.0.1:PORT/large"));
  await measure(
    `${options.gib} GiB down`,
    server,
    bytes,
    () => curl(port, "-o", "/dev/null", "ftp://127.0.0.1:PORT/large"),
  );
  const [count, each] = [options.atOnce, options.gibAtOnce * GIB];
  await Deno.truncate(file, each);
  await measure(`${count} uploads of ${options.gibAtOnce} GiB at once`, server, count * each, async () => {
    const uploads = Array.from(
      { length: count },
      (_, index) => curl(port, "-T", file, `ftp://127.0.0.1:PORT/at-once-${index}`),
    );
    await Promise.all(uploads);
  });
}

async function listings(count: number, endpoint: string | undefined): Promise<void> {
  await using folder = await TemporaryFolder.create();
  await using store = endpoint === undefined
    ? new Program(["--allow-net=127.0.0.1", "tests/helpers/object_store/s3_program.ts", `--objects=${count}`], "piped")
    : undefined;
  const url = endpoint ?? await store?.firstLine() ?? "";
  if (endpoint !== undefined) await fill(url, count);
  const port = freePort();
  await using server = new Program(
    ["--allow-all", "main.ts", "--config", await configure(folder.path, port, url)],
    "null",
  );
  await waitFor(port);
  await list(port, "/none").catch(() => {}); // What is loaded with the first request is not measured.
  await measure(`${count} objects listed`, server, 0, () => list(port, "/many"));
}

async function fill(endpoint: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 32) {
    await Promise.all(Array.from({ length: Math.min(32, count - from) }, async (_, index) => {
      const path = `/files/many/file-${String(from + index).padStart(7, "0")}.dat`;
      await (await sendSigned(endpoint, { method: "PUT", path, body: "1" })).body?.cancel();
    }));
  }
}

if (import.meta.main) {
  if (options.gib > 0) {
    await using folder = await TemporaryFolder.create();
    await using store = options.store === undefined
      ? new Program(["--allow-net=127.0.0.1", "tests/helpers/object_store/s3_program.ts", "--discard-bodies"], "piped")
      : undefined;
    const endpoint = options.store ?? await store?.firstLine() ?? "";
    const port = freePort();
    const file = await configure(folder.path, port, endpoint);
    await using server = new Program(["--allow-all", "main.ts", "--config", file], "null");
    await waitFor(port);
    await transfers(server, port, folder.path, endpoint);
  }
  for (const count of options.objects) await listings(count, options.store);
}
