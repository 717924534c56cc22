import { assert, assertEquals, assertThrows } from "@std/assert";
import type { EventHandlers, ServerEvent } from "../../lib/events.ts";
import { EventHub } from "../../lib/server/event_hub.ts";

const SESSION = { session: "a-1", remote: "127.0.0.1:1024" };

async function namesIn(stream: ReadableStream<ServerEvent>): Promise<string[]> {
  const names: string[] = [];
  for await (const event of stream) names.push(event.event === "eventsMissed" ? `missed ${event.count}` : event.event);
  return names;
}

Deno.test("EventHub tells the listener, the handler of the name, and streams", async () => {
  const told: string[] = [];
  const hub = new EventHub({
    onEvent: (event) => told.push(`all ${event.event}`),
    on: { connected: (event) => void told.push(`${event.event} ${event.session}`) },
  });
  const streams = [hub.stream({}), hub.stream({ only: ["stopped"] })];
  hub.emit("connected", SESSION);
  hub.emit("stopped", {});
  hub.close();
  await hub.handled(60_000);
  assertEquals(told, ["all connected", "connected a-1", "all stopped"]);
  assertEquals(await Promise.all(streams.map(namesIn)), [["connected", "stopped"], ["stopped"]]);
});

Deno.test("EventHub tells a slow reader how many events it has missed, between and at the end", async () => {
  const hub = new EventHub({});
  const reader = hub.stream({ capacity: 2 }).getReader();
  const emit = (count: number) => Array.from({ length: count }, () => hub.emit("loggedOut", SESSION));
  const names: string[] = [];
  const read = async () => {
    const { value } = await reader.read();
    names.push(value?.event === "eventsMissed" ? `missed ${value.count}` : value?.event ?? "end");
  };
  emit(5);
  for (let index = 0; index < 2; index++) await read();
  emit(3);
  hub.close();
  await hub.handled(60_000);
  for (let index = 0; index < 4; index++) await read();
  assertEquals(names, ["loggedOut", "loggedOut", "missed 3", "loggedOut", "missed 2", "end"]);
});

Deno.test("EventHub forgets a stream that is left, and ends one that comes too late", async () => {
  const hub = new EventHub({});
  const stream = hub.stream({});
  hub.emit("loggedOut", SESSION);
  for await (const event of stream) {
    assertEquals(event.event, "loggedOut");
    break;
  }
  hub.emit("loggedOut", SESSION);
  hub.close();
  await hub.handled(60_000);
  assertEquals(await namesIn(hub.stream({})), []);
});

Deno.test("EventHub refuses a capacity that is none", () => {
  for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => new EventHub({}).stream({ capacity }), RangeError, `Cannot keep ${capacity} events`);
  }
});

const fail = () => {
  throw new Error("handler");
};
const FAILING: readonly EventHandlers[] = [{ loggedOut: fail }, { loggedOut: () => Promise.resolve().then(fail) }];

for (const [index, on] of FAILING.entries()) {
  Deno.test(`EventHub tells of a handler that ${["throws", "rejects"][index]}, and goes on`, async () => {
    const told: string[] = [];
    const hub = new EventHub({
      on,
      onEvent: (event) => void told.push(event.event === "internalError" ? event.message : event.event),
    });
    hub.emit("loggedOut", SESSION);
    hub.close();
    await hub.handled(60_000);
    assertEquals(told, ["loggedOut", "The listener for loggedOut failed: Error: handler"]);
  });
}

Deno.test("EventHub survives listeners that fail at internalError, too", async () => {
  const hub = new EventHub({ onEvent: fail, on: { internalError: () => Promise.reject(new Error("async")) } });
  hub.emit("loggedOut", SESSION);
  hub.emit("internalError", { message: "x" });
  hub.close();
  await hub.handled(60_000);
});

Deno.test("EventHub.handled() waits for handlers that have not ended, though not for ever", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const hub = new EventHub({ on: { loggedOut: () => promise } });
  hub.emit("loggedOut", SESSION);
  let isHandled = false;
  await hub.handled(1);
  const handled = hub.handled(60_000).then(() => isHandled = true);
  await Promise.resolve();
  assert(!isHandled);
  resolve();
  await handled;
});
