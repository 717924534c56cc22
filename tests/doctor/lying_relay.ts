/**
 * A relay between a client and a server in clear, that changes what either says.
 *
 * @module
 */

/** What it changes. */
export interface Lies {
  /** Answers a command in the server's place; `undefined` hands it on. */
  readonly answer?: (command: string) => string | undefined;
  /** Changes a line of the server; `undefined` drops it. */
  readonly change?: (line: string) => string | undefined;
}

/** Listens on 127.0.0.1 until it is disposed of. */
export class LyingRelay implements AsyncDisposable {
  /** All commands that clients have sent. */
  readonly commands: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #tasks = new Set<Promise<unknown>>();
  readonly #accepting: Promise<void>;

  /** @param target Port of the server on 127.0.0.1. */
  constructor(target: number, lies: Lies) {
    this.#accepting = this.#accept(target, lies);
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(target: number, lies: Lies): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: target });
      for (const conn of [client, server]) this.#conns.add(conn);
      const task = Promise.allSettled([this.#toServer(client, server, lies), this.#toClient(server, client, lies)]);
      this.#tasks.add(task.finally(() => [client, server].forEach((conn) => this.#close(conn))));
    }
  }

  async #toServer(client: Deno.Conn, server: Deno.Conn, { answer }: Lies): Promise<void> {
    for await (const line of linesOf(client)) {
      this.commands.push(line);
      const own = answer?.(line);
      await writeLine(own === undefined ? server : client, own ?? line);
    }
    this.#close(server);
  }

  async #toClient(server: Deno.Conn, client: Deno.Conn, { change = (line) => line }: Lies): Promise<void> {
    for await (const line of linesOf(server)) {
      const changed = change(line);
      if (changed !== undefined) await writeLine(client, changed);
    }
    this.#close(client);
  }

  #close(conn: Deno.Conn): void {
    if (this.#conns.delete(conn)) conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const conn of this.#conns) this.#close(conn);
    await Promise.all(this.#tasks);
  }
}

async function* linesOf(conn: Deno.Conn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let rest = "";
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\r\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

async function writeLine(conn: Deno.Conn, line: string): Promise<void> {
  const bytes = new TextEncoder().encode(`${line}\r\n`);
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}
