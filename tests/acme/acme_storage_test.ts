import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AcmeError } from "../../lib/acme/acme_error.ts";
import { FolderStorage, MemoryStorage, NodeStorage, SharedStorage } from "../../lib/acme/acme_storage.ts";
import { NodeSeal } from "../../lib/acme/node_seal.ts";
import { CertificateStore } from "../../lib/acme/certificate_store.ts";
import { MemoryRecords } from "../../lib/state/memory_records.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const SECRET = "0123456789abcdef0123456789abcdef";
const PAIR = {
  key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
  certificate: "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n".repeat(2),
};

Deno.test("FolderStorage keeps texts that nobody else can read, and leaves nothing beside them", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/deep/acme`;
  const storage = new FolderStorage(path);
  assertEquals(await storage.get("a.json"), undefined);
  await storage.set("a.json", "one");
  await storage.set("a.json", "two");
  assertEquals(await storage.get("a.json"), "two");
  assertEquals(await Array.fromAsync(Deno.readDir(path), ({ name }) => name), ["a.json"]);
  if (!IS_WINDOWS) {
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o700);
    assertEquals(((await Deno.stat(`${path}/a.json`)).mode ?? 0) & 0o777, 0o600);
  }
  await storage.delete("a.json");
  await storage.delete("a.json");
  assertEquals(await storage.get("a.json"), undefined);
});

Deno.test({
  name: "FolderStorage refuses a folder that others have rights on",
  ignore: IS_WINDOWS,
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    await Deno.chmod(folder.path, 0o750);
    const storage = new FolderStorage(folder.path);
    for (const call of [() => storage.get("a"), () => storage.set("a", "b")]) {
      const error = await assertRejects(call, AcmeError);
      assertMatch(error.message, /has mode 0750, which gives others on this host rights on it; use chmod 700/);
    }
    assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
  },
});

Deno.test("SharedStorage lets nobody read a key out of the records, nor put one text in the place of another", async () => {
  const records = new MemoryRecords();
  const storage = new SharedStorage(records, new NodeSeal(SECRET));
  await storage.set("certificate.pem", PAIR.key);
  await storage.set("order.json", "other");
  const value = records.get("acme", "certificate.pem") ?? "";
  assert(!value.includes("PRIVATE") && !atob(value).includes("PRIVATE"));
  assertEquals(await new SharedStorage(records, new NodeSeal(`${SECRET}\n`)).get("certificate.pem"), PAIR.key);
  await assertRejects(
    () => new SharedStorage(records, new NodeSeal(`${SECRET}0`)).get("certificate.pem"),
    AcmeError,
    "another secret",
  );
  records.set("acme", "order.json", value);
  await assertRejects(() => storage.get("order.json"), AcmeError);
});

Deno.test("NodeStorage starts with its own copy while the others are away, and gives them what they have lost", async () => {
  const own = new MemoryStorage();
  const records = new MemoryRecords();
  const problems: string[] = [];
  const node = new NodeStorage(
    own,
    new SharedStorage(records, new NodeSeal(SECRET)),
    (reason) => problems.push(reason),
  );
  await node.set("certificate.pem", "one");
  assertEquals(await own.get("certificate.pem"), "one");
  records.delete("acme", "certificate.pem");
  assertEquals(await node.get("certificate.pem"), "one");
  assert(records.get("acme", "certificate.pem") !== undefined);
  const away = { ...new MemoryStorage(), get: () => Promise.reject(new Error("away")) } as unknown as MemoryStorage;
  const alone = new NodeStorage(own, away, (reason) => problems.push(reason));
  assertEquals(await alone.get("certificate.pem"), "one");
  assertEquals(problems, ["away"]);
  // What others have ended is not begun again.
  await own.set("order.json", "old");
  assertEquals(await node.get("order.json"), undefined);
});

Deno.test("CertificateStore keeps a pair as one file that other programs can read, and only for its CA", async () => {
  const storage = new MemoryStorage();
  const store = new CertificateStore(storage, "https://one/dir", ["b.example.org", "a.example.org"]);
  await store.keepCertificate(PAIR);
  assertEquals(await store.certificate(), { directory: "https://one/dir", ...PAIR });
  assertEquals(await new CertificateStore(storage, "https://two/dir", []).certificate(), undefined);
  const order = { url: "https://one/1", key: PAIR.key };
  await store.keepOrder(order);
  assertEquals(
    await new CertificateStore(storage, "https://one/dir", ["a.example.org", "b.example.org"]).order(),
    order,
  );
  assertEquals(await new CertificateStore(storage, "https://one/dir", ["a.example.org"]).order(), undefined);
  await store.keepOrder(undefined);
  assertEquals(await store.order(), undefined);
  await storage.set("attempts.json", "{");
  await storage.set("certificate.pem", "nothing");
  assertEquals([await store.attempts(), await store.certificate()], [undefined, undefined]);
});
