import { assertEquals, assertMatch } from "@std/assert";
import { formatTransfer, TransferLog } from "../../lib/serve/transfer_log.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { Installation, PASSWORD, USER } from "../cli/installation.ts";
import { SpawnedServer, writeFlags } from "../cli/spawned_server.ts";

const ENDED = {
  time: new Date(2026, 10, 2, 3, 4, 5),
  session: "1",
  remote: "192.0.2.7:50000",
  username: "user",
  command: "STOR",
  path: "/file",
  bytes: 12,
  seconds: 1.6,
} as const;

const LINES: readonly (readonly [what: string, event: ServerEvent, line: string | undefined])[] = [
  [
    "an upload",
    { event: "fileReceived", ...ENDED },
    "Mon Nov  2 03:04:05 2026 2 192.0.2.7 12 /file b _ i r user ftp 0 * c",
  ],
  [
    "a download",
    { event: "fileSent", ...ENDED, command: "RETR" },
    "Mon Nov  2 03:04:05 2026 2 192.0.2.7 12 /file b _ o r user ftp 0 * c",
  ],
  [
    "an incomplete upload",
    { event: "transferIncomplete", ...ENDED, reason: "cut" },
    "Mon Nov  2 03:04:05 2026 2 192.0.2.7 12 /file b _ i r user ftp 0 * i",
  ],
  [
    "an incomplete download",
    { event: "transferIncomplete", ...ENDED, command: "RETR", reason: "cut" },
    "Mon Nov  2 03:04:05 2026 2 192.0.2.7 12 /file b _ o r user ftp 0 * i",
  ],
  [
    "anonymous over IPv6, in no time",
    { event: "fileSent", ...ENDED, remote: "[2001:db8::1]:50000", username: "anonymous", seconds: 0.001 },
    "Mon Nov  2 03:04:05 2026 1 2001:db8::1 12 /file b _ o a anonymous ftp 0 * c",
  ],
  [
    "names that could forge a line",
    { event: "fileReceived", ...ENDED, path: "/a b\u0085c\u2028d\te", username: "us er" },
    "Mon Nov  2 03:04:05 2026 2 192.0.2.7 12 /a_b_c_d_e b _ i r us_er ftp 0 * c",
  ],
  ["no transfer", { event: "loggedOut", time: ENDED.time, session: "1", remote: ENDED.remote }, undefined],
];

for (const [what, event, line] of LINES) {
  Deno.test(`formatTransfer() formats ${what}`, () => assertEquals(formatTransfer(event), line));
}

Deno.test("TransferLog adds to the end of a file that others may not read", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/xferlog`;
  for (let times = 0; times < 2; times++) {
    await using log = await TransferLog.open(path);
    log.event({ event: "fileReceived", ...ENDED });
    log.event({ event: "stopped", time: ENDED.time });
  }
  assertEquals((await Deno.readTextFile(path)).split("\n").length, 3);
  if (Deno.build.os !== "windows") assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o007, 0);
});

Deno.test("run() writes each transfer to the file of log.transfers", async () => {
  await using installation = await Installation.create(`log: { transfers: xferlog }\n${USER}    permissions: elrw\n`);
  const flags = writeFlags(installation.path);
  await using server = await SpawnedServer.start({ flags, args: ["--config", installation.file] });
  await using client = await server.login("user", PASSWORD);
  await client.expect(200, "TYPE I");
  await client.store("file", new Uint8Array(1000));
  await client.retrieve("file");
  await using data = await client.passive();
  await client.expect(150, "STOR other");
  await data.secure();
  await data.write(new Uint8Array(10));
  await data[Symbol.asyncDispose]();
  await client.readReply("a cut");
  server.kill("SIGTERM");
  await server.exited();
  const lines = (await Deno.readTextFile(`${installation.path}/xferlog`)).trimEnd().split("\n");
  assertEquals(lines.length, 3);
  assertMatch(lines[0] ?? "", / 1 127\.0\.0\.1 1000 \/file b _ i r user ftp 0 \* c$/);
  assertMatch(lines[1] ?? "", / 1 127\.0\.0\.1 1000 \/file b _ o r user ftp 0 \* c$/);
  assertMatch(lines[2] ?? "", / 1 127\.0\.0\.1 \d+ \/other b _ i r user ftp 0 \* i$/);
});
