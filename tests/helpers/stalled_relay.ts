/**
 * A way to the server that can be blocked. Sockets of the runtime read ahead on their own, in TLS without a bound, so that a
 * client that does not read cannot be made of them.
 *
 * @module
 */

const HOST = "127.0.0.1";
const BUFFER_BYTES = 16 * 1024;

/** Leads one connection to a port; from the server's side little comes through until it is released. */
export class StalledRelay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: HOST, port: 0 });
  readonly #released = Promise.withResolvers<void>();
  /** Resolves when nothing more comes through. */
  readonly stalled: Promise<void>;
  readonly #stalled = Promise.withResolvers<void>();
  readonly #passedBytes: number;
  readonly #resources = new DisposableStack();
  #running: Promise<void> = Promise.resolve();

  /** Makes a relay that lets so many bytes of the server through at first: enough for a handshake by default. */
  constructor(passedBytes: number = BUFFER_BYTES) {
    this.stalled = this.#stalled.promise;
    this.#passedBytes = passedBytes;
    this.#resources.defer(() => this.#listener.close());
  }

  /** Leads the next connection to a port of the server; gives the port to connect to. */
  lead(port: number): number {
    this.#running = this.#run(port).catch(() => {}); // One of the ends is gone.
    return this.#listener.addr.port;
  }

  /** Lets everything through from now on. */
  release(): void {
    this.#released.resolve();
  }

  /** Closes both ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#resources.dispose();
    await this.#running;
  }

  async #run(port: number): Promise<void> {
    const client = this.#own(await this.#listener.accept());
    const server = this.#own(await Deno.connect({ hostname: HOST, port }));
    await Promise.all([
      pump(client, server, () => undefined),
      pump(server, client, (bytes) => bytes >= this.#passedBytes ? this.#stall() : undefined),
    ]);
  }

  #stall(): Promise<void> {
    this.#stalled.resolve();
    return this.#released.promise;
  }

  /** Closes a connection with the relay, also when the relay was closed meanwhile. */
  #own(connection: Deno.TcpConn): Deno.TcpConn {
    if (this.#resources.disposed) connection.close();
    else this.#resources.defer(() => connection.close());
    return connection;
  }
}

/** Copies to the end of one direction, asking before each piece after how many bytes it may go on. */
async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  mayGoOn: (bytes: number) => Promise<void> | undefined,
): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let bytes = 0;
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    for (let rest = buffer.subarray(0, count); rest.length > 0;) rest = rest.subarray(await to.write(rest));
    bytes += count;
    await mayGoOn(bytes);
  }
  await to.closeWrite();
}
