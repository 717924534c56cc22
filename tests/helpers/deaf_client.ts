/**
 * A client that talks and does not listen.
 *
 * @module
 */

import { RawClient } from "./raw_client.ts";
import { StalledRelay } from "./stalled_relay.ts";
import { type TestServer, USER } from "./test_server.ts";

/** A server that takes nothing for so long has stopped to read. */
const STUCK_MS = 500;

/** A client that is logged in, sends commands without end and reads no reply, on a server without TLS. */
export class DeafClient implements AsyncDisposable {
  /** What it is made of; it hears replies until {@linkcode DeafClient.flood}, and no more than some KiB of them. */
  readonly client: RawClient;
  readonly #stack: AsyncDisposableStack;
  #flooding: Promise<void> = Promise.resolve();

  private constructor(client: RawClient, stack: AsyncDisposableStack) {
    this.client = client;
    this.#stack = stack;
  }

  /** Connects and logs in. */
  static async connect(server: TestServer): Promise<DeafClient> {
    await using stack = new AsyncDisposableStack();
    const relay = stack.use(new StalledRelay());
    const client = stack.use(await RawClient.connect({ host: server.host, port: relay.lead(server.port) }));
    await client.readReply();
    await client.login(USER.name, USER.password);
    return new DeafClient(client, stack.move());
  }

  /** Sends commands for as long as the server takes them; resolves when it takes no more. */
  async flood(): Promise<void> {
    const stuck = Promise.withResolvers<void>();
    this.#flooding = this.#sendForEver(stuck.resolve).catch(() => stuck.resolve()); // The server has had enough.
    await stuck.promise;
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    await this.#flooding;
  }

  async #sendForEver(onStuck: () => void): Promise<never> {
    const commands = "HELP\r\n".repeat(1000);
    while (true) {
      const stuck = setTimeout(onStuck, STUCK_MS);
      await this.client.send(commands).finally(() => clearTimeout(stuck));
    }
  }
}
