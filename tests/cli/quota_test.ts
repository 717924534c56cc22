import { assertEquals, assertMatch } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { startTransfer } from "../helpers/dialogue.ts";
import { QUICK_HASH } from "./installation.ts";
import { runMain, SpawnedServer } from "./spawned_server.ts";

/** A folder with a configuration of two users in a group. */
async function install(state: string): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  for (const name of ["alice", "bob"]) await Deno.mkdir(`${folder.path}/${name}/in`, { recursive: true });
  const users = ["alice", "bob"].map((name) =>
    `  - { name: ${name}, password: '${QUICK_HASH}', home: ${name}, permissions: elradfmw, groups: [partners],` +
    ` quota: { bytes: 1000 } }\n`
  );
  await Deno.writeTextFile(
    `${folder.path}/ftpsd.yaml`,
    `listen: [{ port: 0 }]\n${state}groups: { partners: { quota: { files: 100 } } }\nusers:\n${users.join("")}`,
  );
  return folder;
}

const SQLITE = "state: { type: sqlite, file: state.db }\n";

async function scan(folder: TemporaryFolder, ...names: string[]) {
  const flags = ["--allow-read", `--allow-write=${folder.path}/state.db`];
  const { code, stdout, stderr } = await runMain({
    flags,
    args: ["quota", "scan", ...names, "-c", `${folder.path}/ftpsd.yaml`],
  });
  return { code, text: stdout + stderr };
}

Deno.test("ftpsd quota scan counts what users and groups have stored", async () => {
  await using folder = await install(SQLITE);
  await Deno.writeTextFile(`${folder.path}/alice/in/a`, "x".repeat(700));
  await Deno.writeTextFile(`${folder.path}/bob/b`, "x".repeat(20));
  assertEquals(await scan(folder), {
    code: 0,
    text: "user alice: 700 bytes in 1 files\nuser bob: 20 bytes in 1 files\ngroup partners: 720 bytes in 2 files\n",
  });
  await Deno.writeTextFile(`${folder.path}/bob/c`, "x".repeat(2000));
  assertEquals(await scan(folder, "bob", "group partners"), {
    code: 0,
    text: "user bob: 2020 bytes in 2 files\ngroup partners: 2720 bytes in 3 files\n",
  });
});

Deno.test("ftpsd quota scan lets a server that runs count, once nothing is under way", async () => {
  await using folder = await install(SQLITE);
  const flags = ["--allow-net", "--allow-read", `--allow-write=${folder.path}`];
  await using server = await SpawnedServer.start({ flags, args: ["-c", `${folder.path}/ftpsd.yaml`] });
  await using client = await server.login("alice", "12345");
  await client.expect(200, "TYPE I");
  {
    await using data = await startTransfer(client, "STOR a");
    await data.write(new Uint8Array(100));
    await Deno.writeTextFile(`${folder.path}/alice/in/behind`, "x".repeat(850));
    assertEquals(await scan(folder, "alice"), {
      code: 0,
      text: "user alice: the server counts before the next upload\n",
    });
    await data.finish();
  }
  assertEquals((await client.readReply()).code, 226);
  // The server looks for requests every two seconds.
  for (;;) {
    const { lines } = await client.expect(200, "SITE QUOTA");
    if (lines.includes(" user alice: 950 bytes of 1000, 50 left")) break;
    assertMatch(lines[1] ?? "", /user alice: (100 bytes|what is stored is being counted)/);
    await using data = await startTransfer(client, "STOR empty");
    await data.finish();
    await client.readReply();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

Deno.test("ftpsd quota scan says what keeps it from counting", async () => {
  await using folder = await install("");
  assertEquals(await scan(folder), {
    code: 2,
    text: "error: the state is in memory, so that each start counts anew by itself (state.type)\n" +
      "hint: state: { type: sqlite, file: state.db } keeps counts\n",
  });
  await using other = await install(SQLITE);
  assertEquals(await scan(other, "alice", "carol"), {
    code: 2,
    text: 'error: "carol" has no quota (quota scan)\nhint: a user, "anonymous", or "group NAME"\n',
  });
  const { code, stderr } = await runMain({ flags: [], args: ["quota", "count"] });
  assertEquals([code, stderr], [
    2,
    "error: what to do is missing, or unknown (quota)\nhint: ftpsd quota scan -c FILE\n",
  ]);
});
