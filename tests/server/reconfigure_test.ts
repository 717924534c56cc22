import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { RISK_IDS } from "../../lib/settings/risks.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { ConnectionError } from "../../lib/transport/connection.ts";
import { describeCertificate } from "../../lib/transport/tls_context.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { testCertificate } from "../helpers/test_server.ts";

const PAIR = await testCertificate();
const OTHER = await createEphemeralCertificate({ names: ["localhost"] });
const CLIENT_CERTIFICATES = { mode: "require", ca: OTHER.certificate } as const;
const ANY_PORT = [{ host: "127.0.0.1", port: 0 }] as const;

/** Options that accept every risk, so that only the rest is judged. */
function optionsWith(options: Partial<FtpServerOptions> = {}): FtpServerOptions {
  const authorizer = new VirtualAuthorizer();
  authorizer.addAnonymous(new MemoryFileSystem());
  return { authorizer, listen: ANY_PORT, acceptRisks: RISK_IDS, timeouts: { failedLogin: 0 }, ...options };
}

async function connect(server: FtpServer): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  await client.readReply();
  return client;
}

/** What becomes of a client without a certificate. */
async function meet(server: FtpServer): Promise<"admitted" | "refused"> {
  await using client = await connect(server);
  try {
    await client.startTls();
    await client.expect(200, "NOOP");
    return "admitted";
  } catch (error) {
    assertMatch(`${error} ${(error as ConnectionError).cause}`, /closed|ended|reset|alert|end/i);
    return "refused";
  }
}

Deno.test("FtpServer.reconfigure() that is refused keeps asking clients for certificates", async () => {
  const options = optionsWith({ tls: { ...PAIR, clientCertificates: CLIENT_CERTIFICATES } });
  await using server = new FtpServer(options);
  await server.listen();
  assertEquals(await meet(server), "refused");
  // Each drops the certificates of clients, and has something beside it that cannot be used.
  const unusable: readonly Partial<FtpServerOptions>[] = [
    { tls: { certificate: PAIR.certificate, key: OTHER.key } },
    { tls: { ...PAIR }, limits: { connections: -1 } },
    { tls: { ...PAIR }, ban: { duration: 0 } },
    { tls: { ...PAIR }, commands: { disabled: ["NONE"] } },
    { tls: { ...PAIR }, listen: [] },
    { tls: { certificate: PAIR.certificate } },
  ];
  for (const change of unusable) {
    await assertRejects(() => server.reconfigure({ ...options, ...change }));
    assertEquals(await meet(server), "refused", Object.keys(change).join());
  }
  await server.reconfigure({ ...options, tls: PAIR });
  assertEquals(await meet(server), "admitted");
});

Deno.test("FtpServer.prepare() changes nothing until what it returns is called", async () => {
  const options = optionsWith({ banner: "before", tls: PAIR });
  await using server = new FtpServer(options);
  await server.listen();
  const use = await server.prepare({ ...options, banner: "after", tls: OTHER, limits: { connections: 1 } });
  assertEquals(server.certificate?.fingerprint, describeCertificate(PAIR).fingerprint);
  await using _one = await connect(server);
  await using _two = await connect(server);
  use();
  assertEquals(server.certificate?.fingerprint, describeCertificate(OTHER).fingerprint);
  await using third = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  assertEquals((await third.readReply()).code, 421);
});

Deno.test("FtpServer.reconfigure() before listen() takes everything but who is told of events", async () => {
  const events: string[] = [];
  const options = optionsWith({ tls: { policy: "off" }, onEvent: ({ event }) => events.push(event) });
  await using server = new FtpServer(options);
  await server.reconfigure(optionsWith({
    listen: [{ host: "127.0.0.1", port: 0, tls: "implicit" }],
    tls: { ...OTHER, maxVersion: "TLSv1.2", clientCertificates: CLIENT_CERTIFICATES },
    encoding: "windows-1252",
    onEvent: () => events.push("told another one"),
  }));
  await server.listen();
  assertEquals(server.addresses[0]?.tls, "implicit");
  assertEquals(server.certificate?.fingerprint, describeCertificate(OTHER).fingerprint);
  await assertRejects(async () => {
    await using client = await RawClient.connect({
      host: "127.0.0.1",
      port: server.addresses[0]?.port ?? 0,
      tls: "implicit",
    });
    await client.readReply();
  });
  assertEquals(events[0], "listening");
  assert(!events.includes("told another one"));
});

Deno.test("FtpServer.reconfigure() while it begins to listen uses the new certificate", async () => {
  const options = optionsWith({ tls: PAIR });
  await using server = new FtpServer(options);
  const listening = server.listen();
  const reconfiguring = server.reconfigure({ ...options, tls: { ...OTHER, clientCertificates: CLIENT_CERTIFICATES } });
  await listening;
  await reconfiguring;
  assertEquals(server.certificate?.fingerprint, describeCertificate(OTHER).fingerprint);
  assertEquals(await meet(server), "refused");
});

Deno.test("FtpServer.reconfigure() makes one change after the other", async () => {
  const options = optionsWith({ tls: PAIR });
  await using server = new FtpServer(options);
  await server.listen();
  // The first takes longer, since its certificate is tried.
  const changes = [
    server.reconfigure({ ...options, tls: OTHER, banner: "first" }),
    assertRejects(() => server.reconfigure({ ...options, banner: "second", listen: [] }), TypeError),
    server.reconfigure({ ...options, tls: {}, banner: "third" }),
  ];
  await Promise.all(changes);
  assertEquals(server.certificate?.fingerprint, describeCertificate(OTHER).fingerprint);
  await using client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  assertEquals((await client.readReply()).text, "220 third");
});

Deno.test("FtpServer.reconfigure() keeps all of TLS where the policy goes from or to off", async () => {
  const off = optionsWith({ tls: { policy: "off" } });
  await using clear = new FtpServer(off);
  await clear.listen();
  await clear.reconfigure({ ...off, tls: { ...PAIR, policy: "required", clientCertificates: CLIENT_CERTIFICATES } });
  await using client = await connect(clear);
  await client.expect(331, "USER anonymous");
  await client.expect(230, "PASS guest");
  await client.expect(227, "PASV");
  await client.expect(502, "AUTH TLS");

  const required = optionsWith({ tls: PAIR });
  await using secure = new FtpServer(required);
  await secure.listen();
  await secure.reconfigure({ ...required, tls: { policy: "off" } });
  await using other = await connect(secure);
  await other.expect(550, "USER anonymous");
  await other.startTls();
  await other.expect(200, "PBSZ 0");
  await other.expect(534, "PROT C");
});

Deno.test("FtpServer.reconfigure() keeps the passive range, the encoding and the versions of TLS", async () => {
  const options = optionsWith({ tls: { ...PAIR, maxVersion: "TLSv1.2" } });
  await using server = new FtpServer(options);
  await server.listen();
  const { maxVersion: _, ...tls } = options.tls ?? {};
  await server.reconfigure({ ...options, tls, passive: { ports: { from: 1, to: 1 } }, encoding: "cp850" });
  await using client = await connect(server);
  await client.startTls();
  assertEquals(client.tls?.getProtocol(), "TLSv1.2");
  await client.login("anonymous", "guest");
  await client.expect(229, "EPSV");
});

/** Options of which each value is sound, and which contradict each other. */
const CONTRADICTORY: readonly (readonly [options: Partial<FtpServerOptions>, message: string])[] = [
  [{ listen: [] }, "Cannot use listen: has no entry"],
  [{ listen: [{ tls: "implicit" }], tls: { policy: "off" } }, "Cannot use listen[0].tls: is implicit, but"],
  [{ listen: [{}, { tls: "implicit" }] }, "Cannot use listen[1]: 127.0.0.1 port 2121 is taken by listen[0]"],
  [{ tls: { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" } }, "Cannot use tls.minVersion: is newer"],
  [{ passive: { ports: { from: 2000, to: 3000 } }, listen: [{}] }, "Cannot use listen[0].port: port 2121"],
  ...(["off", "optional"] as const).map((policy) =>
    [
      { tls: { policy, clientCertificates: CLIENT_CERTIFICATES } },
      `Cannot use tls.clientCertificates.mode: is require, but tls.policy is ${policy}`,
    ] as const
  ),
];

for (const [change, message] of CONTRADICTORY) {
  Deno.test(`FtpServer refuses ${message.slice("Cannot use ".length)}, and reconfigure() does`, async () => {
    assertThrows(() => new FtpServer(optionsWith(change)), TypeError, message);
    const server = new FtpServer(optionsWith());
    await assertRejects(() => server.reconfigure(optionsWith(change)), TypeError, message);
  });
}
