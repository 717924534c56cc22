/**
 * Signals of the operating system, from the first moment to the last.
 *
 * This module imports nothing: it listens before the rest of the program is loaded, since a signal that nobody listens for
 * ends the process.
 *
 * @module
 */

/** What signals bring about. */
export interface SignalActions {
  /** Called on the first SIGINT or SIGTERM; the second one ends the process at once. */
  readonly stop: (signal: Deno.Signal) => Promise<void>;
  /** Called on each SIGHUP; never rejects. */
  readonly reload: () => Promise<void>;
  /** Called on each SIGUSR2; never rejects. */
  readonly report: () => Promise<void>;
}

const IS_WINDOWS = Deno.build.os === "windows";
const STOP_SIGNALS: readonly Deno.Signal[] = IS_WINDOWS ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
// Windows ends the process some seconds after SIGHUP, whatever is done, and has no SIGUSR2. Not SIGUSR1: on that, Deno
// opens its debugger to everybody on this host.
const OTHER_SIGNALS: readonly Deno.Signal[] = IS_WINDOWS ? [] : ["SIGHUP", "SIGUSR2"];

/**
 * Lets a write beyond the limit on the size of files (RLIMIT_FSIZE) fail with EFBIG. Where nobody listens for the signal that
 * comes with it, it ends the process, and every client that may upload can cause it.
 */
export function surviveFileSizeLimit(): void {
  if (!IS_WINDOWS) Deno.addSignalListener("SIGXFSZ", () => {});
}

/**
 * The signals of this process. What comes before anybody acts on it is kept. They are listened for to the end of the
 * process: one that comes while it ends must not change how it ends. That does not keep it from ending by `Deno.exit()`.
 */
export class ProcessSignals {
  readonly #early = new Set<Deno.Signal>();
  #actions: SignalActions | undefined;
  #isStarting = false;
  #isStopping = false;

  private constructor() {
    for (const signal of [...STOP_SIGNALS, ...OTHER_SIGNALS]) {
      Deno.addSignalListener(signal, () => this.#receive(signal));
    }
  }

  /** Begins to listen. There is no way back: the runtime never gives a signal back to the system. */
  static listen(): ProcessSignals {
    return new ProcessSignals();
  }

  /** Until there are actions, a signal to stop ends the process at once with status 0: nothing is open yet. */
  beginStart(): void {
    this.#isStarting = true;
    if (STOP_SIGNALS.some((signal) => this.#early.has(signal))) Deno.exit(0);
  }

  /** Acts on signals from now on, and on those that have come before. */
  act(actions: SignalActions): void {
    this.#actions = actions;
    for (const signal of this.#early) this.#receive(signal);
    this.#early.clear();
  }

  #receive(signal: Deno.Signal): void {
    const isStop = STOP_SIGNALS.includes(signal);
    if (this.#actions === undefined) {
      if (isStop && this.#isStarting) Deno.exit(0);
      this.#early.add(signal);
    } else if (isStop) this.#stop(signal, this.#actions);
    else if (signal === "SIGHUP") void this.#actions.reload();
    else void this.#actions.report();
  }

  #stop(signal: Deno.Signal, { stop }: SignalActions): void {
    if (this.#isStopping) Deno.exit(1);
    this.#isStopping = true;
    void stop(signal);
  }
}
