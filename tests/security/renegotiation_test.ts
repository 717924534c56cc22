import { assert, assertEquals } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { TestServer } from "../helpers/test_server.ts";
import { withDeadline } from "../helpers/socket_reader.ts";

const DEADLINE_MS = 20_000;

/** `openssl s_client` on a control connection, spoken to line by line. */
class OpensslClient implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  #output = "";
  #changed = Promise.withResolvers<void>();

  constructor({ host, port }: TestServer, version: "-tls1_2" | "-tls1_3") {
    const args = ["s_client", "-connect", `${host}:${port}`, "-starttls", "ftp", version];
    this.#process = new Deno.Command("openssl", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = Promise.all([this.#read(this.#process.stdout), this.#read(this.#process.stderr)]);
  }

  /** Writes a line; `R` alone asks openssl to renegotiate, `k` and `K` to update keys. */
  async say(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Waits for a text in its output; resolves with all up to its end, which is not looked at again. */
  async hears(text: string): Promise<string> {
    while (!this.#output.includes(text)) {
      await withDeadline(this.#changed.promise, `"${text}" of openssl, which has said:\n${this.#output}`, DEADLINE_MS);
    }
    const end = this.#output.indexOf(text) + text.length;
    const heard = this.#output.slice(0, end);
    this.#output = this.#output.slice(end);
    return heard;
  }

  /** Waits for its end; tells the exit status. */
  async exited(): Promise<number> {
    const { code } = await withDeadline(this.#process.status, "openssl to end", DEADLINE_MS);
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // it has ended already
    await this.exited();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
      this.#output += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
  }
}

Deno.test(programTest({
  program: "openssl",
  name: "FtpServer refuses that a client renegotiates TLS 1.2, and has said so before (RFC 5746)",
  fn: async () => {
    await using server = await TestServer.start();
    await using client = new OpensslClient(server, "-tls1_2");
    await client.hears("Secure Renegotiation IS supported");
    await client.say("NOOP");
    await client.hears("200 I");
    await client.say("R");
    await client.hears("no renegotiation"); // the alert of RFC 5246 §7.2.2
    await server.event("disconnected");
    assertEquals(server.events.filter(({ event }) => event === "secured").length, 1);
  },
}));

Deno.test(programTest({
  program: "openssl",
  name: "FtpServer goes on when a client of TLS 1.3 updates its keys, and asks for new ones",
  fn: async () => {
    await using server = await TestServer.start();
    await using client = new OpensslClient(server, "-tls1_3");
    await client.say("NOOP");
    for (const letter of ["k", "K"]) {
      await client.hears("200 I"); // to the NOOP before
      await client.say(letter);
      await client.hears("KEYUPDATE");
      await client.say("NOOP");
    }
    await client.hears("200 I");
    assert(!server.events.some(({ event }) => event === "disconnected"));
  },
}));
