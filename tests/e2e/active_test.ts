import { assertEquals, assertRejects } from "@std/assert";
import { connect as connectTls } from "node:tls";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue, assertReplies } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer, type TestServerOptions } from "../helpers/test_server.ts";

const HOME = MemoryFileSystem.of({ "/a.txt": "content" });
const OFF = "502 Active mode is off, use PASV or EPSV.";

function start(host: string, options: TestServerOptions = {}): Promise<TestServer> {
  const server = { active: { enabled: true }, ...options.server };
  return TestServer.start({ protection: "clear", host, home: HOME, ...options, server });
}

/** The argument of PORT or EPRT for an address. */
const ARGUMENTS = {
  PORT: (host: string, port: number) => `${host.replaceAll(".", ",")},${port >> 8},${port & 255}`,
  EPRT: (host: string, port: number) => `|${host.includes(":") ? 2 : 1}|${host}|${port}|`,
};

for (const [verb, host] of [["PORT", "127.0.0.1"], ["EPRT", "127.0.0.1"], ["EPRT", "::1"]] as const) {
  Deno.test(`${verb} connects to the client before it replies 200: ${host}`, async () => {
    await using server = await start(host);
    await using client = await server.login();
    using listener = Deno.listen({ hostname: host, port: 0 });
    const accepted = listener.accept();
    await assertDialogue(client, [
      [`${verb} ${ARGUMENTS[verb](host, listener.addr.port)}`, "200 Active data connection established."],
    ]);
    const data = await accepted;
    assertEquals((data.remoteAddr as Deno.NetAddr).hostname, host);
    await client.expect(150, "RETR /a.txt");
    assertEquals(await new Response(data.readable).text(), "content");
    await assertReplies(client, ["226 Transfer complete."]);
  });
}

Deno.test("EPRT with the unspecified address of IPv6 means the client's", async () => {
  await using server = await start("::1");
  await using client = await server.login();
  using listener = Deno.listen({ hostname: "::1", port: 0 });
  const accepted = listener.accept();
  await client.expect(200, `EPRT ${ARGUMENTS.EPRT("::", listener.addr.port)}`);
  using data = await accepted;
  assertEquals((data.remoteAddr as Deno.NetAddr).hostname, "::1");
});

Deno.test("PORT takes uploads, too", async () => {
  const home = new MemoryFileSystem();
  await using server = await start("127.0.0.1", { home });
  await using client = await server.login();
  const data = await dialled(client);
  await client.expect(150, "STOR /b");
  await data.write(new TextEncoder().encode("abc"));
  data.close();
  await assertReplies(client, ["226 Transfer complete."]);
  assertEquals((await home.stat("/b")).size, 3);
});

Deno.test("PORT keeps the server in the TLS server role", async () => {
  await using server = await start("127.0.0.1", { protection: "explicit" });
  await using client = await server.login();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  await client.expect(200, `PORT ${ARGUMENTS.PORT("127.0.0.1", listener.addr.port)}`);
  await client.expect(150, "RETR /a.txt");
  using relay = await TcpRelay.start(await accepted);
  assertEquals(await readTls(relay.port), "content");
  await assertReplies(client, ["226 Transfer complete."]);
});

Deno.test("PORT and EPRT reply 425 when nobody accepts there", async () => {
  await using server = await start("127.0.0.1");
  await using client = await server.login();
  const port = unusedPort();
  for (const verb of ["PORT", "EPRT"] as const) {
    await assertDialogue(client, [
      [`${verb} ${ARGUMENTS[verb]("127.0.0.1", port)}`, "425 Can't connect to specified address."],
      ["RETR /a.txt", /^425 /],
    ]);
  }
});

Deno.test("PORT replies 501 to what is no address", async () => {
  await using server = await start("127.0.0.1");
  await using client = await server.login();
  for (
    const argument of [
      "127,0,0,1,1",
      "127,0,0,1,1,1,1",
      "256,0,0,1,200,1",
      "127,0,0,1,256,1",
      "a,b,c,d,e,f",
      "1.2.3.4,1,1",
    ]
  ) {
    await assertDialogue(client, [[`PORT ${argument}`, "501 Invalid PORT format."]]);
  }
});

Deno.test("EPRT replies 501 to what is no address, and 522 to the other family before that", async () => {
  await using server = await start("127.0.0.1");
  await using client = await server.login();
  for (
    const argument of [
      "",
      "|",
      "|1|127.0.0.1|",
      "|1|127.0.0.1|99999|",
      "|1|127.0.0.1|2000",
      "|1|::1|2000|",
      "|1|x|2000|",
    ]
  ) {
    const text = argument === "" ? "501 Syntax error: command needs an argument." : "501 Invalid EPRT format.";
    await assertDialogue(client, [[`EPRT ${argument}`, text]]);
  }
  await assertDialogue(client, [
    ["EPRT |2|::1|2000|", "522 Network protocol not supported, use (1)."],
    ["EPRT |2|nonsense|2000|", "522 Network protocol not supported, use (1)."],
    ["EPRT |3|127.0.0.1|2000|", "522 Network protocol not supported, use (1,2)."],
  ]);
});

Deno.test("PORT and EPRT refuse foreign addresses, then privileged ports", async () => {
  await using server = await start("127.0.0.1");
  await using client = await server.login();
  for (const verb of ["PORT", "EPRT"] as const) {
    await assertDialogue(client, [
      [
        `${verb} ${ARGUMENTS[verb]("127.0.0.2", 80)}`,
        "501 Rejected data connection to foreign address 127.0.0.2:80.",
      ],
      [`${verb} ${ARGUMENTS[verb]("127.0.0.1", 80)}`, `501 ${verb} against the privileged port "80" refused.`],
      [`${verb} ${ARGUMENTS[verb]("127.0.0.1", 1023)}`, `501 ${verb} against the privileged port "1023" refused.`],
      [`${verb} ${ARGUMENTS[verb]("127.0.0.1", 0)}`, `501 ${verb} against the privileged port "0" refused.`],
    ]);
  }
});

Deno.test("PORT dials privileged ports and foreign addresses where that is allowed", async () => {
  const active = { enabled: true, foreignAddresses: true, privilegedPorts: true };
  await using server = await start("127.0.0.1", { server: { active } });
  await using client = await server.login();
  const refused = "425 Can't connect to specified address.";
  await assertDialogue(client, [
    ["PORT 127,0,0,1,0,1", refused],
    ["EPRT |1|127.0.0.1|1|", refused],
    ["EPRT |1|localhost|2000|", "501 Invalid EPRT format."],
  ]);
});

Deno.test("PORT and EPRT reply 502 by default, and dial nobody", async () => {
  await using server = await TestServer.start({ protection: "clear" });
  await using client = await server.login();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  for (const verb of ["PORT", "EPRT"] as const) {
    await assertDialogue(client, [
      [`${verb} ${ARGUMENTS[verb]("127.0.0.1", listener.addr.port)}`, OFF],
      [`${verb} ${ARGUMENTS[verb]("192.0.2.1", 80)}`, OFF],
    ]);
  }
  using ours = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using first = await accepted;
  assertEquals(first.remoteAddr, ours.localAddr);
});

Deno.test("PORT of a client that is gone before the transfer does not disturb the session", async () => {
  await using server = await start("127.0.0.1");
  await using client = await server.login();
  (await dialled(client)).close();
  await client.expect(150, "STOR /gone");
  assertEquals((await client.readReply()).code, 226);
  assertEquals(new TextDecoder().decode(await client.retrieve("/a.txt")), "content");
});

Deno.test("PORT replaces a passive port", async () => {
  await using server = await start("127.0.0.1");
  await using client = await server.login();
  const { text } = await client.expect(229, "EPSV");
  using _data = await dialled(client);
  const port = Number(/(\d+)\|\)/.exec(text)?.[1]);
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

/** Lets the server dial; gives our end. */
async function dialled(client: RawClient): Promise<Deno.Conn> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  await client.expect(200, `PORT ${ARGUMENTS.PORT("127.0.0.1", listener.addr.port)}`);
  return await accepted;
}

function unusedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Leads a port of ours to a connection of the runtime, which `node:tls` cannot use itself. */
class TcpRelay implements Disposable {
  readonly port: number;
  readonly #listener: Deno.TcpListener;

  private constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.port = listener.addr.port;
  }

  static start(target: Deno.Conn): TcpRelay {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    listener.accept().then((source) =>
      Promise.all([source.readable.pipeTo(target.writable), target.readable.pipeTo(source.writable)])
    ).catch(() => {}); // One end closes before the other.
    return new TcpRelay(listener);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** Reads from a TLS server to the end. */
async function readTls(port: number): Promise<string> {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  socket.on("data", (bytes: Uint8Array) => text += new TextDecoder().decode(bytes));
  socket.on("end", () => socket.end()).once("close", () => resolve(text)).once("error", reject);
  return await promise;
}
