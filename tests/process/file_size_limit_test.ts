import { assertEquals, assertStrictEquals } from "@std/assert";
import { denoArguments, SpawnedServer } from "../cli/spawned_server.ts";
import { programTest } from "../helpers/client_program.ts";
import { startTransfer } from "../helpers/dialogue.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

/** Above what the runtime writes into its caches. */
const LIMIT_BYTES = 64 << 20;
const LEFT_BYTES = 1000;
const TOO_MUCH = new Uint8Array(300_000).fill(7);

for (const workers of ["1", "2"]) {
  for (const command of ["APPE", "STOR"] as const) {
    Deno.test(programTest({
      program: "prlimit",
      name: `${command} beyond the limit on the size of files gets 452 and ends nothing else, --workers ${workers}`,
      fn: async () => {
        await using folder = await TemporaryFolder.create();
        await using server = await startLimited(folder.path, workers);
        await using other = await server.login("bob", "secret");
        await using client = await server.login("bob", "secret");
        await client.expect(200, "TYPE I");
        await Deno.writeFile(`${folder.path}/large`, new Uint8Array());
        await Deno.truncate(`${folder.path}/large`, LIMIT_BYTES - LEFT_BYTES);
        if (command === "STOR") await client.expect(350, `REST ${LIMIT_BYTES - LEFT_BYTES}`);
        await using data = await startTransfer(client, `${command} large`);
        // The server ends the connection before all is sent.
        const sending = data.write(TOO_MUCH).catch(() => {});
        assertEquals((await client.readReply(command)).text, "452 No space left.");
        await sending;
        assertStrictEquals((await Deno.stat(`${folder.path}/large`)).size, LIMIT_BYTES);
        await client.store("small", TOO_MUCH);
        assertEquals(await client.retrieve("small"), TOO_MUCH);
        await other.expect(200, "NOOP");
        server.kill("SIGTERM");
        assertStrictEquals((await server.exited()).code, 0);
      },
    }));
  }
}

/** A server that may write files of {@linkcode LIMIT_BYTES} at most. */
function startLimited(folder: string, workers: string): Promise<SpawnedServer> {
  const flags = ["--allow-net=127.0.0.1", "--allow-read", `--allow-write=${folder}`, "--no-code-cache"];
  const args = [folder, "--port", "0", "--workers", workers, "-w", "-u", "bob", "-P", "secret"];
  return SpawnedServer.start({
    executable: "prlimit",
    flags: [],
    args: [`--fsize=${LIMIT_BYTES}`, Deno.execPath(), ...denoArguments({ flags, args })],
    hasOwnPorts: true,
  });
}
