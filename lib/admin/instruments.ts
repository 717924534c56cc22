/**
 * Every instrument, one row each, from which come the metrics for Prometheus and OpenTelemetry, the page, and its documentation;
 * and where they are counted: in memory that all event loops share, each in a part of its own.
 *
 * @module
 */

import { ALL_COMMANDS } from "../commands/command_table.ts";
import { HOOK_EVENTS } from "../hook_events.ts";
import { HOOK_RESULTS } from "../meter.ts";

/** A counter, or the distribution of a time. */
export interface InstrumentRow {
  /** As Prometheus has it, without the prefix. */
  readonly name: string;
  readonly kind: "counter" | "histogram";
  /** One sentence. */
  readonly help: string;
  /** What values are told apart by, with all the values there are. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** Upper bounds of the buckets of a histogram in seconds, ascending; what is above has one more. */
  readonly bounds: readonly number[];
}

const DIRECTIONS = ["receive", "send"] as const;
/** Negative replies; a program may have added others. */
const CODES = [
  ...[
    "421",
    "425",
    "426",
    "430",
    "431",
    "450",
    "451",
    "452",
    "500",
    "501",
    "502",
    "503",
    "504",
    "521",
    "522",
    "530",
    "532",
  ],
  ...["533", "534", "535", "536", "537", "550", "551", "552", "553", "554", "555", "other"],
];
/** A command is answered in microseconds, or waits for a disk, a store, a password, or a transfer. */
const COMMAND_BOUNDS = [0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5, 30];
const TRANSFER_BOUNDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600, 3600];
const CALL_BOUNDS = [0.0001, 0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5];

/** All of them. */
export const INSTRUMENTS = {
  connections: counter("connections_total", "Control connections whose session began."),
  connectionsEnded: counter("connections_ended_total", "Control connections whose session has ended."),
  connectionsRefused: counter("connections_refused_total", "Connections that were refused before a session began."),
  handshakes: counter("tls_handshakes_total", "TLS handshakes of control connections.", {
    protocol: ["TLSv1.2", "TLSv1.3"],
    resumed: ["false", "true"],
  }),
  logins: counter("logins_total", "Logins by their result.", { result: ["failed", "succeeded"] }),
  bans: counter("bans_total", "Addresses that were banned."),
  transfersStarted: counter("transfers_started_total", "Transfers of files that began.", { direction: DIRECTIONS }),
  transfers: counter("transfers_total", "Transfers of files that have ended.", {
    direction: DIRECTIONS,
    result: ["complete", "incomplete"],
  }),
  transferredBytes: counter("transferred_bytes_total", "Bytes of files on data connections, as they move.", {
    direction: DIRECTIONS,
  }),
  transferSeconds: histogram("transfer_seconds", "Time of a transfer of a file.", TRANSFER_BOUNDS, {
    direction: DIRECTIONS,
  }),
  commandSeconds: histogram("command_seconds", "Time from a command to its final reply.", COMMAND_BOUNDS, {
    command: [...ALL_COMMANDS.rows.map(({ verb }) => verb), "other"],
  }),
  refusals: counter("commands_refused_total", "Negative final replies.", { code: CODES }),
  internalErrors: counter("internal_errors_total", "Errors that nobody expected; each is in the log."),
  stateSeconds: histogram("state_call_seconds", "Time of a call of the state.", CALL_BOUNDS, {
    call: ["acquireAccount", "acquireConnection", "beginAttempt", "other"],
  }),
  stateFailures: counter("state_failures_total", "Calls of the state that have failed."),
  storeSeconds: histogram("store_request_seconds", "Time of a request to an object store.", CALL_BOUNDS, {
    method: ["DELETE", "GET", "HEAD", "POST", "PUT", "other"],
  }),
  storeFailures: counter(
    "store_failures_total",
    "Requests to object stores that have failed; they may have been repeated.",
  ),
  hookEvents: counter(
    "hook_events_total",
    "Events on their way to hooks: told, not told in an attempt, given up, or not kept.",
    { hook: HOOK_EVENTS, result: HOOK_RESULTS },
  ),
  certificateOrders: counter("certificate_orders_total", "Attempts to order a certificate from the CA.", {
    result: ["failed", "succeeded"],
  }),
  logLinesDropped: counter("log_lines_dropped_total", "Lines that the log had no room for."),
} as const satisfies Readonly<Record<string, InstrumentRow>>;

/** Key of an instrument. */
export type InstrumentName = keyof typeof INSTRUMENTS;

/** Numbers that memory for the instruments of one event loop has. */
export interface InstrumentMemory {
  readonly values: Float64Array;
}

/** A label, and where each of its values stands. */
interface Label {
  readonly name: string;
  readonly values: readonly string[];
  readonly positions: ReadonlyMap<string, number>;
}

/** Where the numbers of an instrument are. */
interface Place {
  readonly offset: number;
  /** Numbers of one combination of labels: the counter, or the buckets of a histogram and the sum. */
  readonly width: number;
  /** How many combinations there are. */
  readonly count: number;
  readonly labels: readonly Label[];
}

const { places: PLACES, size: SIZE } = layOut();

/** Gives each instrument its place in the memory. */
function layOut(): { readonly places: Readonly<Record<InstrumentName, Place>>; readonly size: number } {
  const places: Partial<Record<InstrumentName, Place>> = {};
  let size = 0;
  for (const [name, row] of Object.entries(INSTRUMENTS) as [InstrumentName, InstrumentRow][]) {
    const labels = Object.entries(row.labels).map(([label, values]) => ({
      name: label,
      values,
      positions: new Map(values.map((value, position) => [value, position])),
    }));
    const width = row.kind === "counter" ? 1 : row.bounds.length + 2;
    const count = labels.reduce((product, { values }) => product * values.length, 1);
    places[name] = { offset: size, width, count, labels };
    size += count * width;
  }
  return { places: places as Record<InstrumentName, Place>, size };
}

/** Makes memory for one event loop, which can be sent to it. */
export function createInstrumentMemory(): InstrumentMemory {
  return { values: new Float64Array(new SharedArrayBuffer(SIZE * Float64Array.BYTES_PER_ELEMENT)) };
}

/** Counts in the memory of one event loop, which is the only one to write there. */
export class InstrumentWriter {
  readonly #values: Float64Array;

  constructor({ values }: InstrumentMemory) {
    this.#values = values;
  }

  /** Adds to a counter. @param labels Values in the order of the row; one that is not known counts as the last there is. */
  add(name: InstrumentName, labels: readonly string[] = [], amount = 1): void {
    const at = placeOf(name, labels);
    this.#values[at] = (this.#values[at] ?? 0) + amount;
  }

  /** Counts a time in a histogram. */
  observe(name: InstrumentName, labels: readonly string[], seconds: number): void {
    const { bounds } = INSTRUMENTS[name] as InstrumentRow;
    const at = placeOf(name, labels);
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++;
    this.#values[at + bucket] = (this.#values[at + bucket] ?? 0) + 1;
    const sum = at + bounds.length + 1;
    this.#values[sum] = (this.#values[sum] ?? 0) + seconds;
  }
}

/** Values of one combination of labels, over all event loops. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** Of a counter, or how many times a histogram has. */
  readonly value: number;
  /** Times in each bucket of a histogram, the last one without a bound; absent: a counter. */
  readonly buckets?: readonly number[];
  /** All times of a histogram together, in seconds. */
  readonly sum?: number;
}

/** Reads what event loops have counted, added up. */
export class InstrumentReader {
  readonly #memories: readonly InstrumentMemory[];

  constructor(memories: readonly InstrumentMemory[]) {
    this.#memories = memories;
  }

  /** Returns one sample for each combination of labels; of a histogram only those that have a time. */
  samples(name: InstrumentName): Sample[] {
    const { kind } = INSTRUMENTS[name];
    const { offset, width, count, labels } = PLACES[name];
    const samples: Sample[] = [];
    for (let index = 0; index < count; index++) {
      const at = offset + index * width;
      const named = labelsAt(labels, index);
      if (kind === "counter") samples.push({ labels: named, value: this.#at(at) });
      else {
        const buckets = Array.from({ length: width - 1 }, (_, bucket) => this.#at(at + bucket));
        const value = buckets.reduce((total, times) => total + times, 0);
        if (value > 0) samples.push({ labels: named, value, buckets, sum: this.#at(at + width - 1) });
      }
    }
    return samples;
  }

  /** The sum of a counter over all labels that have the given values. */
  total(name: InstrumentName, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels);
    return this.samples(name)
      .filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value))
      .reduce((total, { value }) => total + value, 0);
  }

  #at(index: number): number {
    return this.#memories.reduce((total, { values }) => total + (values[index] ?? 0), 0);
  }
}

function placeOf(name: InstrumentName, given: readonly string[]): number {
  const { offset, width, labels } = PLACES[name];
  let index = 0;
  for (const [at, { values, positions }] of labels.entries()) {
    index = index * values.length + (positions.get(given[at] ?? "") ?? values.length - 1);
  }
  return offset + index * width;
}

function labelsAt(labels: Place["labels"], index: number): Record<string, string> {
  const entries: [string, string][] = [];
  let rest = index;
  for (const { name, values } of labels.toReversed()) {
    entries.unshift([name, values[rest % values.length] ?? ""]);
    rest = Math.floor(rest / values.length);
  }
  return Object.fromEntries(entries);
}

function counter(name: string, help: string, labels: InstrumentRow["labels"] = {}): InstrumentRow {
  return { name, kind: "counter", help, labels, bounds: [] };
}

function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  labels: InstrumentRow["labels"],
): InstrumentRow {
  return { name, kind: "histogram", help, labels, bounds };
}

/** Memory for all event loops of a server, and what is in it. */
export interface InstrumentSet {
  /** One for each event loop, the main one first. */
  readonly memories: readonly InstrumentMemory[];
  readonly reader: InstrumentReader;
}

/** Makes memory for so many event loops. */
export function createInstruments(eventLoops: number): InstrumentSet {
  const memories = Array.from({ length: eventLoops }, createInstrumentMemory);
  return { memories, reader: new InstrumentReader(memories) };
}
