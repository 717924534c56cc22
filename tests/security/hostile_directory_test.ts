import { assert, assertEquals, assertRejects } from "@std/assert";
import { AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { LdapAccounts } from "../../lib/accounts/ldap/ldap_accounts.ts";

const { signal } = new AbortController();
const ALICE = { username: "alice", password: "secret of alice", remoteHost: "192.0.2.1" };

/** One entry of a search, for message 2: `cn=a`, without attributes. */
const ENTRY = [0x30, 0x0d, 0x02, 0x01, 0x02, 0x64, 0x08, 0x04, 0x04, 0x63, 0x6e, 0x3d, 0x61, 0x30, 0x00];

/** A directory that speaks in clear; each connection is served by a function of its own. */
class FakeDirectory implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving: Promise<void>;
  sent = 0;

  constructor(serve: (connection: Deno.Conn, directory: FakeDirectory) => Promise<void>) {
    this.#serving = this.#accept(serve);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(serve: (connection: Deno.Conn, directory: FakeDirectory) => Promise<void>): Promise<void> {
    const served: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) {
        const end = () => {
          try {
            connection.close();
          } catch {
            // it has gone
          }
        };
        served.push(serve(connection, this).catch(() => {}).finally(end));
      }
    } finally {
      await Promise.all(served);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
  }
}

async function write(connection: Deno.Conn, bytes: ArrayLike<number>, directory: FakeDirectory): Promise<void> {
  for (let rest = new Uint8Array(Array.from(bytes)); rest.length > 0;) {
    const count = await connection.write(rest);
    directory.sent += count;
    rest = rest.subarray(count);
  }
}

/** Reads until the other side has gone. */
async function readAll(connection: Deno.Conn): Promise<void> {
  while (await connection.read(new Uint8Array(4096)) !== null);
}

async function refuses(
  serve: ConstructorParameters<typeof FakeDirectory>[0],
  tls: "none" | "starttls" = "none",
): Promise<FakeDirectory> {
  await using directory = new FakeDirectory(serve);
  using accounts = new LdapAccounts({
    addresses: [{ host: "127.0.0.1", port: directory.port, tls }],
    searchBase: "dc=x",
    searchFilter: "(uid={name})",
    home: "/srv/{name}",
    timeout: 0.5,
  });
  const start = performance.now();
  const error = await assertRejects(async () => await accounts.login(ALICE, { signal }), AuthorizerBusyError);
  assert(error.isOutage && !error.countsAsFailure);
  assert(!`${error.message}${error.cause}`.includes("secret"), String(error.cause));
  assert(performance.now() - start < 3_000);
  return directory;
}

Deno.test("A directory that hangs, closes or sends what is no LDAP lets nobody in, and keeps nobody beyond the deadline", async () => {
  const random = crypto.getRandomValues(new Uint8Array(50_000));
  const garbage = [
    [...random],
    [0x30, 0x80], // without a length
    [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], // of 4 GiB
    [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, ...random],
    [0x30, 0x05, 0x02, 0x01, 0x02, 0x61, 0x00],
    [0x30, 0x03, 0x02, 0x01, 0x02],
    Array.from({ length: 20_000 }, () => [0x30, 0x05, 0x02, 0x01, 0x63, 0x61, 0x00]).flat(), // of nobody
    Array.from({ length: 20_000 }, () => [0x30, 0x00]).flat(),
    [...new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n")],
    [...ENTRY, ...random],
  ];
  await refuses(readAll);
  await refuses(() => Promise.resolve());
  for (const bytes of garbage) {
    await refuses(async (connection, directory) => {
      await connection.read(new Uint8Array(4096));
      await write(connection, bytes, directory);
      await readAll(connection);
    });
  }
});

Deno.test("A directory that finds entries without an end is heard for a megabyte", async () => {
  const many = Array.from({ length: 4_000 }, () => ENTRY).flat();
  const directory = await refuses(async (connection, directory) => {
    await connection.read(new Uint8Array(4096));
    while (true) await write(connection, many, directory);
  });
  assert(directory.sent < 16 << 20, `${directory.sent} bytes`); // what sockets hold
});

Deno.test("A directory that does not begin TLS, or sends something with its answer, is told no name and no password", async () => {
  const ok = [0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00];
  const refused = ok.with(9, 0x34);
  for (
    const answer of [
      ok,
      refused,
      [...ok, ...ENTRY], // it would be believed to have come under TLS
      ok.with(4, 0x02), // to another message
      ok.with(5, 0x61), // to another operation
      [0x30, 0x83, 0x00, 0x00, 0x00],
      new Uint8Array(4096),
    ]
  ) {
    let heard = "";
    await refuses(async (connection, directory) => {
      const buffer = new Uint8Array(4096);
      await connection.read(buffer);
      await write(connection, Array.from(answer), directory);
      for (let count: number | null = 0; (count = await connection.read(buffer)) !== null;) {
        heard += new TextDecoder().decode(buffer.subarray(0, count));
      }
    }, "starttls");
    assert(!heard.includes("alice"), heard);
    assertEquals(heard.startsWith("\x16\x03"), answer === ok); // which a handshake begins with
    assert(!heard.includes("secret"), heard);
  }
});
