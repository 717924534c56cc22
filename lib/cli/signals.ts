/**
 * Signals of the operating system.
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

/**
 * Listens for signals to the end of the process: one that comes while it ends must not change how it ends. They do not keep
 * the process from ending by `Deno.exit()`.
 */
export function onSignals({ stop, reload, report }: SignalActions): void {
  const isWindows = Deno.build.os === "windows";
  const stopSignals: readonly Deno.Signal[] = isWindows ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  let stopping: Promise<void> | undefined;
  for (const signal of stopSignals) {
    Deno.addSignalListener(signal, () => {
      if (stopping !== undefined) Deno.exit(1);
      stopping = stop(signal);
    });
  }
  if (isWindows) return; // It ends the process some seconds after SIGHUP, whatever is done, and has no SIGUSR2.
  Deno.addSignalListener("SIGHUP", () => void reload());
  // Not SIGUSR1: on that, Deno opens its debugger to everybody on this host.
  Deno.addSignalListener("SIGUSR2", () => void report());
}
