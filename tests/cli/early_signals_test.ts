import { assertEquals, assertStrictEquals } from "@std/assert";
import { delay } from "../../lib/deadline.ts";
import { withDeadline } from "../helpers/socket_reader.ts";
import { HAS_PROC, listensFor } from "../helpers/process_state.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { denoArguments, readFlags, type ServerOptions, SpawnedServer } from "./spawned_server.ts";

/** Delays before a signal to stop, in milliseconds: from the first moment to after the start. */
const DELAYS_MS = [0, 30, 60, 100, 150, 200, 300, 500, 900, 1500];

Deno.test({
  name: "run() is not ended by SIGHUP while it finds out that it cannot start",
  ignore: !HAS_PROC,
  fn: async () => {
    await using server = spawn(["--nonsense"]);
    await listensFor(server.pid, "SIGHUP");
    for (const signal of ["SIGHUP", "SIGUSR2", "SIGHUP"] as const) server.kill(signal);
    const { code, signal } = await server.exited();
    assertEquals({ code, signal }, { code: 2, signal: null });
  },
});

for (const workers of ["1", "2"]) {
  Deno.test({
    name: `run() is not ended by SIGHUP and SIGUSR2 at any moment of its start, and acts on them, --workers ${workers}`,
    ignore: !HAS_PROC,
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      await using server = spawn([folder.path, "--workers", workers], ["--allow-net=127.0.0.1", "--allow-read"]);
      await listensFor(server.pid, "SIGHUP");
      const listening = new AbortController();
      server.port().finally(() => listening.abort()).catch(() => {}); // told by what is awaited below
      while (!listening.signal.aborted) {
        server.kill("SIGHUP");
        server.kill("SIGUSR2");
        await delay(5, listening.signal).catch(() => {}); // it listens
      }
      await server.line(/configuration reloaded/);
      await server.line(/no sessions, no transfers/);
      await using client = await server.login();
      await client.expect(200, "NOOP");
      server.kill("SIGTERM");
      assertStrictEquals((await server.exited()).code, 0);
    },
  });
}

Deno.test({
  name: "run() ends with status 0 on SIGTERM at any moment of its start",
  ignore: !HAS_PROC,
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    await Promise.all(DELAYS_MS.map((ms, index) => stopAfter(ms, folder.path, { isTwice: index % 2 === 1 })));
  },
});

Deno.test({
  name: "run() leaves signals to the system where it does not serve",
  ignore: !HAS_PROC,
  fn: async () => {
    const args = denoArguments({ flags: [], args: ["hash-password"] });
    // It waits for its input.
    const process = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "null", stderr: "null" }).spawn();
    await listensFor(process.pid, "SIGXFSZ"); // so it has begun
    process.kill("SIGHUP");
    try {
      const { signal } = await withDeadline(process.status, "the end of the program", 20_000);
      assertEquals(signal, "SIGHUP");
    } catch (error) {
      process.kill("SIGKILL");
      throw error;
    } finally {
      await process.stdin.close().catch(() => {}); // it has ended
    }
  },
});

function spawn(args: readonly string[], flags: ServerOptions["flags"] = readFlags(".")): SpawnedServer {
  return SpawnedServer.spawn({ flags, args });
}

/** Stops a server so long after it was spawned, and looks how it ends. */
async function stopAfter(ms: number, folder: string, { isTwice }: { readonly isTwice: boolean }): Promise<void> {
  await using server = spawn([folder], readFlags(folder));
  // Before the runtime has begun, nobody can listen.
  await listensFor(server.pid, "SIGHUP");
  await delay(ms, new AbortController().signal);
  server.kill("SIGTERM");
  if (isTwice) server.kill("SIGTERM");
  const { code, signal } = await server.exited();
  // The second one ends it at once.
  const expected = isTwice && code === 1 ? 1 : 0;
  assertEquals({ ms, code, signal }, { ms, code: expected, signal: null });
}
