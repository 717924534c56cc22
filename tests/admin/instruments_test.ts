import { assertEquals, assertMatch } from "@std/assert";
import { EventLoopMeter } from "../../lib/admin/event_loop_meter.ts";
import { createInstruments, type InstrumentName, INSTRUMENTS, InstrumentWriter } from "../../lib/admin/instruments.ts";
import { formatPrometheus } from "../../lib/admin/prometheus_text.ts";

const SESSION = { session: "s", remote: "192.0.2.1:50000" };

Deno.test("Instruments add up what event loops count, each in memory of its own", () => {
  const { memories, reader } = createInstruments(3);
  for (const [index, memory] of memories.entries()) {
    const writer = new InstrumentWriter(memory);
    for (let times = 0; times <= index; times++) writer.add("logins", ["failed"]);
    writer.add("transferredBytes", ["send"], 1000);
  }
  assertEquals(reader.total("logins"), 6);
  assertEquals(reader.total("logins", { result: "succeeded" }), 0);
  assertEquals(reader.total("transferredBytes", { direction: "send" }), 3000);
});

Deno.test("No instrument counts where another one does", () => {
  for (const name of Object.keys(INSTRUMENTS) as InstrumentName[]) {
    const { memories: [memory], reader } = createInstruments(1);
    if (memory === undefined) throw new Error("no memory");
    const { labels, kind } = INSTRUMENTS[name];
    const last = Object.values(labels).map((values: readonly string[]) => values.at(-1) ?? "");
    const writer = new InstrumentWriter(memory);
    if (kind === "counter") writer.add(name, last);
    else writer.observe(name, last, Infinity);
    for (const other of Object.keys(INSTRUMENTS) as InstrumentName[]) {
      assertEquals(reader.total(other), other === name ? 1 : 0, `${name} in ${other}`);
    }
    const counted = reader.samples(name).find(({ value }) => value > 0);
    assertEquals(Object.values(counted?.labels ?? {}), last);
  }
});

Deno.test("A histogram counts a time in the first bucket whose bound it does not exceed", () => {
  const { memories: [memory], reader } = createInstruments(1);
  if (memory === undefined) throw new Error("no memory");
  const writer = new InstrumentWriter(memory);
  for (const seconds of [0.0005, 0.0006, 31]) writer.observe("commandSeconds", ["NOOP"], seconds);
  const [sample] = reader.samples("commandSeconds");
  assertEquals(sample?.buckets, [1, 1, 0, 0, 0, 0, 0, 0, 1]);
  assertEquals(sample?.labels, { command: "NOOP" });
});

Deno.test("EventLoopMeter counts a label that nobody knows as another", () => {
  const { memories: [memory], reader } = createInstruments(1);
  if (memory === undefined) throw new Error("no memory");
  const meter = new EventLoopMeter(memory);
  meter.event("commandDone", { ...SESSION, command: "EVIL\n", code: 500, seconds: 1 });
  meter.event("commandRefused", { ...SESSION, command: "X", code: 599, reply: "599 own" });
  meter.called("store", "PATCH", { seconds: 1, hasFailed: true });
  const labels = (name: InstrumentName) => reader.samples(name).find(({ value }) => value > 0)?.labels;
  assertEquals(labels("commandSeconds"), { command: "other" });
  assertEquals(labels("refusals"), { code: "other" });
  assertEquals([labels("storeSeconds"), reader.total("storeFailures")], [{ method: "other" }, 1]);
});

Deno.test("formatPrometheus() writes buckets that grow, escapes texts, and ends its last line", () => {
  const { memories: [memory], reader } = createInstruments(1);
  if (memory === undefined) throw new Error("no memory");
  const writer = new InstrumentWriter(memory);
  for (const seconds of [0.001, 100]) writer.observe("transferSeconds", ["send"], seconds);
  const gauges = [{ name: "odd", help: "a\\b\nc", samples: [{ labels: { name: 'x"\\\n' }, value: 1 }] }];
  const text = formatPrometheus(reader, gauges);
  assertMatch(text, /_bucket\{direction="send",le="0.005"\} 1\n[^]*_bucket\{direction="send",le="\+Inf"\} 2\n/);
  assertMatch(text, /^# HELP ftpsd_odd a\\\\b\\nc$/m);
  assertMatch(text, /\nftpsd_odd\{name="x\\"\\\\\\n"\} 1\n$/);
});
