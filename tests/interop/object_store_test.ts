import { assert, assertEquals } from "@std/assert";
import { type RealStore, realStoreTest } from "../helpers/object_store/real_store.ts";
import { isInstalled, programTest } from "../helpers/client_program.ts";
import { BASIC_FTP } from "./basic_ftp.ts";
import { CURL } from "./curl.ts";
import { LFTP, lftp, quoted } from "./lftp.ts";
import { FTPLIB } from "./python_ftplib.ts";
import { RCLONE } from "./rclone.ts";
import { type FilePair, offers, type Operation, type RealClient } from "./real_client.ts";
import { digestOf, fileStep, readTree, writeTree } from "./scene.ts";
import { PART_BYTES, StoredScene } from "./stored_scene.ts";

const CLIENTS: readonly RealClient[] = [CURL, LFTP, RCLONE, BASIC_FTP, FTPLIB];

/** A byte, what fits in a request, exactly two parts, and a third one that is not full; and names that have to be encoded. */
const FILES: Readonly<Record<string, number>> = {
  "one byte+%41.bin": 1,
  "300 kilobytes; ä🎈.bin": 300_000,
  "two-parts.bin": 2 * PART_BYTES,
  "third-part.bin": 2 * PART_BYTES + 1_000_000,
};
/** In CI 2,000 take some minutes. */
const TREE_FILES = Number(Deno.env.get("FTPSD_TEST_STORED_FILES") ?? 200);
const TREE_FOLDERS = 20;

for (const client of CLIENTS) {
  storedTest(client, "moves files byte-exactly", async (scene, store) => {
    const files = await Promise.all(Object.entries(FILES).map(([name, size]) => scene.localFile(name, size)));
    const back = (file: FilePair): FilePair => ({ ...file, local: `${file.local}.back` });
    const list = { operation: "list", remote: "", other: "" } as const;
    await client.run(scene.target, files.map((file) => fileStep("put", file)));
    const names = await client.run(scene.target, [list]);
    await client.run(scene.target, files.map((file) => fileStep("get", back(file))));
    assertEquals(names.toSorted(), Object.keys(FILES).toSorted());
    for (const file of files) assertEquals(await digestOf(back(file).local), await digestOf(file.local), file.remote);
    assertEquals((await store.keys()).toSorted(), Object.keys(FILES).toSorted());
    assertEquals(await store.uploads(), []);
    assertNoneCut(scene);
  });

  const changes = (["mkdir", "rename", "delete", "rmdir"] as const).filter((operation) => has(client, operation));
  storedTest(client, `can do: ${changes.join(", ")}`, async (scene, store) => {
    const [kept, unwanted] = [await scene.localFile("kept.bin", 1000), await scene.localFile("unwanted.bin", 1000)];
    await client.run(scene.target, [
      fileStep("put", kept),
      fileStep("put", unwanted),
      { operation: "mkdir", remote: "made", other: "" },
      { operation: "mkdir", remote: "gone", other: "" },
    ]);
    await client.run(scene.target, [
      { operation: "rename", remote: kept.remote, other: "new.bin" },
      { operation: "delete", remote: unwanted.remote, other: "" },
      { operation: "rmdir", remote: "gone", other: "" },
    ]);
    assertEquals((await store.keys()).toSorted(), ["made/", "new.bin"]);
  });

  if (has(client, "resumePut")) {
    storedTest(client, "goes on with an upload that was cut", async (scene, store) => {
      const file = await scene.localFile("cut.bin", 3 * PART_BYTES);
      const kept = await scene.cutUpload(file, 2 * PART_BYTES + 700_000);
      // The reset takes with it what the server has not read.
      assert(kept === PART_BYTES || kept === 2 * PART_BYTES, `${kept} bytes were kept`);
      assertEquals(await store.keys(), []);
      await client.run(scene.target, [fileStep("resumePut", file)]);
      const received = await scene.server.event("fileReceived");
      assertEquals(received.bytes, 3 * PART_BYTES - kept);
      const back = { ...file, local: `${file.local}.back` };
      await client.run(scene.target, [fileStep("get", back)]);
      assertEquals(await digestOf(back.local), await digestOf(file.local));
      assertEquals(await store.uploads(), []);
    });
  }

  if (has(client, "resumeGet")) {
    storedTest(client, "goes on with a download that was cut", async (scene) => {
      const file = await scene.localFile("cut.bin", 2 * PART_BYTES);
      const part = { ...file, local: `${file.local}.part` };
      await client.run(scene.target, [fileStep("put", file)]);
      await Deno.writeFile(part.local, (await Deno.readFile(file.local)).subarray(0, PART_BYTES + 1));
      await client.run(scene.target, [fileStep("resumeGet", part)]);
      assertEquals(await digestOf(part.local), await digestOf(file.local));
      const sent = await scene.server.event("fileSent");
      assert(sent.bytes < PART_BYTES + 65_536, `${sent.bytes} bytes were sent`);
    });
  }
}

storedTest(LFTP, `mirrors ${TREE_FILES} files there and back over 4 connections`, async (scene, store) => {
  const tree: Record<string, string> = {};
  for (let index = 0; index < TREE_FILES; index++) {
    const folder = index % TREE_FOLDERS;
    tree[`outer ${folder % 5}/ïnner ${folder}/file ${index}`] = `${index}\n`.repeat(1 + index % 50);
  }
  const [there, back] = [`${scene.local}/tree`, `${scene.local}/back`];
  await writeTree(there, tree);
  await lftp(scene.target, [`mirror --parallel=4 --reverse ${quoted(there)} tree`]);
  await lftp(scene.target, [`mirror --parallel=4 tree ${quoted(back)}`]);
  assertEquals(await readTree(back), await readTree(there));
  assertEquals((await store.keys()).filter((key) => !key.endsWith("/")).length, TREE_FILES);
  assertNoneCut(scene);
});

Deno.test(realStoreTest("SITE CHMOD and AVBL are out of service on an object store", async (store) => {
  await using scene = await StoredScene.start(store);
  await using client = await scene.server.login();
  await client.expect(502, "SITE CHMOD 600 file.bin");
  await client.expect(502, "AVBL");
}));

function storedTest(
  client: RealClient,
  criterion: string,
  fn: (scene: StoredScene, store: RealStore) => Promise<void>,
): void {
  const definition = realStoreTest(`${client.name} on an object store ${criterion}`, async (store) => {
    await using scene = await StoredScene.start(store);
    await fn(scene, store);
  });
  const program = client.needs.find((need) => !isInstalled(need));
  if (program === undefined || definition.ignore) Deno.test(definition);
  else Deno.test(programTest({ ...definition, program }));
}

function has(client: RealClient, operation: Operation): boolean {
  return client.operations.includes(operation) && offers(client, "put");
}

function assertNoneCut(scene: StoredScene): void {
  assertEquals(scene.server.events.filter(({ event }) => event === "transferIncomplete"), []);
}
