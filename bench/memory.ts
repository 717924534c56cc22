// deno-lint-ignore-file no-console -- what it prints is what it is for
/**
 * Measures how much memory the server takes at its busiest: many large transfers at once, and a large listing. Linux only;
 * needs curl.
 *
 * deno run -A bench/memory.ts                              # 50 transfers of 1 GiB each way, then 50,000 entries
 * deno run -A bench/memory.ts --transfers=8 --mebibytes=64 --entries=1000 --workers=2
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";

const USER = "bench";
const PASSWORD = "12345";
const MIB = 2 ** 20;

const options = parseArgs(Deno.args, {
  string: ["transfers", "mebibytes", "entries", "workers"],
  default: { transfers: "50", mebibytes: "1024", entries: "50000", workers: "1" },
});
const [transfers, mebibytes, entries, workers] = [
  options.transfers,
  options.mebibytes,
  options.entries,
  options.workers,
].map(Number) as [number, number, number, number];

/** A server of a folder in a process of its own. */
class MeasuredServer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(folder: string): Promise<MeasuredServer> {
    const main = new URL("../main.ts", import.meta.url).pathname;
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-net=127.0.0.1", "--allow-read", `--allow-write=${folder}`, "--allow-sys=cpus", main],
        ...["--port", "0", "--write", "--username", USER, "--password", PASSWORD, "--workers", `${workers}`],
        ...["--log-format", "json", folder],
      ],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    for await (const line of process.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(lines())) {
      const event = line.startsWith("{") ? JSON.parse(line) : {};
      if (event.event === "listening") return new MeasuredServer(process, event.port);
    }
    throw new Error("The server has not started");
  }

  /** Resident memory now and at its most since the last call, in MiB. */
  async memory(): Promise<{ readonly now: number; readonly peak: number }> {
    const status = await Deno.readTextFile(`/proc/${this.#process.pid}/status`);
    const kibibytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1]);
    const memory = { now: kibibytes("VmRSS") / 1024, peak: kibibytes("VmHWM") / 1024 };
    await Deno.writeTextFile(`/proc/${this.#process.pid}/clear_refs`, "5"); // the peak begins anew
    return memory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}

/** Cuts a text into lines; it goes on reading when nobody needs more, so that the server can write its log. */
function lines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(text, controller) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) controller.enqueue(part);
    },
  });
}

async function curl(...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("curl", {
    args: ["--silent", "--show-error", "--insecure", "--ssl-reqd", "--user", `${USER}:${PASSWORD}`, ...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function measure(name: string, server: MeasuredServer, work: () => Promise<unknown>): Promise<void> {
  const before = await server.memory();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const { peak, now } = await server.memory();
  const cells = [name, before.now.toFixed(0), peak.toFixed(0), now.toFixed(0), seconds.toFixed(0)];
  console.log(`| ${cells.join(" | ")} |`);
}

const folder = await Deno.makeTempDir({ prefix: "ftpsd-bench-" });
try {
  await Deno.mkdir(`${folder}/many`);
  using large = await Deno.create(`${folder}/large`);
  await large.truncate(mebibytes * MIB);
  for (let index = 0; index < entries; index++) {
    await Deno.create(`${folder}/many/file-${index}`).then((it) => it.close());
  }
  console.log("| what | MiB before | MiB at most | MiB after | s |\n| --- | --: | --: | --: | --: |");
  for (const version of ["1.3", "1.2"]) {
    await using server = await MeasuredServer.start(folder);
    const url = `ftp://127.0.0.1:${server.port}`;
    const kind = `TLS ${version}`;
    const tls = ["--tls-max", version];
    const all = (work: (index: number) => Promise<void>) =>
      Promise.all(Array.from({ length: transfers }, (_, i) => work(i)));
    await curl(...tls, `${url}/`);
    await measure(
      `${transfers} downloads of ${mebibytes} MiB, ${kind}`,
      server,
      () => all(() => curl(...tls, `${url}/large`)),
    );
    await measure(
      `${transfers} uploads of ${mebibytes} MiB, ${kind}`,
      server,
      () => all((index) => curl(...tls, "--upload-file", `${folder}/large`, `${url}/upload-${index}`)),
    );
    for (let index = 0; index < transfers; index++) await Deno.remove(`${folder}/upload-${index}`);
    for (const request of ["LIST", "MLSD"]) {
      await measure(
        `${request} of ${entries} entries, ${kind}`,
        server,
        () => curl(...tls, "--request", request, `${url}/many/`),
      );
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
