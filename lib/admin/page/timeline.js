/**
 * The points of a plot: what the server remembers, and what the stream has said since.
 *
 * @module
 */

/** What is read from the totals of the server. */
const COUNTED = ["received", "sent", "logins", "loginsFailed", "incomplete"];
/** As long as a span is younger, its numbers a minute say nothing. */
const MIN_SECONDS = 5;

/** Points of a span each. */
export class Timeline {
  #seconds;
  #count;
  /** @type {any[]} */
  #points = [];
  /** @type {any} */
  #base;
  /** @type {any} */
  #last;

  /**
   * @param {number} seconds Of a span.
   * @param {number} count Spans that are kept.
   */
  constructor(seconds, count) {
    this.#seconds = seconds;
    this.#count = count;
  }

  /** Seconds from the first to the last point. */
  get length() {
    return this.#seconds * this.#count;
  }

  /**
   * Takes what the server remembers.
   *
   * @param {readonly any[]} history
   */
  load(history) {
    this.#points = history.map((point) => ({
      ...point,
      logins: point.logins / this.#seconds * 60,
      loginsFailed: point.loginsFailed / this.#seconds * 60,
      incomplete: point.incomplete / this.#seconds * 60,
    }));
    this.#base = undefined;
    this.#last = undefined;
  }

  /**
   * Takes a message of the stream.
   *
   * @param {{ time: number, server: { sessions: number }, totals: Record<string, number> }} message
   */
  add({ time, server, totals }) {
    const reading = { time, sessions: server.sessions, totals };
    const isAnew = this.#base === undefined || COUNTED.some((name) => totals[name] < this.#base.totals[name]);
    if (isAnew) this.#base = reading;
    this.#last = reading;
    if (time - this.#base.time < this.#seconds) return;
    this.#points.push(pointBetween(this.#base, reading));
    if (this.#points.length > this.#count) this.#points.shift();
    this.#base = reading;
  }

  /** All points, in the order of time; the last one is of a span that has not ended. */
  points() {
    if (this.#last === undefined || this.#last.time - this.#base.time < MIN_SECONDS) return this.#points;
    return [...this.#points, pointBetween(this.#base, this.#last)];
  }
}

/**
 * @param {any} before
 * @param {any} now
 */
export function pointBetween(before, now) {
  const seconds = Math.max(0.001, now.time - before.time);
  const rate = (/** @type {string} */ name) => (now.totals[name] - before.totals[name]) / seconds;
  return {
    time: now.time,
    sessions: now.sessions,
    received: rate("received"),
    sent: rate("sent"),
    logins: rate("logins") * 60,
    loginsFailed: rate("loginsFailed") * 60,
    incomplete: rate("incomplete") * 60,
  };
}
