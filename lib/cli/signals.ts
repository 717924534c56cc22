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

/** Listens for signals until it is disposed of. */
export function onSignals({ stop, reload }: SignalActions): Disposable {
  const isWindows = Deno.build.os === "windows";
  const stopSignals: readonly Deno.Signal[] = isWindows ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  let stopping: Promise<void> | undefined;
  const listeners = stopSignals.map((signal) => ({
    signal,
    listener: () => {
      if (stopping !== undefined) Deno.exit(1);
      stopping = stop(signal);
    },
  }));
  // Windows ends the process some seconds after this signal, whatever is done.
  if (!isWindows) listeners.push({ signal: "SIGHUP", listener: () => void reload() });
  for (const { signal, listener } of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
