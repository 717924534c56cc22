/**
 * Signals of the operating system.
 *
 * @module
 */

/** What signals bring about. */
export interface SignalActions {
  /** Called on the first SIGINT or SIGTERM; the second one ends the process at once. */
  readonly stop: (signal: Deno.Signal) => Promise<void>;
  /** Called on each SIGHUP. */
  readonly reload: () => Promise<void>;
}

/**
 * Listens for signals to the end of the process: one that comes while it ends must not change how it ends. They do not keep
 * the process from ending by `Deno.exit()`.
 */
export function onSignals({ stop, reload }: SignalActions): void {
  const isWindows = Deno.build.os === "windows";
  const stopSignals: readonly Deno.Signal[] = isWindows ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  let stopping: Promise<void> | undefined;
  for (const signal of stopSignals) {
    Deno.addSignalListener(signal, () => {
      if (stopping !== undefined) Deno.exit(1);
      stopping = stop(signal);
    });
  }
  // Windows ends the process some seconds after this signal, whatever is done.
  if (!isWindows) Deno.addSignalListener("SIGHUP", () => void reload());
}
