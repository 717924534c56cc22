import { assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import type { ServerEventName } from "../../lib/events.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { SpawnedServer, writeFlags } from "./spawned_server.ts";

const PASSWORD = "r1ght-Secret";
const WRONG_PASSWORD = "wr0ng-Secret";

const LOGGED: ServerEventName[] = [
  "commandRefused",
  "connected",
  "disconnected",
  "fileReceived",
  "fileSent",
  "listening",
  "loggedOut",
  "loginFailed",
  "loginSucceeded",
  "secured",
  "stopped",
  "transferIncomplete",
  "transferStarted",
];

Deno.test("run() logs one JSON object a line with --log-format json, for each thing that happens, and no password", async () => {
  const lines = await logOfBusyServer(["--log-format", "json"]);
  assertNotMatch(lines.join("\n"), /Secret/i);
  const objects = lines.map((line) => JSON.parse(line));
  const incomplete = objects.filter(({ time, level, event }) =>
    Number.isNaN(Date.parse(time)) || !/^(info|warn)$/.test(level) || typeof event !== "string"
  );
  assertEquals(incomplete, []);
  const names = new Set(objects.map(({ event }) => event).filter((event) => event !== "remark"));
  assertEquals([...names].toSorted(), LOGGED);
  assertEquals(objects[0].event, "listening");
  assertEquals(objects.at(-1).event, "stopped");
  const { path, bytes, username } = objects.find(({ event }) => event === "fileReceived");
  assertEquals({ path, bytes, username }, { path: "/a file.bin", bytes: 1000, username: "bob" });
});

for (const args of ["--log-format pretty", "--log-format pretty --debug", "--log-format json --debug"]) {
  Deno.test(`run() never logs a password: ${args}`, async () => {
    const log = (await logOfBusyServer(args.split(" "))).join("\n");
    assertNotMatch(log, /Secret/i);
    assertStringIncludes(log, "******");
  });
}

/** Everything a server logs while all kinds of things are done to it. */
async function logOfBusyServer(args: readonly string[]): Promise<readonly string[]> {
  await using folder = await TemporaryFolder.create();
  await using server = await SpawnedServer.start({
    flags: writeFlags(folder.path),
    args: [folder.path, "-w", "-u", "bob", "-P", PASSWORD, ...args],
  });
  await refusedLogins(await server.port());
  await using client = await server.login("bob", PASSWORD);
  await client.expect(200, "TYPE I");
  await client.store("a file.bin", new Uint8Array(1000));
  await client.retrieve("a file.bin");
  await client.expect(550, "RETR none");
  await cutUpload(client);
  await client.expect(221, "QUIT");
  await client.closed();
  server.kill("SIGTERM");
  await server.exited();
  return server.lines;
}

async function refusedLogins(port: number): Promise<void> {
  await using client = await RawClient.connect({ host: "127.0.0.1", port });
  await client.readReply("connecting");
  await client.expect(550, "USER bob");
  await client.command(`PASS ${PASSWORD}`);
  await client.startTls();
  await client.expect(331, "USER bob");
  await client.expect(530, `pass ${WRONG_PASSWORD}`);
  await client.expect(331, "USER bob");
  await client.expect(230, `PaSs ${PASSWORD}`);
  await client.expect(503, `PASS ${PASSWORD}`);
}

async function cutUpload(client: RawClient): Promise<void> {
  await using data = await client.passive();
  await client.expect(150, "STOR cut.bin");
  await data.secure();
  await data.write(new Uint8Array(1000));
  await data.reset();
  assertEquals((await client.readReply()).code, 426);
}
