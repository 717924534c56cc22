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
 * @param signal Ends the stream.
 */
export function followState(context: ApiContext, signal: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let seen = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  let isBusy = false;
  const end = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    clearInterval(timer);
    try {
      controller.close();
    } catch {
      // The reader has gone.
    }
  };
  let stop = () => {};
  const send = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (isBusy || (controller.desiredSize ?? 0) <= 0) return;
    isBusy = true;
    try {
      const message = await describeState(context, seen);
      seen = context.recent.count;
      if (!signal.aborted) controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
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
      await send(controller);
      if (!signal.aborted) timer = setInterval(() => void send(controller), EVERY_MS);
    },
    cancel: () => {
      clearInterval(timer);
      signal.removeEventListener("abort", stop);
    },
  }, { highWaterMark: 4 });
}

async function describeState({ server, recent }: ApiContext, seen: number): Promise<unknown> {
  const { instruments } = server;
  return {
    time: Date.now() / 1000,
    server: describeServer(server),
    sessions: (await server.sessions()).map(describeSession),
    totals: totalsOf(instruments),
    incidents: recent.since(seen),
  };
}
