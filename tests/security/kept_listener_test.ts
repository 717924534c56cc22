import { assertEquals } from "@std/assert";
import type { FileInfo } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const CONTENT = new TextEncoder().encode("the owner's");
const ROUNDS = 40;

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

/** What goes before EPSV in the same segment; while it is obeyed the stranger connects. */
const PIPELINED = [[], ["MDTM /file"], ["NOOP", "SIZE /file"]];

for (const protection of PROTECTIONS) {
  for (const before of PIPELINED) {
    const behind = before.length === 0 ? "" : ` behind ${before.join(", ")}`;
    Deno.test(`EPSV${behind} lends no port with a connection of before, ${protection}`, async () => {
      using stranger = new Stranger();
      const known = new Set<number>();
      // Same address, and first in the queue of whichever port the command will be given.
      const connectUnseen = () => {
        for (const port of known) stranger.connectUnseen(port);
      };
      class Home extends MemoryFileSystem {
        override stat(path: string): Promise<FileInfo> {
          connectUnseen();
          return super.stat(path);
        }
      }
      await using server = await TestServer.start({ protection, home: new Home() });
      await using client = await server.login();
      await client.store("/file", CONTENT);
      for (let round = 0; round < ROUNDS; round++) {
        if (before.length === 0) connectUnseen();
        await client.send([...before, "EPSV", ""].join("\r\n"));
        for (const line of before) await client.readReply(line);
        const { text } = await client.readReply("EPSV");
        const port = Number(/\(\|\|\|(\d+)\|\)/.exec(text)?.[1]);
        await using data = await client.dial(port);
        await client.expect(150, "RETR /file");
        await data.secure();
        assertEquals(await data.readAll(), CONTENT);
        assertEquals((await client.readReply("RETR")).code, 226);
        known.add(port);
      }
    });
  }
}
