/**
 * Hands sockets over in every way: begins handshakes on control and data connections, cut at every position, early and late,
 * good ones and broken ones, and looks what has become of the server.
 *
 * Run as a program: `deno task handover [CASES [SEED [FIRST]]]`, default 20,000 cases and seed 1, from number 0. Exit status
 * 0 when the server has stood it.
 *
 * @module
 */

import { type LoggedEvent, MeasuredServer } from "../../helpers/measured_server.ts";
import { Random } from "../random.ts";
import { type HandoverCase, makeCase } from "./handover_case.ts";
import { pause } from "./piece_sender.ts";
import { contentOf, HandoverClient } from "./handover_client.ts";

const CLIENTS = 8;
/** Enough to see what is wrong. */
const MAX_FAILURES = 5;
/** A process that has died may be told of late. */
const MAX_DYING_MS = 1_000;
const SIZES = [0, 1, 100, 5_000, 70_000];

const CONFIGURATION = [
  "tls: { policy: optional }",
  "active: { enabled: true }",
  // Broken handshakes that nobody ends wait for it; good ones take a small part of it.
  "timeouts: { handshake: 15, passive: 10 }",
  "limits: { connections: 0 }",
  "ban: { failures: 0 }",
].join("\n");

/** How many cases are played. */
export interface HandoverOptions {
  readonly cases: number;
  readonly seed: number;
  /** Number of the first case. */
  readonly first?: number;
  /** After this time no further case begins. */
  readonly maxMs?: number;
}

/** What has become of a server and its clients. */
export interface HandoverReport {
  readonly cases: number;
  /** Handshakes that were to succeed, and have. */
  readonly handshakes: number;
  /** What did not end as it has to, the first few. */
  readonly failures: readonly string[];
  /** How the server has ended; `undefined` if it has not. */
  readonly death: Deno.CommandStatus | undefined;
  readonly internalErrors: readonly LoggedEvent[];
}

/** Plays cases, several at a time. */
export async function handOver(options: HandoverOptions): Promise<HandoverReport> {
  const { cases, seed, first = 0, maxMs = Infinity } = options;
  const deadline = performance.now() + maxMs;
  const server = await MeasuredServer.start({ configuration: CONFIGURATION, mayDial: true });
  const failures: string[] = [];
  let [next, played, handshakes] = [first, 0, 0];
  const run = async (name: string) => {
    await using client = new HandoverClient(server, name);
    while (next < first + cases && performance.now() < deadline && failures.length < MAX_FAILURES) {
      if (server.status !== undefined) return;
      const number = next++;
      const plan = makeCase(number, new Random(seed * 1_000_003 + number));
      try {
        if (await client.play(plan)) handshakes++;
      } catch (error) {
        failures.push(`case ${number}, ${describe(plan)}: ${error}`);
      }
      played++;
    }
  };
  try {
    for (const size of SIZES) await Deno.writeFile(`${server.home}/${size}`, contentOf(size));
    await Promise.all(Array.from({ length: CLIENTS }, (_, index) => run(`upload-${index}`)));
    await pause(MAX_DYING_MS * Number(failures.length > 0));
    return { cases: played, handshakes, failures, death: server.status, internalErrors: server.internalErrors };
  } finally {
    await server[Symbol.asyncDispose]().catch(() => {}); // that it has ended is in the report
  }
}

function describe({ plan, alpn, junk, ...rest }: HandoverCase): string {
  const { pieces, endAt, ending, records } = plan;
  const shape = { pieces: `${pieces.length}: ${pieces.slice(0, 5)}`, endAt, ending, records };
  return JSON.stringify({ ...rest, ...shape, alpn: alpn.join().length, junk: junk?.length });
}

if (import.meta.main) {
  const [cases = 20_000, seed = 1, first = 0] = Deno.args.map(Number);
  const startedAt = performance.now();
  const report = await handOver({ cases, seed, first });
  const seconds = (performance.now() - startedAt) / 1000;
  print(`seed ${seed}: ${report.cases} cases in ${seconds.toFixed(0)} s, ${report.handshakes} handshakes completed`);
  print(`${report.failures.length} failures, ${report.internalErrors.length} internal errors`);
  for (const failure of report.failures) print(failure);
  for (const error of report.internalErrors) print(Deno.inspect(error));
  if (report.death !== undefined) print(`the server has ended: ${Deno.inspect(report.death)}`);
  if (report.death !== undefined || report.failures.length > 0 || report.internalErrors.length > 0) Deno.exit(1);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
