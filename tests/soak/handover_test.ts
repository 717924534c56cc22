import { assertEquals, assertGreater } from "@std/assert";
import { handOver } from "./handover/handover.ts";

const SECONDS = 20;

Deno.test(`FtpServer stands ${SECONDS} s of handshakes in pieces, and completes each good one`, async () => {
  const report = await handOver({ cases: Infinity, seed: 1, maxMs: SECONDS * 1000 });
  assertEquals(report.failures, []);
  assertEquals(report.internalErrors, []);
  assertEquals(report.death, undefined);
  assertGreater(report.handshakes, 0);
  assertGreater(report.cases, report.handshakes);
});
