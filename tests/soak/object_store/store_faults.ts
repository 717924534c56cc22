/**
 * Sessions that change files in an object store while everything fails between the server and the store.
 *
 * @module
 */

import { FaultyProxy } from "../../helpers/object_store/faulty_proxy.ts";
import { S3Files } from "../../helpers/object_store/s3_files.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import {
  faultName,
  LASTING_FAULTS,
  PASSING_FAULTS,
  randomFaults,
  type StoreFault,
} from "../../helpers/object_store/store_faults.ts";
import { TestServer } from "../../helpers/test_server.ts";
import { FaultSession } from "./fault_session.ts";

/** What is tried. */
export interface StoreFaultsOptions {
  /** At least so many faults are played. */
  readonly faults: number;
  readonly seed: number;
}

/** What has come of it. */
export interface StoreFaultsResult {
  readonly faults: number;
  readonly operations: number;
  /** By the kind of a fault that was met: how often the operation had which reply. Some operations meet several. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** Operations that were answered as done and were not. */
  readonly falseSuccesses: readonly string[];
  /** Files that were neither the old nor the new one, or nowhere. */
  readonly lostObjects: readonly string[];
  /** What is left in the store after the sweep and belongs to nothing. */
  readonly orphans: readonly string[];
}

const PART_BYTES = 16 * 1024;
const SESSIONS = 4;
/** One request of so many fails. */
const FAULT_EVERY = 4;
const TWO_DAYS = 2 * 86_400;
/** Short, so that hanging does not take long; long enough for a store on a busy machine. */
const TIMEOUTS = { answerMs: 1_000, workMs: 1_500, retryMs: 6_000 };

/** Plays faults until there were enough, then looks what is in the store. */
export async function playFaults({ faults, seed }: StoreFaultsOptions): Promise<StoreFaultsResult> {
  await using store = new S3Server({ minPartBytes: PART_BYTES });
  await using proxy = new FaultyProxy(store.endpoint);
  await using files = new S3Files({
    endpoint: proxy.endpoint,
    partSize: PART_BYTES,
    store: { timeouts: TIMEOUTS, backoffMs: 5 },
  });
  await using server = await TestServer.start({ home: files.fileSystem, protection: "clear" });
  await using _log = forgettingErrors(server);
  await files.store.abilities({ signal: new AbortController().signal });
  const outcomes = new Map<string, Map<number, number>>();
  const sessions = Array.from(
    { length: SESSIONS },
    (_, index) => new FaultSession(server, store, `s${index}`, seed + index),
  );
  const plan = randomFaults(seed, FAULT_EVERY, [...PASSING_FAULTS, ...LASTING_FAULTS]);
  // Each session has a folder of its own, by which its faults are known.
  const met = new Map<string, StoreFault[]>(sessions.map(({ name }) => [name, []]));
  proxy.plan = (request) => {
    const fault = plan(request);
    if (fault !== undefined) met.get(request.key.split("/")[0] ?? "")?.push(fault);
    return fault;
  };
  await Promise.all(sessions.map(async (session) => {
    while (proxy.played.length < faults) {
      const code = await session.step();
      for (const fault of met.get(session.name)?.splice(0) ?? []) count(outcomes, faultName(fault), code);
    }
  }));
  proxy.plan = () => undefined;
  for (const session of sessions) await session.end();
  await files.sweep(TWO_DAYS);
  for (const session of sessions) session.checkAll();
  return {
    faults: proxy.played.length,
    operations: sessions.reduce((sum, { operations }) => sum + operations, 0),
    outcomes: Object.fromEntries(Array.from(outcomes, ([name, codes]) => [name, Object.fromEntries(codes)])),
    falseSuccesses: sessions.flatMap((session) => session.falseSuccesses),
    lostObjects: sessions.flatMap((session) => session.lostObjects),
    orphans: [
      ...store.uploads().map(({ key }) => `upload of ${key}`),
      ...[...store.objects().keys()].filter((key) => !sessions.some((session) => session.knows(key))),
    ],
  };
}

/** Forgets at the end that there were errors, as there have to be. */
function forgettingErrors({ events }: TestServer): AsyncDisposable {
  const others = () => events.filter(({ event }) => event !== "internalError");
  return {
    [Symbol.asyncDispose]: () => {
      events.splice(0, events.length, ...others());
      return Promise.resolve();
    },
  };
}

function count(outcomes: Map<string, Map<number, number>>, name: string, code: number): void {
  const codes = outcomes.get(name) ?? new Map<number, number>();
  codes.set(code, (codes.get(code) ?? 0) + 1);
  outcomes.set(name, codes);
}
