import { assert, assertEquals, assertMatch } from "@std/assert";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import { ConfiguredServer } from "../../lib/serve/configured_server.ts";
import { RevocationWatcher } from "../../lib/serve/revocation_watcher.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { withDeadline } from "../helpers/socket_reader.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { issue, type Issued, revoke, toPemList } from "../transport/client_pki.ts";
import { PAIR } from "../transport/tls_pairs.ts";

const CA = await issue("CA", { isAuthority: true });
const OTHER_CA = await issue("other CA", { isAuthority: true });
const ALICE = await issue("alice", { issuer: CA });
const BOB = await issue("bob", { issuer: CA });
const NOBODY = await revoke(CA, []);
const ALICE_REVOKED = await revoke(CA, [ALICE]);
const SOON_MS = 10;
const NEVER_MS = 1_000_000;
const DEADLINE_MS = 10_000;

/** What a watcher tells, one after the other. */
class Told {
  readonly all: string[] = [];
  #next = Promise.withResolvers<string>();

  readonly tell = (text: string): void => {
    this.all.push(text);
    this.#next.resolve(text);
    this.#next = Promise.withResolvers();
  };

  get next(): Promise<string> {
    return this.#next.promise;
  }
}

function watch(
  file: string,
  { tell }: Told,
  options: { readonly intervalMs?: number; readonly current?: Uint8Array<ArrayBuffer> } = {},
) {
  return new RevocationWatcher({
    file,
    current: toPemList(options.current ?? NOBODY),
    ca: CA.certificate,
    onChange: (crl) => Promise.resolve(tell(crl)),
    onProblem: (reason) => tell(reason),
    onFindings: (findings) => findings.forEach(({ message }) => tell(message)),
    intervalMs: options.intervalMs ?? SOON_MS,
  });
}

Deno.test("RevocationWatcher gives other lists, in PEM or DER, and says once what cannot be read", async () => {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/clients.crl`;
  await Deno.writeFile(file, NOBODY);
  const told = new Told();
  await using _watcher = watch(file, told);
  const changed = told.next;
  await Deno.writeFile(file, ALICE_REVOKED);
  assertEquals((await changed).replaceAll(/\s/g, ""), toPemList(ALICE_REVOKED).replaceAll(/\s/g, ""));
  const back = told.next;
  await Deno.writeTextFile(file, toPemList(NOBODY));
  assertEquals(await back, toPemList(NOBODY));
  const missing = told.next;
  await Deno.remove(file);
  assertMatch(await missing, /no such file/);
  assertEquals(told.all.length, 3);
});

Deno.test("RevocationWatcher says once that a list is overdue, and not what was said at the start", async () => {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/clients.crl`;
  const overdue = await revoke(CA, [], { nextUpdate: new Date(Date.now() - 1000) });
  const soon = await revoke(CA, [BOB], { nextUpdate: new Date(Date.now() + 1000) }); // to the second
  await Deno.writeFile(file, overdue);
  const told = new Told();
  await using _watcher = watch(file, told, { current: overdue });
  const changed = told.next;
  await Deno.writeFile(file, soon);
  await changed;
  assertMatch(await told.next, /should have been renewed by .*: clients with its certificates are refused/);
  assertEquals(told.all.length, 2);
});

Deno.test("RevocationWatcher stops when it is disposed of", async () => {
  const watcher = watch("/nowhere/clients.crl", new Told(), { intervalMs: NEVER_MS });
  await watcher[Symbol.asyncDispose]();
  await watcher[Symbol.asyncDispose]();
});

for (const workers of [1, 2]) {
  Deno.test(`ConfiguredServer ends the sessions of the revoked alone, and refuses them then, with ${workers} event loops`, async () => {
    await using folder = await TemporaryFolder.create();
    const events: ServerEvent[] = [];
    const text =
      "listen: [{ port: 0, tls: implicit }]\ntls: { clientCertificates: { mode: require, ca: a, crl: b } }\n" +
      `anonymous: { home: '${folder.path}' }\n`;
    const configuration = readConfiguration(text, { file: "ftpsd.yaml", resolve: (path) => path });
    const files = { certificate: PAIR, clientCa: CA.certificate, clientCrl: toPemList(NOBODY) };
    const server = await ConfiguredServer.create({ configuration, files }, {
      ...{ workers, dialogue: false },
      onEvent: (event) => events.push(event),
    });
    await server.listen();
    const port = server.addresses[0]?.port ?? 0;
    using alice = await Client.connect(port, ALICE);
    using bob = await Client.connect(port, BOB);
    assertEquals([await alice.reply(), await bob.reply()], ["220 ftpsd ready.", "220 ftpsd ready."]);
    await server.replaceRevocationLists(toPemList(ALICE_REVOKED));
    assertEquals(await alice.reply(), "421 Certificate revoked.");
    assertEquals(await bob.ask("NOOP"), "200 I successfully did nothing.");
    using again = await Client.connect(port, ALICE);
    assertEquals(await again.reply(), "");
    using other = await Client.connect(port, await issue("carol", { issuer: OTHER_CA }));
    assertEquals(await other.reply(), "");
    await server.shutdown();
    await server.finished;
    const reasons = events.flatMap((event) => event.event === "disconnected" ? [event.reason] : []);
    assert(reasons.some((reason) => /alice" is refused: it was revoked/.test(reason)), reasons.join("; "));
    assert(reasons.includes("Certificate revoked."), reasons.join("; "));
  });
}

/** A client with a certificate, on an implicit listener. */
class Client implements Disposable {
  readonly #connection: Deno.TlsConn;

  private constructor(connection: Deno.TlsConn) {
    this.#connection = connection;
  }

  static async connect(port: number, { chain, key }: Issued): Promise<Client> {
    const hostname = "127.0.0.1";
    return new Client(await Deno.connectTls({ hostname, port, caCerts: [PAIR.certificate], cert: chain, key }));
  }

  async ask(line: string): Promise<string> {
    await this.#connection.write(new TextEncoder().encode(`${line}\r\n`));
    return await this.reply();
  }

  /** The next reply; empty when there is none. */
  async reply(): Promise<string> {
    const buffer = new Uint8Array(512);
    const count = await withDeadline(this.#connection.read(buffer).catch(() => null), "a reply", DEADLINE_MS);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0)).trim();
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
