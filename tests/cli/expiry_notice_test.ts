import { assertEquals, assertMatch } from "@std/assert";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { Installation, PASSWORD, USER } from "./installation.ts";
import { readFlags, SpawnedServer } from "./spawned_server.ts";

const PROGRAM = new URL("impatient_program.ts", import.meta.url).pathname;
const NOTICE = /\[W .*\] tls\.certificate: expires on \d{4}-\d\d-\d\dT.*; renew it/;

async function serve(
  validForDays: number,
): Promise<{ readonly installation: Installation; readonly server: SpawnedServer }> {
  const installation = await Installation.create(`tls: { certificate: server.crt, key: server.key }\n${USER}`);
  await installation.install(await createEphemeralCertificate({ names: ["127.0.0.1"], validForDays }));
  const args = ["--config", installation.file];
  return {
    installation,
    server: await SpawnedServer.start({ flags: readFlags(installation.path), args, program: PROGRAM }),
  };
}

Deno.test("run() says at start and then again and again that its certificate will expire", async () => {
  const { installation, server } = await serve(13);
  await using _installation = installation;
  await using _server = server;
  let seen = 0;
  for (let times = 0; times < 3; times++) {
    await server.lineAfter(seen, NOTICE);
    seen += server.lines.slice(seen).findIndex((line) => NOTICE.test(line)) + 1;
  }
  // A new one ends the notices.
  await installation.install(await createEphemeralCertificate({ names: ["127.0.0.1"], validForDays: 90 }));
  await server.line(/certificate replaced/);
  const { length } = server.lines;
  await using client = await server.login("user", PASSWORD);
  await client.expect(221, "QUIT");
  assertEquals(server.lines.slice(length).filter((line) => NOTICE.test(line)), []);
  server.kill("SIGTERM");
  assertEquals((await server.exited()).code, 0);
});

Deno.test("run() says nothing of a certificate that is valid for long", async () => {
  const { installation, server } = await serve(16);
  await using _installation = installation;
  await using _server = server;
  await using client = await server.login("user", PASSWORD);
  await client.expect(221, "QUIT");
  server.kill("SIGTERM");
  assertEquals((await server.exited()).code, 0);
  assertEquals(server.lines.filter((line) => NOTICE.test(line)), []);
  assertMatch(server.lines.at(-1) ?? "", /server has stopped/);
});
