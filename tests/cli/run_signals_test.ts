import { assertEquals } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { readFlags, SpawnedServer } from "./spawned_server.ts";

/** More than all buffers on the way hold: the transfer waits for its reader. */
const LARGE_FILE_BYTES = 64 * 1024 * 1024;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`run() ends with status 0 on ${signal} as soon as it listens, and tells its clients`, async () => {
    await using folder = await TemporaryFolder.create();
    await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args: [folder.path] });
    server.kill(signal);
    assertEquals((await server.exited()).code, 0);
    await server.line(new RegExp(`received ${signal}, shutting down`));
    assertEquals(server.lines.at(-1)?.replace(/^\[.*?\] /, ""), ">>> server has stopped <<<");
  });
}

Deno.test("run() ends on a signal with 421 for who is connected", async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args: [folder.path] });
  await using client = await server.login();
  server.kill("SIGTERM");
  assertEquals((await client.readReply("SIGTERM")).code, 421);
  await client.closed();
  assertEquals((await server.exited()).code, 0);
});

Deno.test("run() lets a running transfer end on the first signal", async () => {
  await using folder = await TemporaryFolder.create();
  const flags = [...readFlags(folder.path), `--allow-write=${folder.path}`];
  await using server = await SpawnedServer.start({ flags, args: [folder.path, "-w", "-u", "bob", "-P", "secret"] });
  await using client = await server.login("bob", "secret");
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.expect(150, "STOR new.bin");
  await data.secure();
  await data.write(new Uint8Array(100_000));
  server.kill("SIGTERM");
  await server.line(/received SIGTERM/);
  await data.write(new Uint8Array(1_000_000));
  await data.finish();
  assertEquals([(await client.readReply()).code, (await client.readReply()).code], [226, 421]);
  assertEquals((await Deno.stat(`${folder.path}/new.bin`)).size, 1_100_000);
  assertEquals((await server.exited()).code, 0);
});

Deno.test("run() ends at once on the second signal, with a transfer running", async () => {
  await using folder = await largeFile();
  await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args: [folder.path] });
  await using client = await server.login();
  await using data = await client.passive();
  await client.expect(150, "RETR large.bin");
  await data.secure();
  server.kill("SIGTERM");
  await server.line(/received SIGTERM/);
  const startedAt = performance.now();
  server.kill("SIGTERM");
  assertEquals((await server.exited()).code, 1);
  // Far below the grace time of 10 s.
  assertEquals(performance.now() - startedAt < 5_000 ? "at once" : "late", "at once");
});

for (const workers of ["1", "2"]) {
  Deno.test({
    name: `run() logs who is connected and what is being transferred on SIGUSR2, with --workers ${workers}`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      const flags = ["--allow-net=127.0.0.1", "--allow-read", `--allow-write=${folder.path}`];
      const args = [folder.path, "--workers", workers, "-w", "-u", "bob", "-P", "secret"];
      await using server = await SpawnedServer.start({ flags, args });
      server.kill("SIGUSR2");
      await server.line(/^\[I .*\] no sessions, no transfers$/);
      await using client = await server.login("bob", "secret");
      await using data = await client.passive();
      await client.expect(150, "STOR new file");
      await data.secure();
      await using _other = await server.login("bob", "secret");
      server.kill("SIGUSR2");
      await server.line(/^\[I .*\] 2 sessions, 1 transfer$/);
      const session = "^ {4}127\\.0\\.0\\.1:\\d+-\\[bob\\] session [\\w-]+, TLSv1\\.3, for \\d+ s";
      await server.line(new RegExp(`${session}, STOR /new file bytes=0 seconds=\\d+\\.\\d{3}$`));
      await server.line(new RegExp(`${session}$`));
    },
  });
}

Deno.test({
  name: "run() logs who is connected as one JSON object with --log-format json",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const args = [folder.path, "--log-format", "json"];
    await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args });
    await using _client = await server.login();
    server.kill("SIGUSR2");
    const [line] = await server.line(/.*"event":"status".*/);
    const { level, sessions } = JSON.parse(line);
    assertEquals([level, sessions.length, sessions[0].username, sessions[0].tls], ["info", 1, "anonymous", "TLSv1.3"]);
  },
});

async function largeFile(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  await Deno.writeFile(`${folder.path}/large.bin`, new Uint8Array(0));
  await Deno.truncate(`${folder.path}/large.bin`, LARGE_FILE_BYTES);
  return folder;
}
