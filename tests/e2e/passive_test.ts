import { assertEquals, assertGreaterOrEqual, assertLessOrEqual, assertMatch, assertRejects } from "@std/assert";
import type { PortRange } from "../../lib/settings/forms.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { programTest } from "../helpers/client_program.ts";
import { assertDialogue, assertReplies, type Exchange } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { type Protection, PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const CLEAR = { protection: "clear" } as const;
const HOME = MemoryFileSystem.of({ "/a.txt": "content" });

/** Sends PASV and tells the address of the reply. */
async function pasv(client: RawClient): Promise<{ readonly host: string; readonly port: number }> {
  const { text } = await client.expect(227, "PASV");
  const numbers = /^227 Entering Passive Mode \((\d+(?:,\d+){5})\)\.$/.exec(text)?.[1]?.split(",") ?? [];
  return { host: numbers.slice(0, 4).join("."), port: Number(numbers[4]) * 256 + Number(numbers[5]) };
}

async function epsv(client: RawClient, argument = ""): Promise<number> {
  const { text } = await client.expect(229, `EPSV${argument}`);
  return Number(/^229 Entering Extended Passive Mode \(\|\|\|(\d+)\|\)$/.exec(text)?.[1]);
}

/** Fetches /a.txt over a port that is open already. */
async function fetch(client: RawClient, host: string, port: number): Promise<string> {
  await using data = await RawDataConnection.connect({ host, port, deadlineMs: 10_000 });
  await client.expect(150, "RETR /a.txt");
  const bytes = await data.readAll();
  await assertReplies(client, ["226 Transfer complete."]);
  return new TextDecoder().decode(bytes);
}

Deno.test("PASV announces the local address and a port that takes the data connection", async () => {
  await using server = await TestServer.start({ ...CLEAR, home: HOME });
  await using client = await server.login();
  const { host, port } = await pasv(client);
  assertEquals(host, "127.0.0.1");
  assertEquals(await fetch(client, host, port), "content");
});

Deno.test("PASV announces the configured address, that of the local one first", async () => {
  const addresses = { "127.0.0.1": "198.51.100.8" };
  for (
    const [passive, host] of [
      [{ address: "203.0.113.7" }, "203.0.113.7"],
      [{ address: "203.0.113.7", addresses }, "198.51.100.8"],
    ] as const
  ) {
    await using server = await TestServer.start({ ...CLEAR, home: HOME, server: { passive } });
    await using client = await server.login();
    const announced = await pasv(client);
    assertEquals(announced.host, host);
    assertEquals(await fetch(client, server.host, announced.port), "content");
  }
});

for (const [host, right, wrong] of [["127.0.0.1", "1", "2"], ["::1", "2", "1"]] as const) {
  Deno.test(`EPSV opens a port in the family of the control connection: ${host}`, async () => {
    await using server = await TestServer.start({ ...CLEAR, host, home: HOME });
    await using client = await server.login();
    assertEquals(await fetch(client, host, await epsv(client)), "content");
    assertEquals(await fetch(client, host, await epsv(client, ` ${right}`)), "content");
    await assertDialogue(client, [
      [`EPSV ${wrong}`, `522 Network protocol not supported, use (${right}).`],
      ["EPSV 3", "522 Network protocol not supported, use (1,2)."],
      ["EPSV x", "522 Network protocol not supported, use (1,2)."],
    ]);
  });
}

Deno.test("PASV replies 522 over IPv6, where 227 has no place for the address", async () => {
  await using server = await TestServer.start({ ...CLEAR, host: "::1" });
  await using client = await server.login();
  await assertDialogue(client, [["PASV", "522 Network protocol not supported, use EPSV (2)."]]);
});

Deno.test("EPSV ALL forbids PASV, PORT and EPRT for good", async () => {
  await using server = await TestServer.start({ ...CLEAR, home: HOME });
  await using client = await server.login();
  const forbidden: readonly Exchange[] = [
    ["PASV", "501 PASV not allowed after EPSV ALL."],
    ["PORT 127,0,0,1,200,1", "501 PORT not allowed after EPSV ALL."],
    ["EPRT |1|127.0.0.1|51201|", "501 EPRT not allowed after EPSV ALL."],
  ];
  await assertDialogue(client, [["EPSV all", "200 Other commands other than EPSV are now disabled."], ...forbidden]);
  assertEquals(await fetch(client, server.host, await epsv(client)), "content");
  await assertDialogue(client, [["REIN", /^230 /]]);
  await client.login("user", "12345");
  await assertDialogue(client, forbidden);
});

for (const protection of ["clear", "explicit"] as const) {
  Deno.test(`Passive ports come from the range only, and are given back at once: ${protection}`, async () => {
    const ports = freePorts();
    await using server = await TestServer.start({ protection, home: HOME, server: { passive: { ports } } });
    await using client = await server.login();
    for (let count = 0; count < 5; count++) {
      const port = await epsv(client);
      assertGreaterOrEqual(port, ports.from);
      assertLessOrEqual(port, ports.to);
    }
    assertEquals(new TextDecoder().decode(await client.retrieve("/a.txt")), "content");
  });
}

Deno.test("PASV and EPSV reply 425 when every port of the range is taken", async () => {
  const ports = freePorts(1);
  await using server = await TestServer.start({ ...CLEAR, server: { passive: { ports } } });
  await using first = await server.login();
  await using second = await server.login();
  await epsv(first);
  const exhausted = "425 No passive port is free. Try again later.";
  await assertDialogue(second, [["PASV", exhausted], ["EPSV", exhausted]]);
  await assertDialogue(first, [["ABOR", "225 ABOR command successful; data channel closed."]]);
  assertEquals(await epsv(second), ports.from);
});

for (const protection of PROTECTIONS) {
  Deno.test(`EPSV and PASV may be repeated where one port is all there is: ${protection}`, async () => {
    const ports = freePorts(1);
    await using server = await TestServer.start({ protection, server: { passive: { ports } } });
    await using client = await server.login();
    for (let count = 0; count < 10; count++) {
      assertEquals(await epsv(client), ports.from);
      await client.expect(227, "PASV");
    }
    const data = await RawDataConnection.connect({ host: server.host, port: ports.from, deadlineMs: 10_000 });
    assertEquals(await epsv(client), ports.from);
    await data[Symbol.asyncDispose]();
    await client.expect(225, "ABOR");
    assertEquals(await epsv(client), ports.from);
  });
}

Deno.test("A second PASV replaces the first, whose port is closed", async () => {
  await using server = await TestServer.start({ ...CLEAR, home: HOME });
  await using client = await server.login();
  const former = await epsv(client);
  const port = await epsv(client);
  await assertRejects(() => RawDataConnection.connect({ host: server.host, port: former, deadlineMs: 10_000 }));
  assertEquals(await fetch(client, server.host, port), "content");
});

// The runtime cannot dial from a chosen address without a permission for it.
const CONNECT_FROM_ELSEWHERE = `
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10, ("127.0.0.2", 0))
try:
    print(len(connection.recv(1)))
except ConnectionResetError:
    print(0)
`;

Deno.test(programTest({
  program: "python3",
  name: "A data connection from another address is dropped, and the port goes on waiting",
  fn: async () => {
    await using server = await TestServer.start({ ...CLEAR, home: HOME });
    await using client = await server.login();
    const { port } = await pasv(client);
    const stranger = new Deno.Command("python3", { args: ["-c", CONNECT_FROM_ELSEWHERE, String(port)] });
    assertEquals(new TextDecoder().decode((await stranger.output()).stdout).trim(), "0");
    const { reason, remote } = await server.event("connectionRefused");
    assertMatch(remote, /^127\.0\.0\.2:\d+$/);
    assertMatch(reason, /^data connection of session \S+ expected from 127\.0\.0\.1$/);
    assertEquals(await fetch(client, "127.0.0.1", port), "content");
  },
}));

Deno.test("Clients that reset their data connection at once disturb nobody", async () => {
  for (const protection of ["clear", "explicit"] satisfies Protection[]) {
    await using server = await TestServer.start({ protection, home: HOME });
    await using client = await server.login();
    for (let count = 0; count < 10; count++) {
      const data = await client.passive();
      await data.reset();
    }
    assertEquals(new TextDecoder().decode(await client.retrieve("/a.txt")), "content");
  }
});

Deno.test("Transfer commands reply 425 when no data connection was prepared", async () => {
  await using server = await TestServer.start({ home: HOME });
  await using client = await server.login();
  const unprepared = "425 Can't open data connection: use PASV or EPSV first.";
  for (const line of ["RETR /a.txt", "STOR /new", "APPE /new", "LIST", "NLST", "MLSD"]) {
    await assertDialogue(client, [[line, unprepared]]);
  }
});

Deno.test("STOR, APPE and STOU leave no file when no data connection was prepared", async () => {
  const home = MemoryFileSystem.of({ "/a.txt": "content" });
  await using server = await TestServer.start({ home, server: { timeouts: { passive: 0.1 } } });
  await using client = await server.login();
  for (const line of ["STOR /a.txt", "STOR /new", "APPE /new"]) await client.expect(425, line);
  for (const line of ["STOU", "STOU new"]) {
    await client.expect(150, line);
    await assertReplies(client, ["425 Can't open data connection."]);
  }
  const names = await Array.fromAsync(home.list("/"), ({ name }) => name);
  assertEquals([names, (await home.stat("/a.txt")).size], [["a.txt"], 7]);
});

Deno.test("STOU may go before PASV, and is ended by ABOR while it waits", async () => {
  const home = new MemoryFileSystem();
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  const [, name] = /FILE: (\S+)$/.exec((await client.expect(150, "STOU")).text) ?? [];
  {
    await using data = await client.passive();
    await data.secure();
    await data.write(new TextEncoder().encode("late"));
    await data.finish();
    await assertReplies(client, ["226 Transfer complete."]);
  }
  assertEquals(new TextDecoder().decode(await client.retrieve(`/${name}`)), "late");
  await client.expect(150, "STOU");
  await assertDialogue(client, [["NOOP", /^200 /], ["ABOR", "426 Connection closed; transfer aborted."]]);
  await assertReplies(client, ["226 ABOR command successful."]);
  assertEquals((await Array.fromAsync(home.list("/"))).length, 1);
});

/** A range of ports of which none is used now. */
function freePorts(count = 3): PortRange {
  for (;;) {
    using stack = new DisposableStack();
    const first = stack.use(Deno.listen({ hostname: "127.0.0.1", port: 0 })).addr.port;
    try {
      for (let port = first + 1; port < first + count; port++) {
        stack.use(Deno.listen({ hostname: "127.0.0.1", port }));
      }
      return { from: first, to: first + count - 1 };
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
