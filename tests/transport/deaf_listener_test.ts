import { assert, assertLess } from "@std/assert";

const PROGRAM = new URL("deaf_listener.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const CLIENTS = 110;
const RENEW_AFTER_MS = 500;
const GREETING_MS = 300;
const ATTEMPTS = 30;
const REFUSED_MS = 30_000;

// Of a shared port, the other listeners have most of the descriptors.
for (const [descriptors, sharing] of [[100, ""], [45, "begins"]] as const) {
  Deno.test({
    name:
      `A listener that has found none of ${descriptors} file descriptors left accepts clients again when there are some, ${
        sharing || "not"
      } sharing`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      await using program = new ListeningProgram(descriptors, sharing);
      const port = await program.readPort();
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(port)));
      const greeted = await Promise.all(clients.map(isGreeted)); // and closed
      assertLess(greeted.filter(Boolean).length, descriptors, "so many fit into the limit?");

      let attempts = 0;
      while (!await isGreeted(await connect(port))) assertLess(++attempts, ATTEMPTS, "nobody is greeted any more");
      assert(await isGreeted(await connect(port)));
    },
  });
}

async function connect(port: number): Promise<Deno.TcpConn> {
  const end = performance.now() + REFUSED_MS;
  while (true) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      // For a moment, between two listeners; for good when the program has ended.
      if (!(error instanceof Deno.errors.ConnectionRefused) || performance.now() > end) throw error;
    }
  }
}

/** Waits for the greeting for a time, then closes the connection. */
async function isGreeted(connection: Deno.TcpConn): Promise<boolean> {
  const deadline = setTimeout(() => connection.close(), GREETING_MS);
  try {
    return await connection.read(new Uint8Array(5)) !== null;
  } catch {
    return false; // Nobody has greeted: closed by the deadline, or reset together with the old listener.
  } finally {
    clearTimeout(deadline);
    try {
      connection.close();
    } catch {
      // closed by the deadline
    }
  }
}

/** `deaf_listener.ts` with few descriptors. */
class ListeningProgram implements AsyncDisposable {
  readonly #process: Deno.ChildProcess & { readonly stdout: ReadableStream<Uint8Array> };

  constructor(descriptors: number, sharing: string) {
    this.#process = new Deno.Command("sh", {
      args: [
        "-c",
        `ulimit -n ${descriptors}; exec "$0" run --no-check --no-prompt --config "$1" --allow-net=127.0.0.1 "$2" "$3" "$4"`,
        Deno.execPath(),
        CONFIG,
        PROGRAM,
        `${RENEW_AFTER_MS}`,
        sharing,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  }

  async readPort(): Promise<number> {
    const reader = this.#process.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    return Number(new TextDecoder().decode(value));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.stdout.cancel();
    await this.#process.status;
  }
}
