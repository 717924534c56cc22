import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { quotaCommand } from "../../lib/cli/quota.ts";
import { type RunningServer, serve } from "../../lib/serve/serve.ts";
import { startTransfer } from "../helpers/dialogue.ts";
import { S3Server } from "../helpers/object_store/s3_server.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { RawClient, type RawReply } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const PASSWORD = "correct horse";
const PART_BYTES = 5 * 2 ** 20;
const KIB = 1024;
const QUOTA = { bytes: 400 * KIB, files: 100 };

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

/** Two nodes with a database and a store. */
class TwoNodes implements AsyncDisposable {
  readonly store: S3Server;
  readonly database: TestDatabase;
  readonly file: string;
  readonly one: RunningServer;
  readonly two: RunningServer;
  readonly #opened: AsyncDisposableStack;

  private constructor(
    made: Pick<TwoNodes, "store" | "database" | "file" | "one" | "two">,
    opened: AsyncDisposableStack,
  ) {
    this.store = made.store;
    this.database = made.database;
    this.file = made.file;
    this.one = made.one;
    this.two = made.two;
    this.#opened = opened;
  }

  static async start(user: object = {}): Promise<TwoNodes> {
    await using opened = new AsyncDisposableStack();
    const store = opened.use(new S3Server());
    const database = opened.use(await TestDatabase.open());
    const folder = opened.use(await TemporaryFolder.create());
    const { user: role, password, host, port, database: name } = database.address;
    const files = {
      id: store.credentials.accessKey,
      secret: store.credentials.secretKey,
      "state.url": `postgres://${role}:${password}@${host}:${port}/${name}`,
      "ca.pem": database.authorities.join("\n"),
    };
    for (const [file, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder.path}/${file}`, `${text}\n`, { mode: 0o600 });
    }
    const { endpoint } = store;
    const configuration = {
      listen: [{ port: 0 }],
      workers: 2,
      state: { type: "postgres", urlFile: "state.url", ca: "ca.pem", node: "n", leaseSeconds: 3 },
      stores: {
        files: {
          ...{ type: "s3", endpoint, bucket: "files", prefix: "/ftp", partSize: PART_BYTES },
          ...{ accessKeyFile: "id", secretKeyFile: "secret" },
        },
      },
      users: [{
        ...{ name: "alice", password: PASSWORD, home: { store: "files", path: "/alice" }, permissions: "elradfmwMT" },
        ...user,
      }],
      acceptRisks: ["plaintext-password", "clear-text-store"].map((risk) => ({ risk, reason: "a test" })),
    };
    const file = `${folder.path}/ftpsd.yaml`;
    await Deno.writeTextFile(file, JSON.stringify(configuration), { mode: 0o600 });
    const one = opened.use(await serve({ configuration, folder: folder.path }));
    const two = opened.use(await serve({ configuration, folder: folder.path }));
    return new TwoNodes({ store, database, file, one, two }, opened.move());
  }

  /** Bytes and files in the store. */
  get stored(): { readonly bytes: number; readonly files: number } {
    const sizes = [...this.store.objects().keys()].map((key) => this.store.bytes(key).length);
    return { bytes: sizes.reduce((sum, size) => sum + size, 0), files: sizes.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

async function login(server: RunningServer): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  await client.readReply();
  await client.startTls();
  await client.login("alice", PASSWORD);
  await client.expect(200, "TYPE I");
  return client;
}

/** Uploads piece by piece; the final reply. */
async function put(client: RawClient, path: string, bytes: number): Promise<RawReply> {
  await using data = await startTransfer(client, `STOR ${path}`);
  for (let left = bytes; left > 0; left -= 16 * KIB) {
    await data.write(new Uint8Array(Math.min(left, 16 * KIB))).catch(() => {}); // the server may have had enough
  }
  await data.finish().catch(() => {});
  return await client.readReply("STOR");
}

async function quotaLine(client: RawClient): Promise<string> {
  return (await client.expect(200, "SITE QUOTA")).lines.slice(1, -1).map((line) => line.trim()).join("; ");
}

test("serve() stores never a byte more than a quota over two nodes, tells both what they have together, and counts anew when `ftpsd quota scan` asks", async () => {
  await using nodes = await TwoNodes.start({ quota: QUOTA });
  const clients = await Promise.all(Array.from({ length: 12 }, (_, index) => login(index % 2 ? nodes.two : nodes.one)));
  await using _clients = stackOf(clients);
  const replies = await Promise.all(clients.map((client, index) => put(client, `/file${index}`, 80 * KIB)));
  const whole = replies.filter(({ code }) => code === 226).length;
  assertEquals(new Set(replies.map(({ code }) => code)).difference(new Set([226, 552])), new Set());
  assertEquals(nodes.stored, { bytes: whole * 80 * KIB, files: whole });
  assert(whole <= 5, `${whole}`);
  const [first, second] = clients as [RawClient, RawClient];
  for (let index = whole; index < 5; index++) {
    assertEquals((await put(index % 2 ? first : second, `/later${index}`, 80 * KIB)).code, 226);
  }
  assertEquals((await put(second, "/more", 1)).code, 552);
  assertEquals(nodes.stored, { bytes: QUOTA.bytes, files: 5 });
  const full = await quotaLine(first);
  assertMatch(full, /^user alice: 409600 bytes of 409600, 0 left; user alice: 5 files of 100/);
  assertEquals(await quotaLine(second), full);
  await first.expect(213, "AVBL");
  const name = [...nodes.store.objects().keys()][0]?.split("/").at(-1);
  await second.expect(250, `DELE /${name}`);
  assertMatch((await first.expect(213, "AVBL")).text, /^213 81920/);
  nodes.store.plant("ftp/alice/behind", 5000);
  assertEquals(
    await quotaLine(first),
    "user alice: 327680 bytes of 409600, 81920 left; user alice: 4 files of 100, 96 left",
  );
  assertEquals(
    await quotaCommand(["scan", "--config", nodes.file]),
    "user alice: the server counts before the next upload",
  );
  assertEquals((await put(first, "/again", 10)).code, 226);
  assertEquals(
    await quotaLine(second),
    "user alice: 332690 bytes of 409600, 76910 left; user alice: 6 files of 100, 94 left",
  );
});

test("serve() goes on with an upload on another node, tells there what has been stored, and sweeps on one", async () => {
  await using nodes = await TwoNodes.start();
  const bytes = new Uint8Array(2 * PART_BYTES + 12_345).map((_, index) => index % 241);
  {
    await using client = await login(nodes.one);
    await using data = await startTransfer(client, "STOR /large");
    await data.write(bytes);
    while ((nodes.store.uploads()[0]?.parts.size ?? 0) < 2) await client.expect(211, "STAT");
    await data.reset();
    assertEquals((await client.readReply("STOR")).code, 426);
  }
  await using client = await login(nodes.two);
  const kept = Number((await client.expect(213, "SIZE /large")).lines[0]);
  assertEquals(kept, 2 * PART_BYTES);
  await client.expect(350, `REST ${kept}`);
  assertEquals((await client.store("/large", bytes.subarray(kept))).code, 226);
  assert(Buffer.from(nodes.store.bytes("ftp/alice/large")).equals(bytes));
  const small = bytes.subarray(0, 1000);
  assertEquals((await client.store("/small", small)).code, 226);
  await using other = await login(nodes.one);
  nodes.store.takeCosts();
  const hash = await other.expect(213, "HASH /small");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", small)).toHex();
  assertMatch(hash.text, new RegExp(`SHA-256 0-${small.length} ${digest} `, "i"));
  assertEquals(nodes.store.takeCosts().get("GetObject"), undefined);
  const duties = await nodes.database.query("SELECT name FROM ftpsd.duty");
  assertEquals(duties.map(({ name }) => name?.replace(/:[0-9]+/, "")), ["sweep s3 127.0.0.1/files"]);
});

function stackOf(clients: readonly RawClient[]): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  for (const client of clients) stack.use(client);
  return stack;
}
