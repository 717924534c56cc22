import { assertEquals } from "@std/assert";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

const ignore = Deno.build.os === "windows";
const COMMANDS = ["RETR", "STOR", "APPE", "SIZE", "MDTM"];

async function assertNotOpened(home: string, names: readonly string[]): Promise<void> {
  await using server = await TestServer.start({ home });
  await using client = await server.login({ deadlineMs: 5_000 });
  await client.expect(200, "TYPE I");
  for (const name of names) {
    await using _unused = await client.passive();
    for (const command of COMMANDS) {
      assertEquals((await client.command(`${command} /${name}`)).code, 550, `${command} ${name}`);
    }
  }
  await client.expect(200, "NOOP");
}

Deno.test({
  name: "RETR, STOR and APPE reply 550 for a FIFO, and never wait for its other end",
  ignore,
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    await requireProgram("mkfifo", [`${folder.path}/fifo`]);
    await Deno.symlink("fifo", `${folder.path}/link`);
    await assertNotOpened(folder.path, ["fifo", "link"]);
  },
});

Deno.test({
  name: "RETR, STOR and APPE reply 550 for a device, which only a process with all permissions may open",
  ignore,
  fn: () => assertNotOpened("/dev", ["zero", "null", "tty"]),
});

Deno.test({
  name: "LIST and MLSD show a FIFO as what it is",
  ignore,
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    await requireProgram("mkfifo", [`${folder.path}/fifo`]);
    await using server = await TestServer.start({ home: folder.path });
    await using client = await server.login();
    assertEquals((await client.list("LIST")).at(0), "p");
    assertEquals(/type=([^;]+);\S* fifo\r/i.exec(await client.list("MLSD"))?.[1], "OS.unix=special");
  },
});
