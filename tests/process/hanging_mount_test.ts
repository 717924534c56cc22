import { assert, assertEquals } from "@std/assert";
import { dirname } from "node:path";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { SpawnedServer } from "../cli/spawned_server.ts";
import { FuseMount, fuseRefusal } from "../helpers/fuse_mount.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const refusal = await fuseRefusal();
/** For so long the kernel answers for the daemon, a second by default (mount.fuse3(8)). */
const ATTRIBUTES_KEPT_MS = 1_500;
/** More homes than the runtime has threads. */
const MANY = 40;
const HASH = await hashPassword("12345", { ln: 10 });

/** A server with a user on a FUSE mount and another on the disk. */
async function start(stack: AsyncDisposableStack, { workers, flags }: { workers: number; flags: readonly string[] }) {
  const folder = stack.use(await TemporaryFolder.create());
  const many = Array.from({ length: MANY }, (_, index) => `many${index}`);
  for (const name of ["source/d", "local/d", ...many.map((name) => `source/${name}`)]) {
    await Deno.mkdir(`${folder.path}/${name}`, { recursive: true });
  }
  await Deno.writeTextFile(`${folder.path}/source/file`, "content");
  await Deno.writeTextFile(`${folder.path}/local/file`, "content");
  const mount = stack.use(await FuseMount.mount(`${folder.path}/source`));
  const beside = `${dirname(mount.path)}/beside`;
  await Deno.mkdir(`${beside}/d`, { recursive: true });
  await Deno.writeTextFile(`${beside}/file`, "content");
  const user = (name: string, home: string) =>
    `  - name: ${name}\n    password: "${HASH}"\n    home: ${home}\n    permissions: elradfmwMT\n`;
  const config = `${folder.path}/ftpsd.yaml`;
  await Deno.writeTextFile(
    config,
    `workers: ${workers}\nusers:\n${user("remote", mount.path)}${user("local", `${folder.path}/local`)}` +
      user("beside", beside) +
      many.map((name) => user(name, `${mount.path}/${name}`)).join(""),
  );
  const server = stack.use(
    await SpawnedServer.start({
      flags: [
        "--allow-net=127.0.0.1",
        "--allow-read",
        `--allow-write=${folder.path},${mount.path},${beside}`,
        ...flags,
      ],
      args: ["--config", config, "--accept-risk", "excess-permissions"],
    }),
  );
  const login = async (name: string) => stack.use(await server.login(name, "12345"));
  return { mount, login };
}

async function assertServed(client: RawClient): Promise<void> {
  await client.expect(250, "CWD /d");
  await client.expect(200, "TYPE I");
  await client.expect(213, "SIZE /file");
  assertEquals(new TextDecoder().decode(await client.retrieve("/file")), "content");
}

Deno.test({
  name: `Homes on a mount that hangs use up no threads${refusal === undefined ? "" : ` (${refusal})`}`,
  ignore: refusal !== undefined,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const { mount, login } = await start(stack, { workers: 1, flags: [] });
    const local = await login("local");
    const clients = [];
    for (let index = 0; index < MANY; index++) clients.push(await login(`many${index}`));
    mount.hang();
    await new Promise((resolve) => setTimeout(resolve, ATTRIBUTES_KEPT_MS));
    for (const client of clients) await client.send("CWD /\r\n");
    await assertServed(local);
    assertEquals((await local.list("NLST /")).split("\r\n").length, 3); // listings are read by threads
    mount.goOn();
    for (const client of clients) assertEquals((await client.readReply()).code, 250);
  },
});

Deno.test({
  name: `A home that hangs from the start holds up no home beside it${refusal === undefined ? "" : ` (${refusal})`}`,
  ignore: refusal !== undefined,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const { mount, login } = await start(stack, { workers: 1, flags: [] });
    mount.hang();
    const remote = await login("remote");
    await remote.send("CWD /d\r\n"); // nothing was asked of either home before
    await assertServed(await login("beside"));
    mount.goOn();
    assertEquals((await remote.readReply()).code, 250);
  },
});

const WAYS = [
  { name: "the type of the mount is seen", workers: 1, flags: ["--allow-sys=statfs"] },
  { name: "it is not", workers: 1, flags: [] },
  { name: "it is not, and there are two event loops", workers: 2, flags: [] },
];

for (const { name, workers, flags } of WAYS) {
  Deno.test({
    name: refusal === undefined
      ? `A mount that hangs holds up its own sessions alone, where ${name}`
      : `A mount that hangs holds up its own sessions alone, where ${name} (${refusal})`,
    ignore: refusal !== undefined,
    async fn() {
      await using stack = new AsyncDisposableStack();
      const { mount, login } = await start(stack, { workers, flags });
      const [remote, other, local] = [await login("remote"), await login("remote"), await login("local")];
      await assertServed(remote);
      await assertServed(other);
      mount.hang();
      await new Promise((resolve) => setTimeout(resolve, ATTRIBUTES_KEPT_MS));
      await remote.send("CWD /d\r\n");
      await other.send("SIZE /file\r\n");
      await assertServed(local);
      for (let visits = 0; visits < 2 * workers; visits++) await assertServed(await login("local"));
      const late = await login("remote");
      await late.send("MKD /new\r\n");
      await late.send("ABOR\r\n");
      assertEquals([(await late.readReply()).code, (await late.readReply()).code], [451, 225]);
      await using _data = await late.passive();
      await late.send("RETR /file\r\nABOR\r\n");
      assertEquals([(await late.readReply()).code, (await late.readReply()).code], [426, 226]);
      await assertServed(local);
      mount.goOn();
      assertEquals([(await remote.readReply()).code, (await other.readReply()).code], [250, 213]);
      await assertServed(remote);
    },
  });
}

Deno.test({
  name: `A mount whose daemon is killed is answered by 451, and sessions live${
    refusal === undefined ? "" : ` (${refusal})`
  }`,
  ignore: refusal !== undefined,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const { mount, login } = await start(stack, { workers: 1, flags: ["--allow-sys=statfs"] });
    const [remote, local] = [await login("remote"), await login("local")];
    await assertServed(remote);
    await mount.die();
    for (const line of ["CWD /d", "SIZE /file", "MKD /new", "STAT /d", "MDTM /file"]) {
      const { code } = await remote.command(line);
      assert(code === 451, `${line}: ${code}`);
    }
    await remote.expect(200, "NOOP");
    await assertServed(local);
  },
});
