import { assert, assertEquals, assertMatch } from "@std/assert";
import { MeasuredServer } from "../helpers/measured_server.ts";
import { RawClient } from "../helpers/raw_client.ts";

Deno.test("ftpsd logs an error that nobody caught with its stack, ends that session, and goes on", async () => {
  const program = new URL("planted_ftpsd.ts", import.meta.url).pathname;
  await using server = await MeasuredServer.start({ program });
  const told = server.event(({ event }) => event === "internalError");
  await using victim = await RawClient.connect({ host: "127.0.0.1", port: server.port });
  await victim.readReply();
  await victim.expect(234, "AUTH TLS");
  assertEquals(await victim.closed(), "end");
  const { uncaught, session, stack } = await told;
  assert(uncaught);
  assert(session !== undefined);
  assertMatch(stack ?? "", /^Error: planted\n +at /);
  await using client = await server.login();
  await client.expect(200, "NOOP");
});
