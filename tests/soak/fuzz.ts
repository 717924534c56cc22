/**
 * Sends mutated command lines and TLS records to a server, and looks what has become of it.
 *
 * Run as a program: `deno task fuzz [LINES [SEED]]`, default 1,000,000 lines and seed 1. Exit status 0 when the server has
 * stood it.
 *
 * @module
 */

import { delay } from "../../lib/deadline.ts";
import { MeasuredServer } from "../helpers/measured_server.ts";
import { runProgram } from "../helpers/run_program.ts";
import { fuzzLines, type LineCounts } from "./line_fuzzer.ts";
import { print } from "./figures.ts";
import { assertHoldsNoMore, type Holdings, MAX_GROWTH_BYTES, printHoldings } from "./holdings.ts";
import { Random } from "./random.ts";
import { fuzzTls, recordHello } from "./tls_fuzzer.ts";

/** Sessions of lines at once, and beside them cases of TLS. */
const SESSIONS = 16;
const TLS_CASES = 4;
/** So many lines go before the memory is measured first: what is made once is made by then. */
const WARM_UP_PART = 1 / 3;
/** How often the home is emptied, which the lines fill. */
const CLEANING_MS = 2_000;

/** Waits are short: many lines lead into one. Nothing is banned, and no limit of logins ends a session. */
const CONFIGURATION = [
  "tls: { policy: optional }",
  "timeouts: { passive: 0.05, data: 1, handshake: 2, failedLogin: 0 }",
  "limits: { connections: 0, loginAttempts: 0 }",
  "ban: { failures: 0 }",
].join("\n");

/** How much is sent. */
export interface FuzzOptions {
  readonly lines: number;
  readonly seed: number;
  /** After this time nothing more is sent. */
  readonly longestMs?: number;
}

/** What was sent and what has become of the server. */
export interface FuzzReport extends LineCounts, Holdings {
  readonly tlsCases: number;
}

/**
 * Sends it all.
 *
 * @throws {Error} When the server ends, does not answer, answers what is no reply, or does not come to rest.
 */
export async function fuzz({ lines, seed, longestMs = Infinity }: FuzzOptions): Promise<FuzzReport> {
  await using server = await MeasuredServer.start({ configuration: CONFIGURATION, isSteady: true });
  const counts: LineCounts = { lines: 0, sessions: 0, replies: 0, dataConnections: 0 };
  const fuzzer = new Fuzzer(server, seed, counts);
  const sendPart = (part: number) => {
    const end = counts.lines + lines * part;
    const deadline = performance.now() + longestMs * part;
    return fuzzer.run(() => counts.lines < end && performance.now() < deadline);
  };
  const warmUpCases = await sendPart(WARM_UP_PART);
  const before = await server.rested();
  const cases = await sendPart(1 - WARM_UP_PART);
  const after = await server.rested(before.memoryBytes + MAX_GROWTH_BYTES);
  await using client = await server.login();
  await client.store("/still-here", new Uint8Array(9));
  return { ...counts, tlsCases: warmUpCases + cases, before, after, internalErrors: server.internalErrors };
}

class Fuzzer {
  readonly #server: MeasuredServer;
  readonly #counts: LineCounts;
  readonly #randoms: readonly Random[];

  constructor(server: MeasuredServer, seed: number, counts: LineCounts) {
    this.#server = server;
    this.#counts = counts;
    const count = SESSIONS + TLS_CASES;
    this.#randoms = Array.from({ length: count }, (_, index) => new Random(seed * count + index));
  }

  /** Sends until `more()` says no; tells how many cases of TLS. */
  async run(more: () => boolean): Promise<number> {
    const stop = new AbortController();
    const goOn = () => more() && !stop.signal.aborted;
    const hellos = [await recordHello("TLSv1.2"), await recordHello("TLSv1.3")];
    const cleaning = this.#clean(stop.signal);
    try {
      const [cases] = await Promise.all([
        Promise.all(
          this.#randoms.slice(SESSIONS).map((random) => fuzzTls(this.#server, random, { hellos, more: goOn })),
        ),
        Promise.all(this.#randoms.slice(0, SESSIONS).map((random) => this.#fuzzLines(random, goOn))),
      ]);
      return cases.reduce((sum, count) => sum + count, 0);
    } finally {
      stop.abort();
      await cleaning;
    }
  }

  #fuzzLines(random: Random, more: () => boolean): Promise<void> {
    return fuzzLines(this.#server, random, { counts: this.#counts, more });
  }

  async #clean(signal: AbortSignal): Promise<void> {
    const { home } = this.#server;
    while (!signal.aborted) {
      await emptyFolder(home);
      // Where a command was quicker, something else stands in the place.
      await Deno.mkdir(`${home}/dir`, { recursive: true }).catch(() => {});
      for (const name of ["file", "dir/file"]) await Deno.writeTextFile(`${home}/${name}`, name).catch(() => {});
      await delay(CLEANING_MS, signal).catch(() => {}); // enough
    }
    await emptyFolder(home);
  }
}

/** Empties a folder whose modes commands may have changed, and in which they go on; so not all may succeed. */
async function emptyFolder(path: string): Promise<void> {
  await runProgram("chmod", ["-R", "u+rwX", path]);
  await runProgram("find", [path, "-mindepth", "1", "-delete"]);
}

if (import.meta.main) {
  const [lines = 1_000_000, seed = 1] = Deno.args.map(Number);
  const startedAt = performance.now();
  const report = await fuzz({ lines, seed });
  const seconds = (performance.now() - startedAt) / 1000;
  print(`seed ${seed}: ${report.lines} lines and ${report.replies} replies in ${report.sessions} sessions`);
  print(
    `${report.dataConnections} data connections with random bytes, ${report.tlsCases} broken handshakes and records`,
  );
  print(`${seconds.toFixed(0)} s, ${report.internalErrors.length} internal errors`);
  printHoldings(report);
  assertHoldsNoMore(report);
}
