/**
 * What happens, as a stream of server-sent events for the page and `ftpsd top`: the server each second, with what is new.
 *
 * @module
 */

import { totalsOf } from "../gauges.ts";
import { type ApiContext, describeServer, describeSession } from "./routes.ts";

const EVERY_MS = 1_000;

/**
 * Streams messages of the form `data: {"server": …, "sessions": […], "totals": {…}, "incidents": […]}`: at once, then each
 * second. A reader that is slow gets fewer. The first one has the incidents of before.
 *
 * @param options.signal Ends the stream.
 * @param options.onEnd Called when it has ended, or its reader has gone, and not before this returns; may be called again.
 */
export function followState(
  context: ApiContext,
  { signal, onEnd }: { readonly signal: AbortSignal; readonly onEnd: () => void },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let seen = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  let isBusy = false;
  let isOver = false;
  const release = () => {
    isOver = true;
    clearInterval(timer);
    signal.removeEventListener("abort", stop);
    queueMicrotask(onEnd);
  };
  const end = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (isOver) return;
    release();
    controller.close();
  };
  let stop = () => {};
  const send = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (isBusy || (controller.desiredSize ?? 0) <= 0) return;
    isBusy = true;
    try {
      const { message, count } = await describeState(context, seen);
      seen = count;
      if (!isOver) controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
    } catch {
      end(controller); // an event loop has ended: the reader comes again
    } finally {
      isBusy = false;
    }
  };
  return new ReadableStream<Uint8Array>({
    start: async (controller) => {
      stop = () => end(controller);
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      await send(controller);
      // The reader may have gone meanwhile.
      if (!isOver) timer = setInterval(() => void send(controller), EVERY_MS);
    },
    cancel: release,
  }, { highWaterMark: 4 });
}

async function describeState(
  { server, recent }: ApiContext,
  seen: number,
): Promise<{ readonly message: unknown; readonly count: number }> {
  const { instruments } = server;
  const sessions = (await server.sessions()).map(describeSession);
  // From here on nothing happens meanwhile, so that no incident falls between two messages.
  const message = {
    time: Date.now() / 1000,
    server: describeServer(server),
    sessions,
    totals: totalsOf(instruments),
    incidents: recent.since(seen),
  };
  return { message, count: recent.count };
}
