import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { parseDatabaseAddress } from "../../../lib/state/postgres/database_address.ts";
import { ConnectionPool } from "../../../lib/state/postgres/connection_pool.ts";
import { DatabaseConnection, DatabaseUnavailableError } from "../../../lib/state/postgres/database_connection.ts";
import { createEphemeralCertificate } from "../../../lib/transport/ephemeral_certificate.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../../helpers/postgres/test_database.ts";
import { TcpProxy } from "../../helpers/tcp_proxy.ts";

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

async function refusal(address: TestDatabase["address"], authorities: readonly string[]): Promise<string> {
  const signal = AbortSignal.timeout(5_000);
  const error = await assertRejects(() => DatabaseConnection.open(address, { authorities, signal }), Error);
  return error.message;
}

/** A port that plays a server which answers the first message so. */
async function withServer(
  answer: (conn: Deno.Conn) => Promise<void>,
  use: (port: number) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(100));
    await answer(conn);
  })();
  await use((listener.addr as Deno.NetAddr).port);
  await serving;
}

test("DatabaseConnection.open() refuses a certificate of an authority that it does not know, and a wrong password", async () => {
  await using database = await TestDatabase.open();
  const { address, authorities } = database;
  assertEquals(await refusal(address, []), "invalid peer certificate: UnknownIssuer");
  assertEquals(
    await refusal({ ...address, password: "wrong" }, authorities),
    `password authentication failed for user "${address.user}"`,
  );
});

test("DatabaseConnection.open() refuses a certificate of another name", async () => {
  await using database = await TestDatabase.open();
  const { certificate, key } = await createEphemeralCertificate({ names: ["db.example.org"] });
  await withServer(async (conn) => {
    await conn.write(new TextEncoder().encode("S"));
    using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: certificate, key });
    // The handshake goes on at a server that has only this certificate.
    const behind = await Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port });
    using accepted = await listener.accept();
    const both = [pipe(conn, behind), pipe(behind, conn)];
    await accepted.handshake().catch(() => {});
    await Promise.all(both);
  }, async (port) => {
    const message = await refusal({ ...database.address, port }, [certificate]);
    assert(/certificate/.test(message), message);
  });
});

test("DatabaseConnection.open() speaks to nobody who has no TLS, or sends something before it", async () => {
  await using database = await TestDatabase.open();
  const refused = "It does not speak TLS";
  for (const [answer, reason] of [["N", refused], ["E", refused], ["", "It has closed the connection"]] as const) {
    await withServer((conn) => conn.write(new TextEncoder().encode(answer)).then(() => {}), async (port) => {
      assertEquals(await refusal({ ...database.address, port }, database.authorities), reason);
    });
  }
});

test("DatabaseConnection.open() gives no password to a server that asks for it in clear", async () => {
  await using database = await TestDatabase.open();
  await withServer((conn) => conn.write(Uint8Array.of(0x52, 0, 0, 0, 8, 0, 0, 0, 3)).then(() => {}), async (port) => {
    const message = await refusal({ ...database.address, port, isEncrypted: false }, []);
    assert(message.startsWith("It does not ask for a password by SCRAM-SHA-256"), message);
  });
});

test("DatabaseConnection.query() sends values as they are, and goes on after an error", async () => {
  await using database = await TestDatabase.open();
  using connection = await database.connect();
  const text = `it's "quoted" \\ {a,b} \u{1F600}`;
  const rows = await connection.query(
    "SELECT $1::text AS a, ($2::text[])[1] AS b, $3::bytea = '\\x00ff' AS c, $4::int AS d",
    [
      ...[text, [text], Uint8Array.of(0, 255), null],
    ],
    5_000,
  );
  assertEquals(rows, [{ a: text, b: text, c: "t", d: null }]);
  await assertRejects(() => connection.query("SELECT 1 / $1::int", [0], 5_000), Error, "division by zero");
  assertEquals(await connection.query("SELECT repeat('x', 300000) AS x", [], 5_000), [{ x: "x".repeat(300_000) }]);
});

test("DatabaseConnection.query() leaves no statement behind that waits when it has given up", async () => {
  await using database = await TestDatabase.open();
  await database.query("CREATE TABLE public.t (x int)");
  using locking = await database.connect();
  await locking.script("BEGIN; LOCK TABLE public.t", 5_000);
  const { address, authorities } = database;
  using pool = new ConnectionPool(address, { authorities, timeoutMs: 700 });
  const answers = await Promise.allSettled([1, 2, 3, 4].map(() => pool.query("SELECT FROM public.t")));
  assertEquals(new Set(answers.map(({ status }) => status)), new Set(["rejected"]));
  const left = async () =>
    (await locking.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      [],
      5_000,
    )).length;
  const end = performance.now() + 5_000;
  while (await left() > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(await left(), 0);
  assertEquals(await pool.query("SELECT current_setting('lock_timeout') AS x"), [{ x: "0" }]);
});

test("DatabaseConnection ends in time, and takes nothing else down, where a server sends rubbish", async () => {
  await using database = await TestDatabase.open();
  const rubbish = [
    crypto.getRandomValues(new Uint8Array(60_000)),
    Uint8Array.of(0x52, 0xff, 0xff, 0xff, 0xff, 0, 0), // a message longer than all
    Uint8Array.of(0x52, 0, 0, 0, 0, 0x5a, 0, 0, 0, 0), // messages shorter than any
    Uint8Array.of(0x5a, 0, 0, 0, 5, 0x49), // ready, without a word about the password
  ];
  for (const [index, bytes] of rubbish.entries()) {
    await withServer(async (conn) => {
      await conn.write(bytes).catch(() => {}); // it may have had enough
      await conn.read(new Uint8Array(100)).catch(() => {});
    }, async (port) => {
      const opening = DatabaseConnection.open({ ...database.address, port, isEncrypted: false }, {
        signal: AbortSignal.timeout(700),
      });
      const outcome = await opening.then((connection) => connection[Symbol.dispose](), () => "refused");
      assertEquals(outcome, "refused", `${index}`);
    });
  }
});

test("DatabaseConnection keeps no answer that has no end, before it is ready and after", async () => {
  await using database = await TestDatabase.open();
  await withServer(async (conn) => {
    const notices = new Uint8Array(70_000).map((_, index) => [0x4e, 0, 0, 0, 5, 0][index % 6] ?? 0);
    await conn.write(notices).catch(() => {}); // it may have had enough
    await conn.read(new Uint8Array(1)).catch(() => {});
  }, async (port) => {
    const message = await refusal({ ...database.address, port, isEncrypted: false }, []);
    assertEquals(message, "It answers with more than 65536 bytes");
  });
  const { address, authorities } = database;
  const options = { authorities, maxAnswerBytes: 100_000, signal: AbortSignal.timeout(10_000) };
  using connection = await DatabaseConnection.open(address, options);
  const rows = (count: number) =>
    connection.query("SELECT repeat('x', 1000) FROM generate_series(1, $1)", [count], 5_000);
  for (let times = 0; times < 3; times++) assertEquals((await rows(90)).length, 90);
  await assertRejects(() => rows(200), DatabaseUnavailableError, "It answers with more than 100000 bytes");
});

test("ConnectionPool.query() ends in time when nobody answers, and finds its way back", async () => {
  await using database = await TestDatabase.open();
  await using proxy = new TcpProxy(database.address.port);
  using pool = new ConnectionPool({ ...database.address, port: proxy.port }, {
    authorities: database.authorities,
    maxConnections: 2,
    maxWaiting: 3,
    timeoutMs: 1_000,
  });
  await pool.query("SELECT 1");
  proxy.hang();
  const start = performance.now();
  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => pool.query("SELECT 1")));
  assertLess(performance.now() - start, 3_000);
  const reasons = answers.map((answer) => answer.status === "rejected" ? answer.reason : undefined);
  assert(reasons.every((reason) => reason instanceof DatabaseUnavailableError), String(reasons));
  assertEquals(reasons.filter((reason) => /wait already/.test(String(reason))).length, 3);
  proxy.cut();
  proxy.resume();
  assertEquals(await pool.query("SELECT 2 AS x"), [{ x: "2" }]);
  assertEquals(pool.connections, 1);
});

test("ConnectionPool.query() does not fail where the database has closed what was idle", async () => {
  await using database = await TestDatabase.open();
  const { address, authorities } = database;
  using pool = new ConnectionPool(address, { authorities });
  await pool.query("SELECT 1");
  await database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
    [address.database],
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(await pool.query("SELECT 2 AS x"), [{ x: "2" }]);
});

Deno.test("parseDatabaseAddress() reads a URL, and refuses what it does not know without telling the password", () => {
  assertEquals(parseDatabaseAddress(" postgres://u%40x:p%3Aq@[::1]/db\n"), {
    ...{ host: "::1", port: 5432, user: "u@x", password: "p:q", database: "db", isEncrypted: true },
  });
  assert(!parseDatabaseAddress("postgresql://u@h:1/db?sslmode=disable").isEncrypted);
  const wrong = [
    "mysql://u:secret@h/db",
    "postgres://:secret@h/db",
    "postgres://u:secret@h/",
    "secret",
    "postgres://u:secret%@h/db",
    "postgres://u:secret@h/db?sslmode=require",
    "postgres://u:secret@h/db?host=/run",
  ];
  for (const url of wrong) {
    const error = assertThrows(() => parseDatabaseAddress(url), SyntaxError);
    assert(!error.message.includes("secret"), error.message);
  }
});

async function pipe(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      await to.write(buffer.subarray(0, count));
    }
    to.close();
  } catch {
    // one of the two was closed
  }
}
