import { assert, assertEquals } from "@std/assert";
import { QUICK_HASH } from "../cli/installation.ts";
import { runMain, SpawnedServer } from "../cli/spawned_server.ts";
import { S3Server } from "../helpers/object_store/s3_server.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const CONTENT = new Uint8Array(6 * 2 ** 20).fill(65);

/** A folder with a configuration whose one home is in a store, and a state in a file. */
async function install({ endpoint, credentials }: S3Server): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  const files = { id: credentials.accessKey, secret: credentials.secretKey };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text, { mode: 0o600 });
  }
  await Deno.writeTextFile(
    `${folder.path}/ftpsd.yaml`,
    `listen: [{ port: 0 }]\nstate: { type: sqlite, file: state.db }\n` +
      `stores: { s: { type: s3, endpoint: "${endpoint}", bucket: files, accessKeyFile: id, secretKeyFile: secret, partSize: 5MiB } }\n` +
      `acceptRisks: [{ risk: clear-text-store, reason: a test }]\n` +
      `users: [{ name: alice, password: '${QUICK_HASH}', home: { store: s, path: / }, permissions: elradfmwMT }]\n`,
  );
  return folder;
}

Deno.test("A server with homes in a store asks Deno for what ftpsd permissions prints, and nothing more", async () => {
  await using store = new S3Server();
  await using folder = await install(store);
  const args = ["-c", `${folder.path}/ftpsd.yaml`];
  const { stdout } = await runMain({ flags: ["--allow-read"], args: ["permissions", ...args] });
  const flags = stdout.trim().split(" ").filter((word) => word.startsWith("--allow"));
  assertEquals(flags, [
    `--allow-net=127.0.0.1,${store.endpoint.replace("http://", "")}`,
    `--allow-read=${["ftpsd.yaml", "state.db", "id", "secret"].map((name) => `${folder.path}/${name}`).join(",")}`,
    `--allow-write=${folder.path}/state.db`,
  ]);
  const audit = `${folder.path}/audit.jsonl`;
  await using server = await SpawnedServer.start({ flags, args, env: { DENO_AUDIT_PERMISSIONS: audit } });
  await using client = await server.login("alice", "12345");
  await client.expect(200, "TYPE I");
  assertEquals((await client.store("/a", CONTENT)).code, 226);
  await client.expect(350, "RNFR /a");
  await client.expect(250, "RNTO /b");
  assertEquals((await client.retrieve("/b")).length, CONTENT.length);
  assertEquals(await client.list("NLST"), "b\r\n");
  await client.expect(213, "HASH /b");
  await client.expect(250, "DELE /b");
  await client.command("QUIT");
  server.kill("SIGTERM");
  assertEquals((await server.exited()).code, 0);
  const asked = (await Deno.readTextFile(audit)).trimEnd().split("\n").map((line) => JSON.parse(line));
  // Who may write in the folder of the state is looked at where Deno permits it.
  const files = [folder.path, ...flags[1]?.split("=")[1]?.split(",") ?? []];
  const outside = asked.filter(({ permission, value }) =>
    permission === "net"
      ? !/^(?:http:\/\/)?127\.0\.0\.1[:/]/.test(`${value}/`)
      : permission !== "read" && permission !== "write" || !files.includes(value)
  );
  assertEquals(outside, []);
  assert(asked.some(({ permission }) => permission === "write"));
});

Deno.test("A server whose store is away starts, serves everybody else, and says 451 for a time", async () => {
  await using store = new S3Server();
  const { port } = store;
  await using folder = await install(store);
  await store[Symbol.asyncDispose]();
  const net = `--allow-net=127.0.0.1`;
  const flags = [net, `--allow-read=${folder.path}`, `--allow-write=${folder.path}/state.db`];
  await using server = await SpawnedServer.start({ flags, args: ["-c", `${folder.path}/ftpsd.yaml`] });
  await using client = await server.login("alice", "12345");
  await client.expect(200, "TYPE I");
  await client.expect(451, "SIZE /a");
  await client.expect(257, "PWD");
  await using back = new S3Server({ port });
  back.plant("a", CONTENT.subarray(0, 1000));
  assertEquals((await client.expect(213, "SIZE /a")).lines[0], "1000");
  assertEquals((await client.retrieve("/a")).length, 1000);
});
