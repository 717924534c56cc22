import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { denoArguments, SpawnedServer } from "../cli/spawned_server.ts";
import { programTest } from "../helpers/client_program.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const CONTENT = new TextEncoder().encode("content");

/** Calls that do the same, of which the runtime may take any. */
const CALLS: Readonly<Record<string, string>> = {
  mkdir: "mkdir,mkdirat",
  read: "read,pread64,preadv,readv",
  rmdir: "rmdir,unlinkat",
  unlink: "unlink,unlinkat",
  write: "write,pwrite64,pwritev,writev",
};

/** A call of the system that fails on one path of the home, what a client does there, and what it is told. */
interface Fault {
  readonly call: string;
  readonly error: string;
  /** Name in the home. */
  readonly path: string;
  readonly line: string;
  readonly reply: RegExp;
}

const FULL = /^452 No space left\.$/;
const DENIED = /^550 Permission denied\.$/;
const BROKEN = /^451 /;

const FAULTS: readonly Fault[] = [
  { call: "write", error: "ENOSPC", path: "new", line: "STOR new", reply: FULL },
  { call: "write", error: "EDQUOT", path: "new", line: "STOR new", reply: FULL },
  { call: "write", error: "EFBIG", path: "new", line: "APPE new", reply: FULL },
  { call: "write", error: "EIO", path: "new", line: "STOR new", reply: BROKEN },
  { call: "openat", error: "EROFS", path: "file", line: "STOR file", reply: DENIED },
  { call: "openat", error: "EDQUOT", path: "new", line: "STOR new", reply: FULL },
  { call: "openat", error: "EIO", path: "file", line: "RETR file", reply: BROKEN },
  { call: "openat", error: "EMFILE", path: "file", line: "RETR file", reply: BROKEN },
  { call: "openat", error: "ENFILE", path: "new", line: "STOR new", reply: BROKEN },
  { call: "read", error: "EIO", path: "file", line: "RETR file", reply: BROKEN },
  { call: "getdents64", error: "EIO", path: "d", line: "MLSD d", reply: BROKEN },
  { call: "mkdir", error: "EROFS", path: "new", line: "MKD new", reply: DENIED },
  { call: "mkdir", error: "ENOSPC", path: "new", line: "MKD new", reply: FULL },
  { call: "unlink", error: "EIO", path: "file", line: "DELE file", reply: BROKEN },
  { call: "rmdir", error: "EROFS", path: "d", line: "RMD d", reply: DENIED },
];

for (const fault of FAULTS) {
  const { call, error, line, reply } = fault;
  Deno.test(programTest({
    program: "strace",
    name: `${line} where ${call} fails with ${error} gets ${reply.source.slice(1, 4)}, and all else goes on`,
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      await Deno.writeFile(`${folder.path}/file`, CONTENT);
      await Deno.writeFile(`${folder.path}/other`, CONTENT);
      await Deno.mkdir(`${folder.path}/d`);
      await using server = await startFaulty(folder.path, fault);
      await using bystander = await server.login("bob", "secret");
      await using client = await server.login("bob", "secret");
      await client.expect(200, "TYPE I");
      assertMatch(await lastReply(client, line), reply);
      await client.store("later", CONTENT);
      assertEquals(await client.retrieve("other"), CONTENT);
      await bystander.expect(200, "NOOP");
      server.kill("SIGTERM");
      assertStrictEquals((await server.exited()).code, 0);
    },
  }));
}

/** What a command comes to, with a data connection where it takes one. */
async function lastReply(client: RawClient, line: string): Promise<string> {
  if (!/^(STOR|APPE|RETR|MLSD)/.test(line)) return (await client.command(line)).text;
  await using data = await client.passive();
  const first = await client.command(line);
  if (first.code !== 150) return first.text;
  // The server may end the connection before the handshake.
  await data.secure().then(() => /^(STOR|APPE)/.test(line) ? data.write(CONTENT).then(() => data.finish()) : undefined)
    .catch(() => {});
  return (await client.readReply(line)).text;
}

/** A server of which one call fails on one path. */
function startFaulty(folder: string, { call, error, path }: Fault): Promise<SpawnedServer> {
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}`];
  const args = [folder, "--port", "0", "-w", "-u", "bob", "-P", "secret"];
  const calls = CALLS[call] ?? call;
  const strace = ["-D", "-f", "-qqq", "-o", "/dev/null", "-P", `${folder}/${path}`, "-e", `trace=${calls}`];
  return SpawnedServer.start({
    executable: "strace",
    flags: [],
    args: [...strace, "-e", `inject=${calls}:error=${error}`, Deno.execPath(), ...denoArguments({ flags, args })],
    hasOwnPorts: true,
  });
}
