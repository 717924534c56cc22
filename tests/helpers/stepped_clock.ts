/**
 * The system's clock, set to another time.
 *
 * @module
 */

const HostDate = globalThis.Date;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Puts the clock of this test file forward or back, as an operator or NTP does, to the end of its scope. */
export class SteppedClock implements Disposable {
  #offsetMs = 0;
  #passedMs = 0;
  readonly #hostNow = performance.now;

  /** Takes the place of `Date`. */
  constructor() {
    const now = () => HostDate.now() + this.#offsetMs + this.#passedMs;
    globalThis.Date = new Proxy(HostDate, {
      construct: (target, args) => args.length === 0 ? new target(now()) : Reflect.construct(target, args),
      get: (target, name) => name === "now" ? now : Reflect.get(target, name),
    });
  }

  /** Lets time pass, for the clock that nobody sets, too; timers do not notice. */
  passDays(days: number): void {
    this.#passedMs += days * DAY_MS;
    performance.now = () => this.#hostNow.call(performance) + this.#passedMs;
  }

  /** Sets the clock so far off. */
  set(offsetMs: number): void {
    this.#offsetMs = offsetMs;
  }

  [Symbol.dispose](): void {
    globalThis.Date = HostDate;
    performance.now = this.#hostNow;
  }
}
