import { assertEquals } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import {
  assertDialogue,
  assertReplies,
  MORE_THAN_KERNELS_HOLD,
  stallDownload,
  startTransfer,
} from "../helpers/dialogue.ts";
import { GatedFileSystem } from "../helpers/gated_filesystem.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const LARGE = new Uint8Array(MORE_THAN_KERNELS_HOLD);

const ABORTED = ["426 Connection closed; transfer aborted.", "226 ABOR command successful."];

async function start(protection: typeof PROTECTIONS[number] = "explicit") {
  const stack = new AsyncDisposableStack();
  const home = new GatedFileSystem();
  await home.put("/large", LARGE);
  await home.put("/small", new TextEncoder().encode("content"));
  const server = stack.use(await TestServer.start({ protection, home }));
  return { stack, home, server, client: stack.use(await server.login()) };
}

Deno.test("ABOR replies 225 when there is nothing to abort", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await assertDialogue(client, [["ABOR", "225 No transfer to abort."]]);
});

Deno.test("ABOR closes a passive port, connected or not, and replies 225", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  const closed = "225 ABOR command successful; data channel closed.";
  await assertDialogue(client, [["EPSV", /^229 /], ["ABOR", closed], ["ABOR", "225 No transfer to abort."]]);
  await using data = await client.passive();
  await assertDialogue(client, [["ABOR", closed]]);
  await data.ended();
  await assertDialogue(client, [["RETR /small", /^425 /]]);
});

for (const protection of PROTECTIONS) {
  Deno.test(`ABOR during RETR and STOR replies 426 and 226: ${protection}`, async () => {
    const { stack, client, server } = await start(protection);
    await using _ = stack;
    for (const [line, begin] of [["RETR /large", stallDownload], ["STOR /upload", startTransfer]] as const) {
      await using _transfer = await begin(client, line);
      await client.send("ABOR\r\n");
      await assertReplies(client, ABORTED);
      const { reason } = await server.event("transferIncomplete", (event) => line.includes(event.path));
      assertEquals(reason, "ABOR");
    }
    assertEquals(new TextDecoder().decode(await client.retrieve("/small")), "content");
  });
}

Deno.test("ABOR while the transfer waits for the data connection ends it", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  for (const line of ["RETR /small", "STOR /upload", "LIST"]) {
    await client.expect(229, "EPSV");
    await client.expect(150, line);
    await client.send("ABOR\r\n");
    await assertReplies(client, ABORTED);
  }
});

Deno.test("ABOR while the transfer waits for the handshake ends it", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await using data = await client.passive();
  await client.expect(150, "RETR /small");
  await client.send("ABOR\r\n");
  await assertReplies(client, ABORTED);
  await data.ended();
});

Deno.test("ABOR while the file is being opened ends the transfer before it begins", async () => {
  const { stack, client, home } = await start();
  await using _ = stack;
  await using _data = await client.passive();
  const opening = home.shut();
  await client.send("RETR /small\r\n");
  await opening;
  await client.send("ABOR\r\n");
  home.open();
  await assertReplies(client, [/^150 /, ...ABORTED]);
});

const PIPELINES: readonly (readonly [pieces: readonly string[], codes: readonly number[]])[] = [
  [["CWD /\r\nABOR\r\n"], [426, 250, 225]],
  [["CWD /\r\n", "ABOR\r\n"], [426, 250, 225]],
  [["CWD /\r\n", "NOOP\r\nMKD /a\r\n", "ABOR\r\n"], [426, 250, 200, 257, 225]],
];

Deno.test("ABOR takes effect behind commands that wait for the transfer, in one write and in several", async () => {
  for (const [pieces, codes] of PIPELINES) {
    const { stack, client } = await start();
    await using _ = stack;
    await using _download = await stallDownload(client, "RETR /large");
    for (const piece of pieces) await client.send(piece);
    const received: number[] = [];
    for (const _code of codes) received.push((await client.readReply()).code);
    assertEquals(received, codes);
  }
});

Deno.test("ABOR is understood with Telnet IP and Synch before it", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  for (const noise of [[0xff, 0xf4, 0xff, 0xf2], [0xff, 0xf4, 0xf2], [0xf2], []]) {
    await using _download = await stallDownload(client, "RETR /large");
    await client.send(new Uint8Array([...noise, ...new TextEncoder().encode("ABOR\r\n")]));
    await assertReplies(client, ABORTED);
  }
});

const ABORT_AS_URGENT_DATA = `
import ftplib, sys
ftp = ftplib.FTP(timeout=10)
ftp.connect("127.0.0.1", int(sys.argv[1]))
ftp.login("user", "12345")
ftp.voidcmd("TYPE I")
for _ in range(3):
    data = ftp.transfercmd("RETR /large")
    data.recv(1)
    print(ftp.abort()[:3], ftp.getresp()[:3], ftp.sendcmd("NOOP")[:3])
    data.close()
ftp.quit()
`;

Deno.test(programTest({
  program: "python3",
  name: "ABOR is understood as urgent data, of which the last byte may be lost",
  fn: async () => {
    const { stack, server } = await start("clear");
    await using _ = stack;
    const args = ["-c", ABORT_AS_URGENT_DATA, String(server.port)];
    const { stdout, stderr } = await new Deno.Command("python3", { args }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(new TextDecoder().decode(stdout), "426 226 200\n".repeat(3));
  },
}));
