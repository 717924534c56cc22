import { assertEquals, assertRejects } from "@std/assert";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { RawClient } from "./raw_client.ts";
import { RawDataConnection } from "./raw_data_connection.ts";

const HOST = "127.0.0.1";

async function makeContext(): Promise<SecureContext> {
  const { certificate, key } = await createEphemeralCertificate({ names: [HOST] });
  return createSecureContext({ cert: certificate, key });
}

async function listen(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, HOST, resolve);
  await promise;
  return (server.address() as AddressInfo).port;
}

/** A server that runs `script` for one connection, and has closed everything at the end of its scope. */
class ScriptedServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  readonly #script: (socket: Socket) => void;
  readonly errors: Error[] = [];
  port = 0;

  constructor(script: (socket: Socket) => void) {
    this.#script = script;
    this.#server = createServer((socket) => {
      this.#sockets.push(socket.on("error", (error) => this.errors.push(error)));
      this.#script(socket);
    });
  }

  static async start(script: (socket: Socket) => void): Promise<ScriptedServer> {
    const server = new ScriptedServer(script);
    server.port = await listen(server.#server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }
}

/** A tiny FTP server: one file, clear or protected by AUTH TLS or from the first byte on. */
function ftp(context: SecureContext, stored: (bytes: Uint8Array, resumed: boolean) => void, implicit = false) {
  return (socket: Socket): void => {
    let control: Socket = implicit ? serveTls(socket, context) : socket;
    let secure = implicit;
    let data: Socket | undefined;
    const reply = (text: string) => void control.write(`${text}\r\n`);
    const transfer = (run: (data: Socket) => void) => {
      reply("150 Here it comes.");
      if (data !== undefined) run(secure ? serveTls(data, context) : data);
    };
    const commands: Record<string, () => void> = {
      AUTH: () => {
        reply("234 Go on.");
        control.off("data", onData);
        control = serveTls(socket, context).on("data", onData);
      },
      PBSZ: () => reply("200 PBSZ=0"),
      PROT: () => {
        secure = true;
        reply("200 Protected.");
      },
      USER: () => reply("331 Password?"),
      PASS: () => reply("230-Hello\r\n 230 not yet\r\n230 Welcome."),
      EPSV: () => {
        const listener = createServer((accepted) => {
          data = accepted.on("error", () => {});
          listener.close();
        });
        listener.listen(0, HOST, () => reply(`229 Entering (|||${(listener.address() as AddressInfo).port}|)`));
      },
      RETR: () =>
        transfer((data) => {
          data.end("file bytes");
          data.on("close", () => reply("226 Done.")).resume();
        }),
      STOR: () =>
        transfer((data) => {
          const chunks: Uint8Array[] = [];
          data.on("data", (chunk: Uint8Array) => chunks.push(chunk)).on("end", () => {
            data.end();
            stored(
              new Uint8Array(chunks.flatMap((it) => [...it])),
              data instanceof TLSSocket && data.isSessionReused(),
            );
            reply("226 Stored.");
          });
        }),
      QUIT: () => {
        reply("221 Bye.");
        control.end();
      },
    };
    const onData = (bytes: Uint8Array) => {
      const verb = new TextDecoder().decode(bytes).trim().split(" ")[0] ?? "";
      (commands[verb] ?? (() => reply("502 Unknown.")))();
    };
    control.on("data", onData);
    reply("220 Ready.");
  };
}

function serveTls(socket: Socket, secureContext: SecureContext): TLSSocket {
  return new TLSSocket(socket, { isServer: true, secureContext }).on("error", () => {});
}

async function exercise(client: RawClient, stored: () => string): Promise<void> {
  assertEquals(new TextDecoder().decode(await client.retrieve("/file")), "file bytes");
  await client.store("/file", new TextEncoder().encode("x".repeat(100_000)));
  assertEquals(stored().length, 100_000);
  await client.expect(221, "QUIT");
  assertEquals(await client.closed(), "end");
}

Deno.test("RawClient.command() returns whole replies", async () => {
  const context = await makeContext();
  await using server = await ScriptedServer.start(ftp(context, () => {}));
  await using client = await RawClient.connect({ host: HOST, port: server.port });
  assertEquals(await client.readReply(), { code: 220, lines: ["Ready."], text: "220 Ready." });
  assertEquals(await client.command("PASS x"), {
    code: 230,
    lines: ["Hello", " 230 not yet", "Welcome."],
    text: "230-Hello\r\n 230 not yet\r\n230 Welcome.",
  });
  await assertRejects(() => client.expect(200, "NOPE"), Error, 'Expected 200 to "NOPE", but received "502 Unknown."');
});

Deno.test("RawClient transfers in clear", async () => {
  let stored = "";
  const context = await makeContext();
  await using server = await ScriptedServer.start(ftp(context, (bytes) => stored = new TextDecoder().decode(bytes)));
  await using client = await RawClient.connect({ host: HOST, port: server.port });
  await client.readReply();
  await client.login();
  await exercise(client, () => stored);
});

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const reuseSession of [true, false]) {
    for (const tls of ["explicit", "implicit"] as const) {
      Deno.test(`RawClient transfers over ${tls} ${maxVersion}, session reuse ${reuseSession}`, async () => {
        let stored = "";
        let resumed: boolean | undefined;
        const context = await makeContext();
        const script = ftp(context, (bytes, reused) => {
          stored = new TextDecoder().decode(bytes);
          resumed = reused;
        }, tls === "implicit");
        await using server = await ScriptedServer.start(script);
        const options = { host: HOST, port: server.port, reuseSession, tlsOptions: { maxVersion } };
        await using client = await RawClient.connect(tls === "implicit" ? { ...options, tls } : options);
        await client.readReply();
        if (tls === "explicit") assertEquals((await client.startTls()).code, 234);
        assertEquals(client.tls?.getProtocol(), maxVersion);
        await client.login();
        await exercise(client, () => stored);
        assertEquals(resumed, reuseSession);
      });
    }
  }
}

Deno.test("RawClient rejects with what it waited for when the deadline passes", async () => {
  await using server = await ScriptedServer.start(() => {});
  await using client = await RawClient.connect({ host: HOST, port: server.port, deadlineMs: 50 });
  await assertRejects(() => client.command("NOOP"), Error, 'Waited 50 ms in vain for a reply to "NOOP"');
  await assertRejects(() => client.closed(), Error, "in vain for the server to close the control connection");
  await assertRejects(() => client.upgrade(), Error, "in vain for the TLS handshake of the control connection");
});

Deno.test("RawClient rejects when the server ends, or sends what is no reply", async () => {
  const texts = ["", "220", "220 a\n", "hello\r\n", "220-a\r\n220-b\r\n"];
  for (const text of texts) {
    await using server = await ScriptedServer.start((socket) => socket.end(text));
    await using client = await RawClient.connect({ host: HOST, port: server.port });
    await assertRejects(() => client.readReply(), Error, text.endsWith("\n") ? "" : "The connection ended (end)");
  }
});

Deno.test("RawClient.connect() rejects when nobody listens", async () => {
  let port = 0;
  {
    await using server = await ScriptedServer.start(() => {});
    port = server.port;
  }
  await assertRejects(() => RawClient.connect({ host: HOST, port }), Error, "ECONNREFUSED");
});

Deno.test("RawDataConnection.reset() cuts the connection, and its disposal ends it", async () => {
  for (const cut of [true, false]) {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await using server = await ScriptedServer.start((socket) => void socket.resume().on("close", () => resolve()));
    await using data = await RawDataConnection.connect({ host: HOST, port: server.port, deadlineMs: 5_000 });
    await data.write(new Uint8Array(10));
    await (cut ? data.reset() : data[Symbol.asyncDispose]());
    await closed;
    assertEquals(server.errors.map((error) => "code" in error && error.code), cut ? ["ECONNRESET"] : []);
  }
});
