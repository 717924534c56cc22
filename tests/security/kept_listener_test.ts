import { assertEquals, assertGreater } from "@std/assert";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const CONTENT = new TextEncoder().encode("the owner's");
const ROUNDS = 60;

const ASKED = 0;
const CONNECTED = 1;

/** A thread that connects while this one does not look. */
class Stranger implements Disposable {
  readonly #flags = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker = new Worker(new URL("./stranger.ts", import.meta.url), { type: "module" });
  #count = 0;

  constructor() {
    this.#worker.postMessage(this.#flags);
  }

  /** Connects where somebody listens; returns when that is done, without a turn of this event loop. */
  connectUnseen(port: number): void {
    Atomics.store(this.#flags, ASKED, port);
    Atomics.notify(this.#flags, ASKED);
    if (Atomics.wait(this.#flags, CONNECTED, this.#count++, 10_000) === "timed-out") {
      throw new Error("The stranger has not connected");
    }
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

for (const protection of PROTECTIONS) {
  Deno.test(`EPSV lends no port with a connection that was made before the command, ${protection}`, async () => {
    await using server = await TestServer.start({ protection });
    await using client = await server.login();
    await client.store("/file", CONTENT);
    using stranger = new Stranger();
    const known = new Set<number>();
    let lentAgain = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Same address, and first in the queue of whichever port the command will be given.
      for (const port of known) stranger.connectUnseen(port);
      const opening = client.expect(229, "EPSV");
      const port = Number(/\(\|\|\|(\d+)\|\)/.exec((await opening).text)?.[1]);
      if (known.has(port)) lentAgain++;
      await using data = await client.dial(port);
      await client.expect(150, "RETR /file");
      await data.secure();
      assertEquals(await data.readAll(), CONTENT);
      assertEquals((await client.readReply("RETR")).code, 226);
      known.add(port);
    }
    assertGreater(lentAgain, ROUNDS / 2);
  });
}
