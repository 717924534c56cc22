/**
 * A network that fails: between a client and a server that both live on.
 *
 * @module
 */

/** Hands bytes on between 127.0.0.1 and a port, until it is told otherwise. */
export class TcpProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #conns = new Set<Deno.Conn>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #waiting = Promise.resolve();
  #release: () => void = () => {};

  /** @param target Port of 127.0.0.1. */
  constructor(target: number) {
    this.#target = target;
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** From now on no byte comes through, either way, and nobody is told. */
  hang(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.#waiting, this.#release] = [promise, resolve];
  }

  /** Bytes come through again, those that have waited first. */
  resume(): void {
    this.#release();
    this.#waiting = Promise.resolve();
  }

  /** Ends all connections that there are. */
  cut(): void {
    for (const conn of this.#conns) close(conn);
    this.#conns.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    this.resume();
    this.cut();
    await Promise.all(this.#tasks);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.add(conn);
      const task = this.#serve(conn).finally(() => this.#tasks.delete(task));
      this.#tasks.add(task);
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    try {
      const target = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      this.#conns.add(target);
      await Promise.all([this.#pass(conn, target), this.#pass(target, conn)]);
    } catch {
      close(conn); // the server does not listen
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        await this.#waiting;
        if (count === null) break;
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
      }
    } catch {
      // one of the two has gone, which ends the other
    }
    close(from);
    close(to);
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // closed already
  }
}
