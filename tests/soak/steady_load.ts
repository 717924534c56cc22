/**
 * Clients at a steady pace, a server, and a Prometheus that scrapes it.
 *
 * @module
 */

import { delay } from "../../lib/deadline.ts";
import { serve } from "../../lib/serve/serve.ts";
import { PASSWORD, QUICK_HASH } from "../cli/installation.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { withDeadline } from "../helpers/socket_reader.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

/** What is compared. */
export interface CompareRatesOptions {
  /** Window of the rate. */
  readonly seconds: number;
  readonly scrapeSeconds: number;
}

/** A rate as both have it, in bytes a second. */
export interface ComparedRate {
  readonly prometheus: number;
  readonly clients: number;
  /** Of Prometheus from the clients, as a part of these. */
  readonly deviation: number;
}

const CLIENTS = 4;
const FILE_BYTES = 32 * 1024;
/** Each client moves one file up and one down in this time. */
const PACE_MS = 60;
const START_MS = 20_000;

type Direction = "receive" | "send";

/** What clients had moved at a time, in milliseconds since 1970. */
interface Mark {
  readonly time: number;
  readonly bytes: number;
}

/** Runs the load for the window and some scrapes more, and compares the rates over the window. */
export async function compareRates(
  { seconds, scrapeSeconds }: CompareRatesOptions,
): Promise<Record<Direction, ComparedRate>> {
  await using folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/home`);
  const users = [{ name: "user", password: QUICK_HASH, home: `${folder.path}/home`, permissions: "elradfmwMT" }];
  await using server = await serve({
    configuration: { listen: [{ port: 0 }], workers: 1, metrics: { port: 0 }, users },
  });
  await using prometheus = await Prometheus.start(folder.path, {
    target: `127.0.0.1:${server.metrics?.port}`,
    scrapeSeconds,
  });
  const marks: Record<Direction, Mark[]> = { receive: [], send: [] };
  const ended = new AbortController();
  const port = server.addresses[0]?.port ?? 0;
  const loads = Array.from({ length: CLIENTS }, (_, index) => load(`/file${index}`, port, marks, ended.signal));
  const at = await whenScraped(prometheus, { seconds, scrapeSeconds });
  const rates = {
    receive: await compare(prometheus, "receive", marks.receive, { at, seconds }),
    send: await compare(prometheus, "send", marks.send, { at, seconds }),
  };
  ended.abort();
  await Promise.all(loads);
  return rates;
}

/** Waits until there are scrapes from one end of a window to the other; returns the end, in seconds since 1970. */
async function whenScraped(prometheus: Prometheus, { seconds, scrapeSeconds }: CompareRatesOptions): Promise<number> {
  const deadline = performance.now() + seconds * 1000 + START_MS;
  while (performance.now() < deadline) {
    await delay(scrapeSeconds * 1000, new AbortController().signal);
    const at = Date.now() / 1000;
    const times = (await prometheus.samples(seriesOf("send", seconds), at)).map(([time]) => time);
    const ends = [at - seconds, ...times, at];
    // Nor was any scrape late: then Prometheus extends what it has to the whole window.
    if (ends.every((time, index) => time - (ends[index - 1] ?? time) < 1.1 * scrapeSeconds)) return at;
  }
  throw new Error("Prometheus has not scraped in time");
}

function seriesOf(direction: Direction, seconds: number): string {
  return `ftpsd_transferred_bytes_total{direction="${direction}"}[${seconds}s]`;
}

async function load(path: string, port: number, marks: Record<Direction, Mark[]>, signal: AbortSignal): Promise<void> {
  await using client = await RawClient.connect({ host: "127.0.0.1", port });
  await client.readReply();
  await client.startTls();
  await client.login("user", PASSWORD);
  await client.expect(200, "TYPE I");
  const file = new Uint8Array(FILE_BYTES);
  for (let next = performance.now(); !signal.aborted; next += PACE_MS) {
    await client.store(path, file);
    mark(marks.receive);
    await client.retrieve(path);
    mark(marks.send);
    await delay(Math.max(next + PACE_MS - performance.now(), 0), signal).catch(() => {}); // the end
  }
}

function mark(marks: Mark[]): void {
  marks.push({ time: Date.now(), bytes: (marks.at(-1)?.bytes ?? 0) + FILE_BYTES });
}

async function compare(
  prometheus: Prometheus,
  direction: Direction,
  marks: readonly Mark[],
  { at, seconds }: { readonly at: number; readonly seconds: number },
): Promise<ComparedRate> {
  const series = seriesOf(direction, seconds);
  const rate = await prometheus.value(`rate(${series})`, at);
  // A rate is that between the first and the last scrape of its window, which is where the clients are looked at, too.
  const samples = await prometheus.samples(series, at);
  const [from, to] = [samples[0]?.[0] ?? 0, samples.at(-1)?.[0] ?? 0];
  const clients = (movedAt(marks, to * 1000) - movedAt(marks, from * 1000)) / (to - from);
  return { prometheus: rate, clients, deviation: rate / clients - 1 };
}

function movedAt(marks: readonly Mark[], time: number): number {
  return marks.findLast((mark) => mark.time <= time)?.bytes ?? 0;
}

type Sample = readonly [time: number, value: string];

/** A Prometheus of its own, which ends with its scope. */
class Prometheus implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #url: string;

  private constructor(process: Deno.ChildProcess, reading: Promise<void>, url: string) {
    this.#process = process;
    this.#reading = reading;
    this.#url = url;
  }

  static async start(
    folder: string,
    { target, scrapeSeconds }: { readonly target: string; readonly scrapeSeconds: number },
  ): Promise<Prometheus> {
    const scrape = { job_name: "ftpsd", scrape_interval: `${scrapeSeconds}s`, static_configs: [{ targets: [target] }] };
    await Deno.writeTextFile(`${folder}/prometheus.yml`, JSON.stringify({ scrape_configs: [scrape] }));
    const process = new Deno.Command("prometheus", {
      args: [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        "--web.listen-address=127.0.0.1:0",
      ],
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { promise, resolve } = Promise.withResolvers<string>();
    const reading = readLines(process.stderr, (line) => {
      const [, address] = /Listening on.*address=(127\.0\.0\.1:\d+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    try {
      const address = await withDeadline(promise, "Prometheus to listen", START_MS);
      return new Prometheus(process, reading, `http://${address}`);
    } catch (error) {
      process.kill("SIGKILL");
      await Promise.all([process.status, reading]);
      throw error;
    }
  }

  /** The value of a query at a time, in seconds since 1970. */
  async value(query: string, time: number): Promise<number> {
    return Number((await this.#query(query, time))?.value?.[1]);
  }

  /** The samples of a query, each with its time. */
  async samples(query: string, time: number): Promise<readonly Sample[]> {
    return (await this.#query(query, time))?.values ?? [];
  }

  async #query(query: string, time: number): Promise<{ value?: Sample; values?: readonly Sample[] } | undefined> {
    const answer = await fetch(`${this.#url}/api/v1/query?${new URLSearchParams({ query, time: String(time) })}`);
    return (await answer.json()).data.result[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await Promise.all([this.#process.status, this.#reading]);
  }
}

async function readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
}
