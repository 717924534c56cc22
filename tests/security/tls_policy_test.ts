import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect } from "node:net";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { TlsPolicy } from "../../lib/settings/settings.ts";
import { startTransfer } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { opened, RawDataConnection } from "../helpers/raw_data_connection.ts";
import { SocketReader } from "../helpers/socket_reader.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** What a policy answers, line by line: first in clear, then, where AUTH is accepted, in TLS. */
const POLICIES: Readonly<Record<TlsPolicy, { readonly clear: readonly Step[]; readonly tls: readonly Step[] }>> = {
  required: {
    clear: [
      ["USER user", 550],
      ["PASS 12345", 550],
      ["CWD /", 550],
      ["PASV", 550],
      ["LIST", 550],
      ["PBSZ 0", 503],
      ["PROT P", 503],
    ],
    tls: [
      ["USER user", 331],
      ["PASS 12345", 230],
      ["PASV", 550],
      ["EPSV", 550],
      ["PORT 127,0,0,1,200,0", 550],
      ["EPRT |1|127.0.0.1|51200|", 550],
      ["RETR /none", 521],
      ["STOR /none", 521],
      ["LIST", 521],
      ["PROT P", 503],
      ["PBSZ 0", 200],
      ["PROT C", 534],
      ["PASV", 550],
      ["PROT P", 200],
      ["PROT C", 534],
      ["PASV", 227],
      ["EPSV", 229],
      ["CCC", 534],
      ["PWD", 257],
    ],
  },
  control: {
    clear: [["USER user", 550], ["PASS 12345", 550], ["PASV", 550]],
    tls: [
      ["USER user", 331],
      ["PASS 12345", 230],
      ["RETR /none", 550],
      ["PASV", 227],
      ["EPSV", 229],
      ["PBSZ 0", 200],
      ["PROT P", 200],
      ["PROT C", 200],
      ["EPSV", 229],
      ["CCC", 534],
    ],
  },
  optional: {
    clear: [["USER user", 331], ["PASS 12345", 230], ["PASV", 227], ["PBSZ 0", 503], ["PROT P", 503], ["CCC", 534]],
    tls: [["USER user", 331], ["PASS 12345", 230], ["EPSV", 229], ["PBSZ 0", 200], ["PROT P", 200], ["PROT C", 200]],
  },
  off: {
    clear: [["USER user", 331], ["PASS 12345", 230], ["PASV", 227], ["PBSZ 0", 503], ["PROT P", 503], ["CCC", 534]],
    tls: [],
  },
};

type Step = readonly [line: string, code: number];

for (const [policy, steps] of Object.entries(POLICIES) as [TlsPolicy, typeof POLICIES[TlsPolicy]][]) {
  Deno.test(`TLS policy "${policy}" admits and refuses what it says, in clear and in TLS`, async () => {
    await using server = await TestServer.start({ server: { tls: { policy } } });
    await using client = await RawClient.connect({ host: server.host, port: server.port });
    await client.readReply("connecting");
    const isOff = policy === "off";
    assertEquals(await codesOf(client, steps.clear), steps.clear);
    assertEquals((await client.startTls()).code, isOff ? 502 : 234);
    assertEquals(await codesOf(client, steps.tls), steps.tls);
    const started = server.events.filter((event) => event.event === "secured");
    assertEquals(started.length, isOff ? 0 : 1);
  });
}

async function codesOf(client: RawClient, steps: readonly Step[]): Promise<Step[]> {
  const answered: Step[] = [];
  for (const [line] of steps) answered.push([line, (await client.command(line)).code]);
  return answered;
}

Deno.test("USER in clear names the reason, before any password is asked for", async () => {
  await using server = await TestServer.start();
  await using client = await RawClient.connect({ host: server.host, port: server.port });
  await client.readReply("connecting");
  assertEquals((await client.command("USER user")).text, "550 SSL/TLS required on the control channel.");
});

for (const command of ["RETR /file", "STOR /file", "LIST"]) {
  Deno.test(`${command} refuses a clear data connection on a port of PROT P, and the session goes on`, async () => {
    await using server = await TestServer.start({ home: new MemoryFileSystem() });
    await using client = await server.login();
    const content = new TextEncoder().encode("content");
    await client.store("/file", content);
    {
      await using data = await client.passive();
      await client.expect(150, command);
      await data.write(new TextEncoder().encode("in clear, and no ClientHello"));
      assertEquals((await client.readReply(command)).code, 425);
      const alert = await data.readAll().catch(() => new Uint8Array(0));
      assert(alert.length === 0 || alert[0] === 0x15, "a TLS alert is all that may be said");
    }
    await client.expect(200, "NOOP");
    if (!command.startsWith("STOR")) assertEquals(await client.retrieve("/file"), content);
    assert((await client.list()).includes("file"));
  });
}

Deno.test("PROT C and CCC lead no session back to clear: it goes on, and so do protected transfers", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/file": "content" }) });
  await using client = await server.login();
  for (const line of ["PROT C", "CCC", "PROT C\t", "prot c", "ccc"]) {
    const { code } = await client.command(line);
    assert(code >= 500, `${code} to ${line}`);
    await using data = await client.passive();
    await client.expect(150, "RETR /file");
    await data.secure();
    assertEquals(new TextDecoder().decode(await data.readAll()), "content");
    assert(data.tls !== undefined && client.tls !== undefined);
    assertEquals((await client.readReply("RETR")).code, 226);
  }
  const protections = server.events.flatMap((event) => event.event === "secured" ? [event.protocol] : []);
  assertEquals(protections, ["TLSv1.3"]);
});

Deno.test("RETR gives up on a data connection of PROT P that never begins a handshake", async () => {
  await using server = await TestServer.start({ server: { timeouts: { handshake: 0.2 } } });
  await using client = await server.login();
  await client.store("/file", new Uint8Array(9));
  await using data = await client.passive();
  await client.expect(150, "RETR /file");
  assertEquals((await client.readReply("RETR")).code, 425);
  assertEquals((await data.readAll().catch(() => new Uint8Array(0))).length, 0);
  assertEquals((await client.retrieve("/file")).length, 9);
});

const ALPN_LISTS: readonly {
  readonly offered: readonly string[];
  readonly control: boolean;
  readonly data: boolean;
}[] = [
  { offered: [], control: true, data: true },
  { offered: ["ftp"], control: true, data: true },
  { offered: ["h2", "ftp"], control: true, data: true },
  { offered: ["ftp-data"], control: false, data: true },
  { offered: ["http/1.1"], control: false, data: false },
  { offered: ["h2", "http/1.1", "smtp"], control: false, data: false },
];

for (const { offered, control, data } of ALPN_LISTS) {
  const names = offered.length === 0 ? "no ALPN list" : `ALPN ${offered.join()}`;
  const tlsOptions = offered.length === 0 ? {} : { ALPNProtocols: [...offered] };

  for (const protection of ["explicit", "implicit"] as const) {
    Deno.test(`FtpServer ${control ? "accepts" : "refuses"} ${names} on ${protection} control connections`, async () => {
      await using server = await TestServer.start({ protection });
      if (!control) {
        await assertRejects(() => server.connect({ tlsOptions }));
        assert(!server.events.some((event) => event.event === "secured"));
        return;
      }
      await using client = await server.connect({ tlsOptions });
      await client.login(USER.name, USER.password);
    });
  }

  for (const command of ["STOR /file", "LIST"]) {
    Deno.test(`${command} ${data ? "accepts" : "refuses"} ${names} on the data connection`, async () => {
      await using server = await TestServer.start();
      await using client = await server.login();
      const { text } = await client.expect(229, "EPSV");
      await using connection = await RawDataConnection.connect({
        host: server.host,
        port: Number(/\d{2,}/.exec(text.slice(4))?.[0]),
        tls: { rejectUnauthorized: false, ...tlsOptions },
        deadlineMs: 10_000,
      });
      await client.expect(150, command);
      if (data) {
        await connection.secure();
        await connection.finish();
      } else {
        await assertRejects(() => connection.secure());
      }
      assertEquals((await client.readReply(command)).code, data ? 226 : 425);
    });
  }
}

Deno.test("FtpServer refuses TLS 1.2 where tls.minVersion is TLSv1.3", async () => {
  await using server = await TestServer.start({ server: { tls: { minVersion: "TLSv1.3" } } });
  await assertRejects(() => server.connect({ tlsOptions: { maxVersion: "TLSv1.2" } }));
  await using client = await server.login();
  await using data = await startTransfer(client, "LIST");
  assertEquals([client.tls?.getProtocol(), data.tls?.getProtocol()], ["TLSv1.3", "TLSv1.3"]);
  await data.readAll();
  await client.readReply("LIST");
});

const HANDSHAKE = 0x16;
const ALERT = 0x15;

for (const [version, minor, answer] of [["1.0", 1, ALERT], ["1.1", 2, ALERT], ["1.2", 3, HANDSHAKE]] as const) {
  Deno.test(`FtpServer ${answer === ALERT ? "refuses" : "accepts"} a ClientHello of TLS ${version}`, async () => {
    await using server = await TestServer.start({ protection: "implicit", server: { timeouts: { handshake: 1 } } });
    const socket = connect({ host: server.host, port: server.port });
    await opened(socket, "connect", "a connection", 10_000);
    const reader = new SocketReader(socket, 10_000);
    socket.write(clientHello(minor));
    await reader.ended("the end of the refused, or never completed, handshake");
    assertEquals(reader.pending[0], answer);
    assert(!server.events.some((event) => event.event === "secured"));
    socket.destroy();
  });
}

/** A ClientHello (RFC 5246 §7.4.1.2) that only its version keeps from being answered. */
function clientHello(minor: number): Uint8Array {
  const suites = [0xc0, 0x2b, 0xc0, 0x09]; // ECDHE-ECDSA with AES-128, in GCM and in CBC
  const groups = [0, 10, 0, 4, 0, 2, 0, 23];
  const signatures = [0, 13, 0, 4, 0, 2, 4, 3];
  const extensions = [...groups, ...signatures];
  const random = crypto.getRandomValues(new Uint8Array(32));
  const body = [3, minor, ...random, 0, 0, suites.length, ...suites, 1, 0, 0, extensions.length, ...extensions];
  return Uint8Array.from([HANDSHAKE, 3, 1, 0, body.length + 4, 1, 0, 0, body.length, ...body]);
}
