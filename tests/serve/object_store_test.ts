import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { delay } from "../../lib/deadline.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { serve } from "../../lib/serve/serve.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { S3Server } from "../helpers/object_store/s3_server.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const PASSWORD = "correct horse";
const CONTENT = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
const PART_BYTES = 5 * 2 ** 20;

/** A folder with the keys of a store in files. */
async function keysOf(store: S3Server): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  const { accessKey, secretKey } = store.credentials;
  await Deno.writeTextFile(`${folder.path}/id`, `${accessKey}\n`, { mode: 0o600 });
  await Deno.writeTextFile(`${folder.path}/secret`, `${secretKey}\n`, { mode: 0o600 });
  return folder;
}

function configurationOf({ endpoint }: S3Server, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    listen: [{ port: 0 }],
    workers: 2,
    stores: {
      files: {
        type: "s3",
        endpoint,
        bucket: "files",
        prefix: "/ftp",
        accessKeyFile: "id",
        secretKeyFile: "secret",
        partSize: PART_BYTES,
      },
    },
    users: ["alice", "bob"].map((name) => ({
      name,
      password: PASSWORD,
      home: { store: "files", path: "/shared" },
      permissions: "elradfmwMT",
    })),
    acceptRisks: ["plaintext-password", "clear-text-store"].map((risk) => ({ risk, reason: "a test" })),
    ...changes,
  };
}

async function login(port: number, name = "alice"): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port });
  await client.readReply();
  await client.startTls();
  await client.login(name, PASSWORD);
  await client.expect(200, "TYPE I");
  return client;
}

Deno.test("serve() keeps homes in a store, the same for all users and event loops", async () => {
  await using store = new S3Server();
  await using folder = await keysOf(store);
  const events: ServerEvent[] = [];
  await using server = await serve({ configuration: configurationOf(store), folder: folder.path }, {
    onEvent: (event) => void events.push(event),
  });
  const port = server.addresses[0]?.port ?? 0;
  await using alice = await login(port);
  assertEquals((await alice.store("/a", CONTENT)).code, 226);
  // The system spreads connections over the event loops.
  for (let times = 0; times < 12; times++) {
    await using other = await login(port, "bob");
    assert(Buffer.from(await other.retrieve("/a")).equals(CONTENT));
    const hash = await other.expect(213, "HASH /a"); // known by the event loop that has stored it
    assertEquals(hash.lines[0]?.split(" ")[1], `0-${CONTENT.length}`);
  }
  assertEquals(events.filter(({ event }) => event === "internalError"), []);
});

Deno.test("serve() goes on with a cut upload in the other event loop, and after a restart where the state is kept", async () => {
  await using store = new S3Server();
  await using folder = await keysOf(store);
  const bytes = new Uint8Array(2 * PART_BYTES + 12_345).map((_, index) => index % 241);
  const configuration = configurationOf(store, { state: { type: "sqlite", file: "state.db" } });
  const settings = { configuration, folder: folder.path };
  {
    await using server = await serve(settings);
    await using client = await login(server.addresses[0]?.port ?? 0);
    await using data = await client.passive();
    await client.expect(150, "STOR /large");
    await data.secure();
    await data.write(bytes);
    while ((store.uploads()[0]?.parts.size ?? 0) < 2) await client.expect(211, "STAT");
    await data.reset();
    assertEquals((await client.readReply("STOR")).code, 426);
    await client.expect(213, "SIZE /large");
  }
  await using server = await serve(settings);
  const port = server.addresses[0]?.port ?? 0;
  await using bob = await login(port, "bob");
  await bob.expect(550, "SIZE /large"); // another account's
  await using client = await login(port);
  const kept = Number((await client.expect(213, "SIZE /large")).lines[0]);
  assertEquals(kept, 2 * PART_BYTES);
  await client.expect(350, `REST ${kept}`);
  assertEquals((await client.store("/large", bytes.subarray(kept))).code, 226);
  assert(Buffer.from(store.bytes("ftp/shared/large")).equals(bytes));
});

Deno.test("serve() uses keys that have changed, and other stores after a reload", async () => {
  await using store = new S3Server();
  await using other = new S3Server();
  await using folder = await keysOf(store);
  let configuration = configurationOf(store);
  await using server = await serve(() => ({ configuration, folder: folder.path }));
  const port = server.addresses[0]?.port ?? 0;
  await using client = await login(port);
  await client.store("/a", CONTENT);
  store.credentials = { ...store.credentials, secretKey: "another" };
  other.credentials = store.credentials;
  await Deno.writeTextFile(`${folder.path}/secret`, "another");
  await client.store("/b", CONTENT);
  configuration = configurationOf(other);
  configuration.stores.files.partSize = 200 * 2 ** 20; // more than the memory of the start has for a part
  await server.reload();
  await using later = await login(port);
  assertEquals((await later.store("/c", CONTENT)).code, 226);
  assertEquals((await client.store("/d", CONTENT)).code, 226); // its session goes on where it was
  assertEquals([...store.objects().keys()], ["ftp/shared/a", "ftp/shared/b", "ftp/shared/d"]);
  assertEquals([...other.objects().keys()], ["ftp/shared/c"]);
});

Deno.test("serve() trusts a store by the authority that it names, and no other", async () => {
  const { certificate: cert, key } = await createEphemeralCertificate({ names: ["127.0.0.1"] });
  await using store = new S3Server({ tls: { cert, key } });
  await using folder = await keysOf(store);
  await Deno.writeTextFile(`${folder.path}/ca.pem`, cert);
  const { stores: { files }, ...rest } = configurationOf(store);
  const trusting = { ...rest, stores: { files: { ...files, ca: "ca.pem" } } };
  {
    await using server = await serve({ configuration: trusting, folder: folder.path });
    await using client = await login(server.addresses[0]?.port ?? 0);
    assertEquals((await client.store("/a", CONTENT)).code, 226);
    assert(Buffer.from(await client.retrieve("/a")).equals(CONTENT));
  }
  const problems: string[] = [];
  await using server = await serve({ configuration: { ...rest, stores: { files } }, folder: folder.path }, {
    onEvent: (event) => void (event.event === "internalError" && problems.push(event.message)),
  });
  await using client = await login(server.addresses[0]?.port ?? 0);
  await client.expect(451, "SIZE /a");
  // The event comes beside the reply, from the event loop of the session.
  for (const until = performance.now() + 10_000; problems.length === 0; await delay(10, UNABORTED.signal)) {
    assert(performance.now() < until, "it does not say what is wrong");
  }
  assert(problems.every((text) => !text.includes(store.credentials.secretKey)));
});
