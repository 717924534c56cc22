import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { delay } from "../../lib/deadline.ts";
import { Installation, PASSWORD, USER } from "../cli/installation.ts";
import { denoArguments, SpawnedServer } from "../cli/spawned_server.ts";
import { programTest } from "../helpers/client_program.ts";

/** Some more than the runtime and the server hold by themselves. */
const DESCRIPTORS = 100;
const CLIENTS = 150;
const CONTENT = new TextEncoder().encode("content");
const DEADLINE_MS = 180_000; // with two event loops 33 s have been seen on an idle machine

for (const workers of ["1", "2"]) {
  Deno.test(programTest({
    program: "prlimit",
    name:
      `A server whose descriptors are all taken goes on, and reloads, once there are some again, --workers ${workers}`,
    fn: async () => {
      await using installation = await Installation.create(
        `listen: [{ port: 0 }]\nworkers: ${workers}\nlog: { transfers: xferlog }\nlimits: { connectionsPerAddress: 0 }\n` +
          `${USER}    permissions: elrw\n`,
      );
      await using server = await startWithFew(installation);
      await using session = await server.login("user", PASSWORD);
      await session.expect(200, "TYPE I");
      const crowd = await Promise.all(Array.from({ length: CLIENTS }, async () => connect(await server.port())));
      await session.expect(200, "NOOP");
      // Data connections and files need descriptors: what is told matters less than that the session goes on.
      for (const line of ["EPSV", "RETR none", "MLST", "NOOP"]) await session.command(line);
      server.kill("SIGHUP");
      await server.line(/configuration reloaded|reload failed/);
      for (const connection of crowd) connection?.close();
      await session.expect(200, "NOOP");
      await servesAgain(server);
      await session.store("file", CONTENT);
      assertEquals(await session.retrieve("file"), CONTENT);
      const before = server.lines.length;
      server.kill("SIGHUP");
      await server.lineAfter(before, /configuration reloaded/);
      server.kill("SIGTERM");
      assertStrictEquals((await server.exited()).code, 0);
    },
  }));
}

/** Waits until somebody new can log in: a listener that has found no descriptor is opened anew after some seconds. */
async function servesAgain(server: SpawnedServer): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      await using client = await server.login("user", PASSWORD);
      await client.expect(200, "NOOP");
      return;
    } catch (error) {
      assert(performance.now() < deadline, `Nobody is served again: ${error}`);
      await delay(200, new AbortController().signal);
    }
  }
}

/** A connection that says nothing; `undefined` where the server's backlog is full. */
async function connect(port: number): Promise<Deno.TcpConn | undefined> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset) {
      return undefined;
    }
    throw error;
  }
}

function startWithFew({ path, file }: Installation): Promise<SpawnedServer> {
  const flags = ["--allow-net=127.0.0.1", "--allow-read", `--allow-write=${path}`];
  return SpawnedServer.start({
    executable: "prlimit",
    flags: [],
    args: [`--nofile=${DESCRIPTORS}`, Deno.execPath(), ...denoArguments({ flags, args: ["--config", file] })],
    hasOwnPorts: true,
  });
}
