/**
 * What the instruments have said over the last hour and the last day, for plots.
 *
 * @module
 */

import { sessionsNow, type Totals, totalsOf } from "./gauges.ts";
import type { InstrumentReader } from "./instruments.ts";

/** Numbers of a span of time. */
export interface HistoryPoint {
  /** Its end, in seconds since 1970. */
  readonly time: number;
  /** Sessions at its end. */
  readonly sessions: number;
  /** Bytes of files a second. */
  readonly received: number;
  readonly sent: number;
  /** Logins in it. */
  readonly logins: number;
  readonly loginsFailed: number;
  /** Transfers that were interrupted in it. */
  readonly incomplete: number;
}

/** Spans that are kept: of ten seconds for an hour, of five minutes for a day. */
export const SPANS = { hour: { seconds: 10, count: 360 }, day: { seconds: 300, count: 288 } } as const;

/** Which history. */
export type SpanName = keyof typeof SPANS;

/** Totals at a moment, in seconds of a clock that is never set. */
type Reading = Totals & { readonly at: number };

/** Takes readings from its making until it is disposed of. */
export class History implements Disposable {
  readonly #reader: InstrumentReader;
  readonly #points: Readonly<Record<SpanName, HistoryPoint[]>> = { hour: [], day: [] };
  readonly #timers: readonly ReturnType<typeof setInterval>[];

  constructor(reader: InstrumentReader) {
    this.#reader = reader;
    this.#timers = (Object.keys(SPANS) as SpanName[]).map((name) => {
      let before = this.#read();
      return setInterval(() => {
        const now = this.#read();
        this.#add(name, before, now);
        before = now;
      }, SPANS[name].seconds * 1000);
    });
  }

  /** The points of a history, the newest at the end. */
  points(name: SpanName): readonly HistoryPoint[] {
    return this.#points[name];
  }

  #add(name: SpanName, before: Reading, now: Reading): void {
    const points = this.#points[name];
    const seconds = Math.max(1, now.at - before.at);
    points.push({
      time: Date.now() / 1000,
      sessions: sessionsNow({ instruments: this.#reader }),
      received: (now.received - before.received) / seconds,
      sent: (now.sent - before.sent) / seconds,
      logins: now.logins - before.logins,
      loginsFailed: now.loginsFailed - before.loginsFailed,
      incomplete: now.incomplete - before.incomplete,
    });
    if (points.length > SPANS[name].count) points.shift();
  }

  #read(): Reading {
    return { at: performance.now() / 1000, ...totalsOf(this.#reader) };
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
