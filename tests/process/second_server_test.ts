import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { runMain, SpawnedServer, type SpawnOptions } from "../cli/spawned_server.ts";
import { startTransfer } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

/** Connections, so many that the system would give some to each of two listeners. */
const CONNECTIONS = 16;

interface Scene {
  readonly first: string;
  readonly second: string;
  /** Where clients of the first connect. */
  readonly host: string;
}

const SCENES: readonly Scene[] = [
  { first: "127.0.0.1", second: "127.0.0.1", host: "127.0.0.1" },
  { first: "::1", second: "::1", host: "::1" },
  { first: "0.0.0.0", second: "127.0.0.1", host: "127.0.0.1" },
  { first: "127.0.0.1", second: "0.0.0.0", host: "127.0.0.1" },
  { first: "::", second: "127.0.0.1", host: "127.0.0.1" },
];

/** Event loops of the first and of the second server. */
const LOOPS = [["2", "2"], ["2", "1"], ["1", "2"]] as const;

for (const { first, second, host } of SCENES) {
  for (const [loops, others] of first === second ? LOOPS : LOOPS.slice(0, 1)) {
    Deno.test({
      name:
        `A second server on ${second} is refused the port of the first on ${first}, --workers ${loops} and ${others}`,
      ignore: Deno.build.os !== "linux",
      fn: async () => {
        await using folder = await TemporaryFolder.create();
        await using server = await SpawnedServer.start(
          options(folder.path, ["-i", first, "--workers", loops, "--banner", "The first."]),
        );
        const port = await server.port();
        const args = ["-i", second, "-p", `${port}`, "--workers", others, "--banner", "The second."];
        const { code, stderr } = await runMain(options(folder.path, args));
        assertMatch(stderr, new RegExp(`^error: the port is in use \\(.*port ${port}\\)$`, "m"));
        assertStrictEquals(code, 1);
        assertEquals(new Set(await greetings(host, port)), new Set(["220 The first."]));
        server.kill("SIGTERM");
        assertStrictEquals((await server.exited()).code, 0);
      },
    });
  }
}

for (const loops of ["1", "2"]) {
  Deno.test(`A server takes the port of one that was killed with clients connected, --workers ${loops}`, async () => {
    await using folder = await TemporaryFolder.create();
    await using killed = await SpawnedServer.start(options(folder.path, ["--workers", loops]));
    const port = await killed.port();
    await using _client = await killed.login();
    killed.kill("SIGKILL");
    await killed.exited();
    const next = options(folder.path, ["--workers", loops, "--port", `${port}`]);
    await using server = await SpawnedServer.start({ ...next, hasOwnPorts: true });
    await using client = await server.login();
    await client.expect(200, "NOOP");
  });

  Deno.test(`A server takes the port of one that lets its last transfers end, --workers ${loops}`, async () => {
    await using folder = await TemporaryFolder.create();
    await Deno.writeFile(`${folder.path}/large`, new Uint8Array());
    await Deno.truncate(`${folder.path}/large`, 64 << 20);
    await using ending = await SpawnedServer.start(options(folder.path, ["--workers", loops]));
    const port = await ending.port();
    await using client = await ending.login();
    await using _data = await startTransfer(client, "RETR large");
    ending.kill("SIGTERM");
    await ending.line(/received SIGTERM/);
    const next = options(folder.path, ["--workers", loops, "--port", `${port}`]);
    await using server = await SpawnedServer.start({ ...next, hasOwnPorts: true });
    await using other = await server.login();
    await other.expect(200, "NOOP");
  });
}

function options(folder: string, args: readonly string[]): SpawnOptions {
  return { flags: ["--allow-net", "--allow-read"], args: [folder, ...args] };
}

/** What so many clients are greeted with. */
function greetings(host: string, port: number): Promise<string[]> {
  return Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    await using client = await RawClient.connect({ host, port });
    return (await client.readReply("connecting")).text;
  }));
}
