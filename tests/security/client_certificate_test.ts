import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ClientCertificatePolicy } from "../../lib/transport/client_certificates.ts";
import { type Connection, ConnectionError, type TlsInfo } from "../../lib/transport/connection.ts";
import { listenControl } from "../../lib/transport/node_control.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import { TlsContext, type TlsVersion } from "../../lib/transport/tls_context.ts";
import { programTest } from "../helpers/client_program.ts";
import { runProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { issue, type Issued, revoke, toPemList } from "../transport/client_pki.ts";
import { PAIR } from "../transport/tls_pairs.ts";

const VERSIONS: readonly TlsVersion[] = ["TLSv1.2", "TLSv1.3"];
const ANY_PORT = { host: "127.0.0.1", port: 0 };
const DAY_MS = 24 * 60 * 60 * 1000;
const OVERDUE = { nextUpdate: new Date(Date.now() - 1000) };
const LONG_AGO = { notBefore: new Date(Date.now() - 9 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
const NEXT_WEEK = { notBefore: new Date(Date.now() + DAY_MS), notAfter: new Date(Date.now() + 9 * DAY_MS) };

const CA = await issue("ftpsd CA", { isAuthority: true });
const SAME_NAME_CA = await issue("ftpsd CA", { isAuthority: true });
const OTHER_CA = await issue("other CA", { isAuthority: true });
const ALICE = await issue("alice", { issuer: CA });
const MALLORY = await issue("mallory", { issuer: OTHER_CA });
const SELF_SIGNED = await issue("alice");
const VERSION_1 = await issue("alice", { issuer: CA, version: 1 });
const VERSION_1_ROOT = await issue("alice", { version: 1 });
const EXPIRED_ROOT = await issue("alice", LONG_AGO);

const STAFF_CA = await issue("staff CA", { issuer: CA, isAuthority: true });
const NOBODY_REVOKED = toPemList(await revoke(CA, []));
const ALICE_REVOKED = toPemList(await revoke(CA, [ALICE]));
const STAFF_REVOKED = toPemList(await revoke(CA, [STAFF_CA]));

/** What became of a client. */
interface Outcome {
  /** What the server learned of it, or why it refused it. */
  readonly server: TlsInfo | string;
  readonly client: string;
}

/** How a client comes. */
interface Client {
  /** Absent: it shows no certificate. */
  readonly shown?: Issued | undefined;
  /** File to read a session from. */
  readonly session?: string;
  /** File to write its session to. */
  readonly keepSession?: string;
}

const CASES: readonly {
  readonly name: string;
  readonly shown: Issued | undefined;
  readonly ca?: string;
  readonly mode?: ClientCertificatePolicy["mode"];
  readonly crl?: string;
  /** Why it is refused; absent: it is let in. */
  readonly refused?: RegExp;
}[] = [
  { name: "lets a certificate of the CA in", shown: ALICE },
  { name: "lets a certificate of the CA in where none is required", shown: ALICE, mode: "request" },
  {
    name: "lets a certificate in that an intermediate CA has signed",
    shown: await issue("alice", { issuer: await issue("staff CA", { issuer: CA, isAuthority: true }) }),
  },
  { name: "lets a certificate in that is itself among the CAs", shown: SELF_SIGNED, ca: SELF_SIGNED.certificate },
  { name: "lets a client without a certificate in where none is required", shown: undefined, mode: "request" },
  { name: "refuses a client without a certificate", shown: undefined, refused: /no certificate/i },
  { name: "refuses a certificate of another CA", shown: MALLORY, refused: /"CN=mallory" is refused: [A-Z_]+$/ },
  {
    name: "refuses a certificate of another CA where none is required",
    shown: MALLORY,
    mode: "request",
    refused: /"CN=mallory" is refused: [A-Z_]+$/,
  },
  {
    name: "refuses a certificate of another CA that has the name of ours",
    shown: await issue("alice", { issuer: SAME_NAME_CA }),
    refused: /is refused: [A-Z_]+$/,
  },
  {
    name: "refuses a self-signed certificate, with the name of a good one",
    shown: SELF_SIGNED,
    refused: /is refused: [A-Z_]+$/,
  },
  {
    name: "refuses a certificate that a client's certificate has signed",
    shown: await issue("bob", { issuer: ALICE }),
    refused: /is refused: /,
  },
  { name: "refuses an expired certificate", shown: await issue("a", { issuer: CA, ...LONG_AGO }), refused: /expired/ },
  {
    name: "refuses an expired certificate that is itself among the CAs",
    shown: EXPIRED_ROOT,
    ca: EXPIRED_ROOT.certificate,
    refused: /expired/,
  },
  {
    name: "refuses a certificate that is not yet valid",
    shown: await issue("a", { issuer: CA, ...NEXT_WEEK }),
    refused: /not yet valid/,
  },
  {
    name: "refuses a certificate that is for servers only",
    shown: await issue("a", { issuer: CA, usage: x509.ExtendedKeyUsage.serverAuth }),
    refused: /is refused: /,
  },
  { name: "refuses an X.509 v1 certificate of the CA", shown: VERSION_1, refused: /version 3/ },
  {
    name: "refuses an X.509 v1 certificate that is itself among the CAs",
    shown: VERSION_1_ROOT,
    ca: VERSION_1_ROOT.certificate,
    refused: /version 3/,
  },
  { name: "lets a certificate in that is on no list of its CA", shown: ALICE, crl: NOBODY_REVOKED },
  { name: "refuses a revoked certificate", shown: ALICE, crl: ALICE_REVOKED, refused: /"CN=alice" .* it was revoked$/ },
  {
    name: "refuses a revoked certificate where none is required",
    shown: ALICE,
    mode: "request",
    crl: ALICE_REVOKED,
    refused: /it was revoked$/,
  },
  {
    name: "refuses everybody while the list is overdue",
    shown: ALICE,
    crl: toPemList(await revoke(CA, [], OVERDUE)),
    refused: /should have been renewed by/,
  },
  {
    name: "refuses a certificate whose CA has no list",
    shown: MALLORY,
    ca: CA.certificate + "\n" + OTHER_CA.certificate,
    crl: NOBODY_REVOKED,
    refused: /no revocation list of its CA/,
  },
  {
    name: "refuses a certificate of a CA that was revoked",
    shown: await issue("bob", { issuer: STAFF_CA }),
    ca: CA.certificate + "\n" + STAFF_CA.certificate,
    crl: STAFF_REVOKED + toPemList(await revoke(STAFF_CA, [])),
    refused: /its CA "CN=staff CA" was revoked/,
  },
  {
    name: "lets a certificate in that is itself among the CAs, which have no list of it",
    shown: SELF_SIGNED,
    ca: CA.certificate + "\n" + SELF_SIGNED.certificate,
    crl: ALICE_REVOKED,
  },
];

for (const version of VERSIONS) {
  for (const { name, shown, ca = CA.certificate, mode = "require", crl, refused } of CASES) {
    opensslTest(`ClientCertificates ${name}, ${version}`, async (folder) => {
      const context = createContext(version, { mode, ca, crl });
      const { server, client } = await meetControl(context, folder, { shown });
      if (refused === undefined) assertAdmitted({ server, client }, shown);
      else assertRefused({ server, client }, refused);
    });
  }

  opensslTest(`ClientCertificates admits a resumed session with its certificate, ${version}`, async (folder) => {
    const context = createContext(version, { mode: "require", ca: CA.certificate });
    const session = `${folder.path}/session.pem`;
    await meetControl(context, folder, { shown: ALICE, keepSession: session });
    context.prepare({ pair: { ...PAIR }, clientCertificates: { mode: "require", ca: CA.certificate } })();
    const outcome = await meetControl(context, folder, { session });
    assertAdmitted(outcome, ALICE);
    assert(typeof outcome.server === "object" && outcome.server.resumed);
  });

  opensslTest(`ClientCertificates refuses again who resumes a session of a refusal, ${version}`, async (folder) => {
    const context = createContext(version, { mode: "request", ca: CA.certificate });
    const session = `${folder.path}/session.pem`;
    assertRefused(await meetControl(context, folder, { shown: MALLORY, keepSession: session }), /CN=mallory/);
    await Deno.stat(session);
    for (const _ of [1, 2]) {
      assertRefused(await meetControl(context, folder, { session }), /not verified in the session that is resumed/);
    }
  });

  opensslTest(`ClientCertificates refuses a session that began under another CA, ${version}`, async (folder) => {
    const context = createContext(version, { mode: "require", ca: CA.certificate });
    const session = `${folder.path}/session.pem`;
    assertAdmitted(await meetControl(context, folder, { shown: ALICE, keepSession: session }), ALICE);
    context.prepare({ clientCertificates: { mode: "require", ca: OTHER_CA.certificate } })();
    assertRefused(await meetControl(context, folder, { session }), /not verified in the session that is resumed/);
    const other = createContext(version, { mode: "require", ca: OTHER_CA.certificate });
    assertRefused(await meetControl(other, folder, { session }), /not verified in the session that is resumed/);
    assertAdmitted(await meetControl(context, folder, { shown: MALLORY }), MALLORY);
  });

  opensslTest(
    `ClientCertificates refuses a session whose certificate was revoked since, ${version}`,
    async (folder) => {
      const policy = { mode: "require", ca: CA.certificate } as const;
      const context = createContext(version, policy);
      const session = `${folder.path}/session.pem`;
      assertAdmitted(await meetControl(context, folder, { shown: ALICE, keepSession: session }), ALICE);
      context.prepare({ clientCertificates: { ...policy, crl: NOBODY_REVOKED } })();
      const resumed = await meetControl(context, folder, { session });
      assertAdmitted(resumed, ALICE);
      assert(typeof resumed.server === "object" && resumed.server.resumed);
      context.prepare({ clientCertificates: { ...policy, crl: ALICE_REVOKED } })();
      assertRefused(await meetControl(context, folder, { session }), /it was revoked$/);
      assertRefused(await meetControl(context, folder, { shown: ALICE }), /it was revoked$/);
    },
  );

  opensslTest(`ClientCertificates refuses a session that began without a certificate, ${version}`, async (folder) => {
    const session = `${folder.path}/session.pem`;
    await meetControl(createContext(version), folder, { keepSession: session });
    await Deno.stat(session);
    const context = createContext(version, { mode: "require", ca: CA.certificate });
    assertRefused(await meetControl(context, folder, { session }), /shows no certificate/);
  });

  for (const direction of ["send", "receive"] as const) {
    const name = `NodeTlsTransport ${direction === "send" ? "sends to" : "receives from"}`;
    opensslTest(`${name} clients with a good certificate only, ${version}`, async (folder) => {
      const context = createContext(version, { mode: "require", ca: CA.certificate });
      const meet = (client: Client) => meetData(context, folder, { ...client, direction });
      const session = `${folder.path}/session.pem`;
      const control = await meetControl(context, folder, { shown: ALICE, keepSession: session });
      assertAdmitted(control, ALICE);
      assertAdmitted(await meet({ session }), ALICE);
      assertAdmitted(await meet({ shown: ALICE }), ALICE);
      assertRefused(await meet({}), /no certificate/i);
      assertRefused(await meet({ shown: MALLORY }), /CN=mallory/);
    });
  }
}

Deno.test(programTest({
  program: "curl",
  name: "ClientCertificates lets curl in with --cert of the CA, and not with another or none",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const context = createContext("TLSv1.3", { mode: "require", ca: CA.certificate });
    const meet = (shown?: Issued) =>
      serveControl(context, async (port) => {
        const args = shown === undefined ? [] : await writePair(folder, shown);
        const { stdout, stderr } = await runProgram("curl", ["-sv", "-k", ...args, `ftps://127.0.0.1:${port}/`]);
        return stdout + stderr;
      });
    assertAdmitted(await meet(ALICE), ALICE);
    assertRefused(await meet(MALLORY), /CN=mallory/);
    assertRefused(await meet(), /no certificate/i);
  },
}));

function opensslTest(name: string, fn: (folder: TemporaryFolder) => Promise<void>): void {
  Deno.test(programTest({
    program: "openssl",
    name,
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      await fn(folder);
    },
  }));
}

function createContext(version: TlsVersion, clientCertificates?: ClientCertificatePolicy): TlsContext {
  const versions = { minVersion: version, maxVersion: version };
  return new TlsContext({ ...PAIR, ...versions, ...clientCertificates && { clientCertificates } });
}

function assertAdmitted({ server, client }: Outcome, shown: Issued | undefined): void {
  if (typeof server === "string") throw new Error(`The client was refused: ${server}`);
  const expected = shown && {
    subject: shown.subject,
    fingerprint: new X509Certificate(shown.certificate).fingerprint256,
    alternativeNames: [],
  };
  assertEquals(server.peerCertificate, expected);
  assertMatch(client, /421 Hello/);
}

function assertRefused({ server, client }: Outcome, reason: RegExp): void {
  if (typeof server !== "string") throw new Error(`The client was let in: ${Deno.inspect(server)}`);
  assertMatch(server, /^handshake: /);
  assertMatch(server, reason);
  assert(!client.includes("421 Hello"));
}

/** Lets openssl come to a control connection with TLS from the first byte. */
function meetControl(context: TlsContext, folder: TemporaryFolder, client: Client): Promise<Outcome> {
  return serveControl(context, (port) => runClient(port, folder, client));
}

async function serveControl(context: TlsContext, run: (port: number) => Promise<string>): Promise<Outcome> {
  const listener = await listenControl(ANY_PORT, { context });
  using _ = { [Symbol.dispose]: () => listener.close() };
  const [server, client] = await Promise.all([
    greet(listener.accept().then((accepted) => accepted.startTls())),
    run(listener.address.port),
  ]);
  return { server, client };
}

/** Lets openssl come to a data connection. */
async function meetData(
  context: TlsContext,
  folder: TemporaryFolder,
  { direction, ...client }: Client & { readonly direction: "send" | "receive" },
): Promise<Outcome> {
  await using transport = new NodeTlsTransport(context);
  const listener = await transport.listen(ANY_PORT);
  using _ = { [Symbol.dispose]: () => listener.close() };
  const [server, output] = await Promise.all([
    greet(listener.accept().then((incoming) => incoming.open(direction))),
    runClient(listener.address.port, folder, client),
  ]);
  return { server, client: output };
}

/** Says hello to a client and sees it leave. */
async function greet(secured: Promise<Connection>): Promise<Outcome["server"]> {
  try {
    const connection = await secured;
    await connection.write(new TextEncoder().encode("421 Hello\r\n"));
    await connection.finish();
    await connection.read().catch(() => {}); // How it leaves is its own affair
    connection.close();
    return connection.tls ?? "no TLS";
  } catch (error) {
    if (error instanceof ConnectionError) return `${error.kind}: ${error.message}`;
    throw error;
  }
}

async function runClient(port: number, folder: TemporaryFolder, client: Client): Promise<string> {
  const { stdout, stderr } = await runProgram("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof"],
    ...client.shown === undefined ? [] : await writePair(folder, client.shown),
    ...client.shown === undefined ? [] : ["-cert_chain", `${folder.path}/client.crt`],
    ...client.session === undefined ? [] : ["-sess_in", client.session],
    ...client.keepSession === undefined ? [] : ["-sess_out", client.keepSession],
  ]);
  return stdout + stderr;
}

/** Writes what a client shows, and gives the options by which openssl and curl take it. */
async function writePair(folder: TemporaryFolder, { chain, key }: Issued): Promise<string[]> {
  await Deno.writeTextFile(`${folder.path}/client.crt`, chain);
  await Deno.writeTextFile(`${folder.path}/client.key`, key);
  return ["--cert", `${folder.path}/client.crt`, "--key", `${folder.path}/client.key`];
}
