import { assertEquals } from "@std/assert";
import { TestServer, USER } from "../helpers/test_server.ts";

/** Enough for an upload that is not over in one go. */
const SENT = new Uint8Array(300_000);

/** What stands behind STOR on the control connection when the client is killed. */
const BEHIND: Readonly<Record<string, string>> = {
  "nothing": "",
  "QUIT": "QUIT\r\n",
  "a command and QUIT": "CWD /\r\nQUIT\r\n",
  "100 commands": "CWD /\r\n".repeat(100),
  "2,000 commands": "CWD /\r\n".repeat(2000),
  "more commands than are read ahead": "CWD /\r\n".repeat(200_000),
  "AUTH": "AUTH TLS\r\n",
};

/** The client's end of a control connection, on a plain socket. */
class Control implements Disposable {
  readonly #connection: Deno.TcpConn;
  #text = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(server: TestServer): Promise<Control> {
    return new Control(await Deno.connect({ hostname: server.host, port: server.port }));
  }

  /** Sends a text as far as the server takes it. */
  send(text: string): Promise<unknown> {
    return this.#sendAll(new TextEncoder().encode(text)).catch(() => {}); // killed in the middle of it
  }

  async #sendAll(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.#connection.write(rest));
  }

  /** Reads to a text, and no further than one read behind it. */
  async hear(wanted: string): Promise<string> {
    const buffer = new Uint8Array(1024);
    while (!this.#text.includes(wanted)) {
      const count = await this.#connection.read(buffer);
      if (count === null) throw new Error(`The connection ended before "${wanted}": ${this.#text}`);
      this.#text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    return this.#text;
  }

  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

async function startUpload(server: TestServer, name: string) {
  const control = await Control.connect(server);
  await control.send(`USER ${USER.name}\r\nPASS ${USER.password}\r\nEPSV\r\n`);
  const port = Number(/\|\|\|(\d+)\|/.exec(await control.hear("|)"))?.[1]);
  const data = await Deno.connect({ hostname: server.host, port });
  await control.send(`STOR ${name}\r\n`);
  await control.hear("\r\n150 ");
  return { control, data };
}

for (const [name, behind] of Object.entries(BEHIND)) {
  for (const first of ["control", "data"] as const) {
    Deno.test(`STOR of a killed client is incomplete with ${name} behind it: ${first} connection ends first`, async () => {
      await using server = await TestServer.start({
        protection: "clear",
        server: { tls: { requireCloseNotify: false } },
      });
      const ends: string[] = [];
      for (let count = 0; count < 5; count++) {
        const { control, data } = await startUpload(server, `file${count}`);
        const sending = control.send(behind);
        if (behind === BEHIND["QUIT"]) await control.hear("221 ");
        await data.write(SENT);
        await new Promise((resolve) => setTimeout(resolve, 60)); // a slow upload
        for (const connection of first === "control" ? [control, data] : [data, control]) connection[Symbol.dispose]();
        await sending;
        const { event } = await server.event("disconnected", () => countOf(server, "disconnected") === count + 1);
        assertEquals(event, "disconnected");
        const end = server.events.findLast(({ event }) => event === "fileReceived" || event === "transferIncomplete");
        ends.push(end?.event ?? "none");
      }
      assertEquals(ends, Array(5).fill("transferIncomplete"));
    });
  }
}

function countOf(server: TestServer, name: string): number {
  return server.events.filter(({ event }) => event === name).length;
}

for (const behind of ["QUIT\r\n", "CWD /\r\n".repeat(500), "CWD /\r\n".repeat(500) + "QUIT\r\n"]) {
  Deno.test(`STOR of a client that stays is complete with ${behind.length} bytes behind it`, async () => {
    await using server = await TestServer.start({ protection: "clear" });
    const { control, data } = await startUpload(server, "file");
    using _ = control;
    await control.send(behind);
    await data.write(SENT);
    data.close();
    await control.hear("\r\n226 ");
    assertEquals((await server.event("fileReceived")).bytes, SENT.length);
  });
}

Deno.test("STOR replies 426 where the client half-closes behind QUIT and only FIN would end the upload", async () => {
  await using server = await TestServer.start({ protection: "clear" });
  const { control, data } = await startUpload(server, "file");
  using _control = control;
  using _data = data;
  await control.send("QUIT\r\n");
  await control.closeWrite();
  await control.hear("\r\n426 ");
  assertEquals((await server.event("transferIncomplete")).reason, "the control connection was closed");
});
