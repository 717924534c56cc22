import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { startTransfer } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { SteppedClock } from "../helpers/stepped_clock.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const STEPS_MS = [400 * DAY_MS, -400 * DAY_MS, 0];
const CONTENT = new Uint8Array(50_000).fill(7);

Deno.test("No session, transfer, rate or remembered login is cut when the clock is set", async () => {
  using clock = new SteppedClock();
  await using server = await TestServer.start({
    server: { transfer: { bandwidth: { upload: 500_000, download: 500_000 } }, timeouts: { idle: 3600, data: 3600 } },
  });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await client.store("file", CONTENT);
  for (const step of STEPS_MS) {
    await using data = await startTransfer(client, "STOR other");
    await data.write(CONTENT);
    clock.set(step);
    await data.write(CONTENT);
    await data.finish();
    assertStrictEquals((await client.readReply("STOR")).code, 226);
    assertEquals(await client.retrieve("file"), CONTENT);
    await using next = await server.login();
    await next.expect(200, "NOOP");
  }
  assertEquals(server.events.filter(({ event }) => event === "internalError"), []);
  for (const event of server.events) {
    if (event.event === "fileReceived" || event.event === "fileSent") assertLess(event.seconds, 3600);
  }
});

Deno.test("Nobody gets round a ban, or into one, when the clock is set", async () => {
  using clock = new SteppedClock();
  await using server = await TestServer.start({
    server: { ban: { failures: 2, window: 3600, duration: 3600 }, timeouts: { failedLogin: 0 } },
  });
  await failLogin(server);
  clock.set(-400 * DAY_MS);
  await failLogin(server);
  for (const step of [...STEPS_MS, 400 * DAY_MS]) {
    clock.set(step);
    await using client = await RawClient.connect({ host: "127.0.0.1", port: server.port });
    assertStrictEquals((await client.readReply("connecting")).code, 421);
  }
});

async function failLogin(server: TestServer): Promise<void> {
  await using client = await server.connect();
  await client.expect(331, `USER ${USER.name}`);
  // The last one that is let go is told of the ban.
  assert([421, 530].includes((await client.command("PASS wrong")).code));
}
