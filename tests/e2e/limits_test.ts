import { assertEquals } from "@std/assert";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { type Protection, TestServer, USER } from "../helpers/test_server.ts";

interface LimitCase {
  readonly limits: NonNullable<FtpServerOptions["limits"]>;
  readonly reason: string;
}

const NOT_LOGGED_IN = "Too many connections that have not logged in, try again later.";

const CASES: readonly LimitCase[] = [
  {
    limits: { connections: 2, connectionsBeforeLogin: 0 },
    reason: "Too many connections. Service temporarily unavailable.",
  },
  { limits: { connectionsPerAddress: 2 }, reason: "Too many connections from the same IP address." },
  { limits: { connectionsBeforeLogin: 2 }, reason: NOT_LOGGED_IN },
  { limits: { connections: 3 }, reason: NOT_LOGGED_IN },
];

for (const { limits, reason } of CASES) {
  for (const protection of ["explicit", "clear"] satisfies Protection[]) {
    Deno.test(`A client too many is greeted with 421 and closed: ${Deno.inspect(limits)}, ${protection}`, async () => {
      await using server = await TestServer.start({ protection, server: { limits } });
      await using first = await server.connect();
      await using second = await server.connect();
      await using third = await RawClient.connect({ host: server.host, port: server.port });
      assertEquals((await third.readReply()).text, `421 ${reason}`);
      assertEquals(await third.closed(), "end");
      assertEquals((await server.event("connectionRefused")).reason, reason);
      await first.expect(200, "NOOP");
      await second.expect(221, "QUIT");
      await server.event("disconnected");
      await using _fourth = await server.connect();
    });
  }
}

Deno.test("A client too many is closed without a word where TLS is implicit", async () => {
  await using server = await TestServer.start({ protection: "implicit", server: { limits: { connections: 1 } } });
  await using _first = await server.connect();
  await using second = await RawClient.connect({ host: server.host, port: server.port });
  await second.closed();
  assertEquals(second.pending.length, 0);
});

Deno.test("Clients that never log in leave half of the places to users, who keep theirs", async () => {
  await using server = await TestServer.start({ server: { limits: { connections: 4 }, timeouts: { login: 1 } } });
  await using user = await server.login();
  await using idler = await server.connect();
  await using other = await server.connect();
  await using refused = await RawClient.connect({ host: server.host, port: server.port });
  assertEquals((await refused.readReply()).text, `421 ${NOT_LOGGED_IN}`);
  // Who logs in gives the place back, and gets none of them again by REIN.
  await other.login(USER.name, USER.password);
  await other.expect(230, "REIN");
  await using last = await server.login();
  for (const client of [user, last]) await client.store("/file", new Uint8Array(9));
  await idler.closed(); // when its time is over
  await using _newcomer = await server.login();
});

Deno.test("Data connections do not count as connections", async () => {
  await using server = await TestServer.start({ server: { limits: { connections: 1, connectionsPerAddress: 1 } } });
  await using client = await server.login();
  await client.store("/a", new Uint8Array(10));
  assertEquals((await client.retrieve("/a")).length, 10);
});

Deno.test("A limit of 0 lets everybody in", async () => {
  await using server = await TestServer.start({
    protection: "clear",
    server: { limits: { connections: 0, connectionsPerAddress: 0 } },
  });
  await using stack = new AsyncDisposableStack();
  for (let count = 0; count < 20; count++) stack.use(await server.connect());
});

Deno.test("Clients that reset their connection at once disturb nobody, and do not count any more", async () => {
  await using server = await TestServer.start({ server: { limits: { connections: 3 } } });
  for (let count = 0; count < 10; count++) {
    const connection = await RawClient.connect({ host: server.host, port: server.port });
    await connection[Symbol.asyncDispose]();
    const before = count;
    await server.event("disconnected", () => countEvents(server, "disconnected") > before);
  }
  await using client = await server.login();
  await client.expect(200, "NOOP");
});

function countEvents(server: TestServer, name: string): number {
  return server.events.filter(({ event }) => event === name).length;
}
