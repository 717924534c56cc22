import { assert, assertEquals, assertMatch } from "@std/assert";
import { SqliteDatabase } from "../../lib/state/sqlite/sqlite_database.ts";
import { SqliteRecords } from "../../lib/state/sqlite/sqlite_records.ts";
import { QUICK_HASH } from "../cli/installation.ts";
import { MAIN, runMain, SpawnedServer } from "../cli/spawned_server.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const WRITER = new URL("state_writer.ts", import.meta.url).pathname;

/** A folder with a configuration whose state is in a file. */
async function install(more = ""): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/home`);
  await Deno.writeTextFile(
    `${folder.path}/ftpsd.yaml`,
    `listen: [{ port: 0 }]\nstate: { type: sqlite, file: state.db }\nban: { failures: 3, duration: 600 }\n` +
      `timeouts: { failedLogin: 0 }\n${more}` +
      `users: [{ name: alice, password: '${QUICK_HASH}', home: home, permissions: elrw }]\n`,
  );
  return folder;
}

/** What `ftpsd permissions` prints, but for the program. */
async function flagsFor(folder: TemporaryFolder): Promise<string[]> {
  const args = ["permissions", "-c", `${folder.path}/ftpsd.yaml`];
  const { stdout } = await runMain({ flags: ["--allow-read"], args });
  return stdout.trim().split(" ").filter((word) => word.startsWith("--allow"));
}

async function greeting(server: SpawnedServer): Promise<string> {
  await using client = await RawClient.connect({ host: "127.0.0.1", port: await server.port() });
  return (await client.readReply()).text;
}

async function failToLogIn(server: SpawnedServer): Promise<void> {
  await using client = await RawClient.connect({ host: "127.0.0.1", port: await server.port() });
  await client.readReply();
  await client.startTls();
  await client.command("USER alice");
  await client.command("PASS wrong");
}

for (const workers of ["1", "2"]) {
  Deno.test(`A ban outlives a server that is killed, --workers ${workers}`, async () => {
    await using folder = await install();
    const flags = await flagsFor(folder);
    if (workers !== "1") flags.push(`--allow-read=${MAIN.replace(/\/main\.ts$/, "")}`);
    const args = ["-c", `${folder.path}/ftpsd.yaml`, "--workers", workers];
    {
      await using server = await SpawnedServer.start({ flags, args });
      for (let count = 0; count < 3; count++) await failToLogIn(server);
      await server.line(/banned/);
      server.kill("SIGKILL");
      await server.exited();
    }
    await using server = await SpawnedServer.start({ flags, args });
    assertEquals(await greeting(server), "421 Too many failed logins, try again later.");
  });
}

Deno.test("A server with a state in a file asks Deno for what ftpsd permissions prints, and nothing more", async () => {
  await using folder = await install();
  const flags = await flagsFor(folder);
  const audit = `${folder.path}/audit.jsonl`;
  await using server = await SpawnedServer.start({
    flags,
    args: ["-c", `${folder.path}/ftpsd.yaml`],
    env: { DENO_AUDIT_PERMISSIONS: audit },
  });
  await failToLogIn(server);
  await using client = await server.login("alice", "12345");
  assertEquals((await client.command("PWD")).code, 257);
  await client.command("QUIT");
  server.kill("SIGTERM");
  assertEquals((await server.exited()).code, 0);
  const asked = (await Deno.readTextFile(audit)).trimEnd().split("\n").map((line) => JSON.parse(line));
  const state = asked.filter(({ value }) => String(value).includes("state.db"));
  assertEquals([...new Set(state.map(({ permission, value }) => `${permission} ${value}`))].sort(), [
    `read ${folder.path}/state.db`,
    `write ${folder.path}/state.db`,
  ]);
  const granted = (permission: string) =>
    flags.filter((flag) => flag.startsWith(`--allow-${permission}=`)).flatMap((flag) => flag.split("=")[1]?.split(","));
  for (const { permission, value } of asked) {
    if (permission !== "write") continue;
    assert(granted("write").some((path) => value === path || value.startsWith(`${path}/`)), `write ${value}`);
  }
});

Deno.test("ftpsd ends with one line when its state cannot be used", async () => {
  await using folder = await install();
  const file = `${folder.path}/state.db`;
  const flags = await flagsFor(folder);
  const args = ["-c", `${folder.path}/ftpsd.yaml`, "--port", "0"];
  await Deno.writeTextFile(file, "no database ".repeat(500), { mode: 0o600 });
  assertEquals(await runMain({ flags, args }), {
    code: 1,
    stdout: "",
    stderr: `error: cannot use ${file} as the state: it is no database, or a damaged one (state.file)\n` +
      `hint: ls -l ${file}\n`,
  });
  await Deno.remove(file);
  await Deno.symlink("elsewhere.db", file);
  const { code, stderr } = await runMain({ flags, args });
  assertEquals(code, 2);
  assertMatch(stderr, /^error: .*state\.file: .* is a symbolic link; name the file itself\n/);
});

Deno.test("A state is for one server", async () => {
  await using folder = await install();
  const flags = await flagsFor(folder);
  const args = ["-c", `${folder.path}/ftpsd.yaml`];
  await using first = await SpawnedServer.start({ flags, args });
  await first.port();
  const second = await runMain({ flags, args: [...args, "--port", "0"] });
  assertEquals([second.code, second.stderr], [
    1,
    `error: cannot use ${folder.path}/state.db as the state: another server uses it (state.file)\n` +
    "hint: each server needs a file of its own\n",
  ]);
});

Deno.test("What a state has acknowledged outlives SIGKILL in the middle of 1,000 writes", async () => {
  for (const killedAfter of [1, 137, 500, 999]) {
    await using folder = await TemporaryFolder.create();
    const file = `${folder.path}/state.db`;
    const flags = [`--allow-read=${file}`, `--allow-write=${file}`];
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...flags, WRITER, file, "1000"],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let text = "";
    let isKilled = false;
    for await (const piece of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (isKilled || text.split("\n").length <= killedAfter) continue;
      isKilled = true;
      process.kill("SIGKILL");
    }
    assertEquals((await process.status).signal, "SIGKILL");
    const acknowledged = text.split("\n").slice(0, -1).length;
    using database = SqliteDatabase.open(file);
    const records = new SqliteRecords(database.db);
    for (let index = 0; index < acknowledged; index++) assertEquals(records.get("test", `${index}`), `value ${index}`);
    assert(acknowledged >= killedAfter);
  }
});
