/**
 * Lets clients come and go for a time, reloads now and then, and looks whether the server holds more at the end than at
 * the beginning.
 *
 * Run as a program: `deno task soak [SECONDS [SEED]]`, default half an hour and seed 1. Exit status 0 when it holds no more.
 *
 * @module
 */

import { delay } from "../../lib/deadline.ts";
import { MeasuredServer } from "../helpers/measured_server.ts";
import { print } from "./figures.ts";
import { assertHoldsNoMore, type Holdings, MAX_GROWTH_BYTES, printHoldings } from "./holdings.ts";
import { Random } from "./random.ts";
import { LARGE_BYTES, MANY, visit } from "./visits.ts";

/** How many clients there are at once. */
const CLIENTS = 12;
const RELOAD_EVERY_MS = 5_000;
/** So much of the time goes by before the first measurement: what is made once is made by then. */
const WARM_UP_PART = 1 / 3;

const CONFIGURATION = [
  "tls: { policy: optional }",
  "timeouts: { passive: 10, data: 5, failedLogin: 0.1 }",
  "limits: { connections: 0 }",
  "ban: { failures: 0 }",
].join("\n");

/** How long, and which random choices. */
export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
}

/** What clients did and what the server held. */
export interface SoakReport extends Holdings {
  /** How often clients did each thing. */
  readonly visits: Readonly<Record<string, number>>;
  readonly reloads: number;
}

/**
 * Soaks a server.
 *
 * @throws {Error} When the server ends, or a client is not served as it should be.
 */
export async function soak({ seconds, seed }: SoakOptions): Promise<SoakReport> {
  await using server = await MeasuredServer.start({ configuration: CONFIGURATION, isSteady: true });
  await furnish(server.home);
  const clients = new Clients(server, seed);
  await clients.come(seconds * WARM_UP_PART * 1000);
  const before = await server.rested();
  await clients.come(seconds * (1 - WARM_UP_PART) * 1000);
  const after = await server.rested(before.memoryBytes + MAX_GROWTH_BYTES);
  return { visits: clients.visits, reloads: clients.reloads, before, after, internalErrors: server.internalErrors };
}

async function furnish(home: string): Promise<void> {
  await Deno.mkdir(`${home}/many`);
  for (let index = 0; index < MANY; index++) await Deno.writeTextFile(`${home}/many/file ${index}`, "");
  await Deno.writeTextFile(`${home}/large`, "");
  await Deno.truncate(`${home}/large`, LARGE_BYTES);
}

class Clients {
  readonly visits: Record<string, number> = {};
  reloads = 0;
  readonly #server: MeasuredServer;
  readonly #randoms: readonly Random[];

  constructor(server: MeasuredServer, seed: number) {
    this.#server = server;
    this.#randoms = Array.from({ length: CLIENTS }, (_, index) => new Random(seed * CLIENTS + index));
  }

  /** Lets them come and go for a time; resolves when all have gone. */
  async come(ms: number): Promise<void> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ms);
    try {
      await Promise.all([
        this.#reload(stop.signal),
        ...this.#randoms.map((random) => this.#visit(random, stop.signal)),
      ]);
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }

  async #visit(random: Random, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const what = await visit(this.#server, random);
      this.visits[what] = (this.visits[what] ?? 0) + 1;
    }
  }

  async #reload(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#server.reload();
      this.reloads++;
      await delay(RELOAD_EVERY_MS, signal).catch(() => {}); // enough
    }
  }
}

if (import.meta.main) {
  const [seconds = 1800, seed = 1] = Deno.args.map(Number);
  const report = await soak({ seconds, seed });
  print(`seed ${seed}, ${seconds} s, ${CLIENTS} clients at once, ${report.reloads} reloads; what was done how often:`);
  for (const [what, times] of Object.entries(report.visits)) print(`  ${what}: ${times}`);
  printHoldings(report);
  assertHoldsNoMore(report);
}
