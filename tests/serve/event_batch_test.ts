import { assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import type { ServerEvent, ServerEventName } from "../../lib/events.ts";
import { EventBatch } from "../../lib/serve/event_batch.ts";

function createBatch(names?: readonly ServerEventName[]) {
  const sent: (readonly ServerEvent[])[] = [];
  const batch = new EventBatch({ names, send: (events) => void sent.push(structuredClone(events)) });
  return { batch, sent };
}

function connected(session: string): ServerEvent {
  return { event: "connected", time: new Date(session.length), session, remote: "192.0.2.1:1" };
}

function internalError(cause: unknown): ServerEvent {
  return { event: "internalError", time: new Date(), message: "no", cause };
}

/** The next turn of the event loop, and what was to be done until then. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("EventBatch sends what has happened in a turn at once, in order, with its times", async () => {
  const { batch, sent } = createBatch();
  for (const session of ["a", "bb"]) batch.add(connected(session));
  await Promise.resolve();
  batch.add(connected("ccc"));
  assertEquals(sent, []);
  await nextTurn();
  batch.add(connected("dddd"));
  await nextTurn();
  assertEquals(sent, [["a", "bb", "ccc"].map(connected), [connected("dddd")]]);
});

Deno.test("EventBatch.flush() sends what there is, and nothing twice", async () => {
  const { batch, sent } = createBatch();
  batch.flush();
  batch.add(connected("a"));
  batch.flush();
  assertEquals(sent, [[connected("a")]]);
  await nextTurn();
  assertEquals(sent.length, 1);
});

Deno.test("EventBatch keeps silent of what nobody wants", () => {
  const { batch, sent } = createBatch(["internalError"]);
  batch.add(connected("a"));
  batch.add(internalError("why"));
  batch.flush();
  assertEquals(sent.flat().map(({ event }) => event), ["internalError"]);
  const nothing = createBatch([]);
  nothing.batch.add(internalError("why"));
  nothing.batch.flush();
  assertEquals(nothing.sent, []);
});

Deno.test("EventBatch sends the cause of an error, described where it cannot be cloned", () => {
  const { batch, sent } = createBatch();
  const unsendable = new Error("outer", { cause: () => {} });
  for (const cause of [new RangeError("why"), unsendable, () => {}]) batch.add(internalError(cause));
  batch.flush();
  const causes = sent.flat().map((event) => event.event === "internalError" ? event.cause : undefined);
  assertInstanceOf(causes[0], RangeError);
  assertMatch(String(causes[1]), /outer/);
  assertEquals(causes.length, 3);
});
