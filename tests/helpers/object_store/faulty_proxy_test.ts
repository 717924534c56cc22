import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { FaultyProxy } from "./faulty_proxy.ts";
import { readText } from "./s3_xml.ts";
import { S3Server } from "./s3_server.ts";
import { sendSigned, type TestRequest } from "./signed_request.ts";
import { faultsOf, PASSING_FAULTS, randomFaults, type StoreFault } from "./store_faults.ts";

const BODY = "x".repeat(300_000);
const GET = { path: "/files/a" };
const PUT = { method: "PUT", path: "/files/a", body: BODY };

/** Plays a fault in the first request of a kind, and tells what came back. */
async function play(fault: StoreFault, request: typeof GET | typeof PUT): Promise<{ came: string; isThere: boolean }> {
  await using server = new S3Server();
  await using proxy = new FaultyProxy(server.endpoint, faultsOf(request === PUT ? "PutObject" : "GetObject", [fault]));
  if (request === GET) server.plant("a", new TextEncoder().encode(BODY));
  let came: string;
  try {
    const response = await sendSigned(proxy.endpoint, request);
    const text = await response.text();
    came = `${response.status} ${readText(text, "Code") ?? text.length} ${response.headers.get("etag")?.slice(0, 3)}`;
  } catch {
    came = "cut";
  }
  await statusOf(proxy, GET);
  assertEquals(proxy.played.length, 1);
  return { came, isThere: server.objects().has("a") };
}

/** Status of an answer, whose body is of no interest. */
async function statusOf(proxy: FaultyProxy, request: TestRequest): Promise<number> {
  const response = await sendSigned(proxy.endpoint, request);
  await response.body?.cancel();
  return response.status;
}

Deno.test("FaultyProxy leaves alone what it has no plan for", async () => {
  await using server = new S3Server();
  await using proxy = new FaultyProxy(server.endpoint);
  for (let count = 0; count < 3; count++) {
    assertEquals(await statusOf(proxy, PUT), 200);
    assertEquals(await (await sendSigned(proxy.endpoint, GET)).text(), BODY);
    assertEquals(await statusOf(proxy, { ...GET, method: "HEAD" }), 200);
    assertEquals(await statusOf(proxy, { ...GET, method: "DELETE" }), 204);
  }
});

Deno.test("FaultyProxy plays errors without asking the store, resets, lost and half answers, and wrong ETags", async () => {
  assertEquals(await play({ kind: "answer", code: "SlowDown" }, PUT), {
    came: "503 SlowDown undefined",
    isThere: false,
  });
  assertEquals(await play({ kind: "errorIn200", code: "InternalError" }, PUT), {
    came: "200 InternalError undefined",
    isThere: false,
  });
  assertEquals(await play({ kind: "resetBefore" }, PUT), { came: "cut", isThere: false });
  assertEquals(await play({ kind: "resetInside" }, PUT), { came: "cut", isThere: false });
  assertEquals(await play({ kind: "loseAnswer" }, PUT), { came: "cut", isThere: true });
  assertEquals(await play({ kind: "halfAnswer" }, PUT), { came: "cut", isThere: true });
  assertEquals(await play({ kind: "halfAnswer" }, GET), { came: "cut", isThere: true });
  assertEquals(await play({ kind: "wrongEtag" }, PUT), { came: '200 0 "04', isThere: true });
});

Deno.test("FaultyProxy lets a client wait, before and after the store has done it, until it goes", async () => {
  for (const isDone of [false, true]) {
    await using server = new S3Server();
    await using proxy = new FaultyProxy(server.endpoint, faultsOf("PutObject", [{ kind: "hang", isDone }]));
    const waiting = assertRejects(() => sendSigned(proxy.endpoint, PUT));
    const deadline = Date.now() + 10_000;
    while (server.objects().has("a") !== isDone && Date.now() < deadline) {
      await statusOf(proxy, GET);
    }
    assertEquals(server.objects().has("a"), isDone);
    await proxy[Symbol.asyncDispose]();
    await waiting;
  }
});

Deno.test("FaultyProxy lets bytes pass as slowly as it is told", async () => {
  await using server = new S3Server();
  const fault: StoreFault = { kind: "throttle", bytesPerSecond: 1_000_000 };
  await using proxy = new FaultyProxy(server.endpoint, faultsOf("PutObject", [fault]));
  const begin = performance.now();
  assertEquals(await statusOf(proxy, PUT), 200);
  assertGreater(performance.now() - begin, 250);
});

Deno.test("randomFaults() plays the same for the same seed, and only what can happen to a request", () => {
  const request = { operation: "HeadObject", key: "a", bytes: 0 } as const;
  const drawn = () => Array.from({ length: 200 }, () => plan(request)?.kind);
  let plan = randomFaults(1, 2, PASSING_FAULTS);
  const first = drawn();
  plan = randomFaults(1, 2, PASSING_FAULTS);
  assertEquals(drawn(), first);
  assertEquals(new Set(first), new Set([undefined, "answer", "halfAnswer", "hang", "loseAnswer", "resetBefore"]));
});
