import { assert, assertEquals } from "@std/assert";
import { followState } from "../../lib/admin/api/state_stream.ts";
import type { ApiContext } from "../../lib/admin/api/routes.ts";

/** A server whose event loops answer when they are told to. The sanitizers see what a stream leaves behind. */
function answering(sessions: () => Promise<never[]>): ApiContext {
  return { server: { sessions }, recent: { count: 0, since: () => [] } } as unknown as ApiContext;
}

Deno.test("followState() leaves nothing behind when its reader has gone before the first message", async () => {
  const answer = Promise.withResolvers<never[]>();
  const ended = Promise.withResolvers<void>();
  const closing = new AbortController();
  const stream = followState(answering(() => answer.promise), { signal: closing.signal, onEnd: () => ended.resolve() });
  await stream.cancel();
  await ended.promise;
  answer.resolve([]);
  await new Promise((resolve) => setTimeout(resolve)); // a timer would have been started by now
});

Deno.test("followState() leaves nothing behind when an event loop does not answer", async () => {
  let ends = 0;
  const closing = new AbortController();
  const failing = answering(() => Promise.reject(new Error("It has ended")));
  const stream = followState(failing, { signal: closing.signal, onEnd: () => void ends++ });
  const { done } = await stream.getReader().read();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals({ done, ends }, { done: true, ends: 1 });
  closing.abort();
});

Deno.test("followState() ends with a signal that has aborted before", async () => {
  const ended = Promise.withResolvers<void>();
  const stream = followState(answering(() => Promise.resolve([])), {
    ...{ signal: AbortSignal.abort(), onEnd: () => ended.resolve() },
  });
  assert((await stream.getReader().read()).done);
  await ended.promise;
});
