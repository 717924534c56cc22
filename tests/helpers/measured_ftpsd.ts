/**
 * `ftpsd serve` that tells on SIGWINCH what it holds. Run it with `--v8-flags=--expose-gc`, and with `--log-format json`.
 *
 * @module
 */

/** What the program holds, after its garbage was collected; one line of JSON on stdout. */
export interface Measurement {
  /** Timers that wait, of the program's own; `node:net` and `node:tls` keep theirs by themselves. */
  readonly timers: number;
  /** Bytes of objects. */
  readonly heapBytes: number;
  /** Bytes of buffers. */
  readonly bufferBytes: number;
  /** How often each event was told since the start. */
  readonly events: Readonly<Record<string, number>>;
}

/** Events that are written to stderr. The others are only counted: under load there are very many. */
const WRITTEN = ["banned", "disconnected", "internalError", "listening", "remark", "stopped"];

/** Longest time in which what garbage held lets go. */
const COLLECTIONS = 5;

function main(): void {
  const timers = watchTimers();
  const events: Record<string, number> = {};
  Deno.addSignalListener("SIGWINCH", () => void measure(timers, events).then((line) => write(Deno.stdout, line)));
  void serveCounting(events);
}

async function serveCounting(events: Record<string, number>): Promise<void> {
  // Later than the timers are watched.
  const { parseArguments } = await import("../../lib/cli/option_table.ts");
  const { serve } = await import("../../lib/cli/serve.ts");
  const { ProcessSignals } = await import("../../lib/cli/signals.ts");
  const take = (line: string) => {
    const name = /"event":"(\w+)"/.exec(line)?.[1] ?? "";
    events[name] = (events[name] ?? 0) + 1;
    if (WRITTEN.includes(name)) write(Deno.stderr, line);
  };
  await serve(parseArguments(Deno.args), { write: take, isColored: false }, {
    signals: ProcessSignals.listen(),
  });
  Deno.exit(0);
}

function write(output: { writeSync(bytes: Uint8Array): number }, line: string): void {
  output.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Wraps the functions that start and stop timers. */
function watchTimers(): ReadonlySet<unknown> {
  const waiting = new Set<unknown>();
  const { setTimeout: start, clearTimeout: stop, setInterval: repeat, clearInterval: end } = globalThis;
  globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = start(() => {
      waiting.delete(timer);
      callback(...args);
    }, ms);
    waiting.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.setInterval = ((...args: Parameters<typeof setInterval>) => {
    const timer = repeat(...args);
    waiting.add(timer);
    return timer;
  }) as typeof setInterval;
  globalThis.clearTimeout = (timer) => {
    waiting.delete(timer);
    stop(timer);
  };
  globalThis.clearInterval = (timer) => {
    waiting.delete(timer);
    end(timer);
  };
  return waiting;
}

async function measure(timers: ReadonlySet<unknown>, events: Readonly<Record<string, number>>): Promise<string> {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc === undefined) throw new Error("Cannot collect garbage: Deno runs without --v8-flags=--expose-gc");
  const { setImmediate } = await import("node:timers/promises");
  for (let count = 0; count < COLLECTIONS; count++) {
    gc();
    await setImmediate(); // what finalizers let go of
  }
  const { heapUsed, external } = Deno.memoryUsage();
  const measurement: Measurement = { timers: timers.size, heapBytes: heapUsed, bufferBytes: external, events };
  return JSON.stringify(measurement);
}

if (import.meta.main) main();
