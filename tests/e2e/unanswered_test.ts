import { assert, assertEquals, assertThrows } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { WritableFile } from "../../lib/filesystem/filesystem.ts";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import { RISK_IDS } from "../../lib/settings/risks.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

/** A file system whose writes wait until the test lets them go. */
class SlowFileSystem extends MemoryFileSystem {
  readonly gate: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #called = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  /** Resolves when something is to be written. */
  get called(): Promise<void> {
    return this.#called.promise;
  }

  /** Resolves when a file was closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  override async openWrite(...args: Parameters<MemoryFileSystem["openWrite"]>): Promise<WritableFile> {
    const file = await super.openWrite(...args);
    const { gate } = this;
    return {
      write: async (bytes) => {
        this.#called.resolve();
        await gate.promise;
        await file.write(bytes, UNABORTED);
      },
      finish: (options) => file.finish(options),
      close: async () => {
        await file.close();
        this.#closed.resolve();
      },
    };
  }
}

Deno.test("ABOR during a slow write of a throttled upload ends the transfer, not the process", async () => {
  const home = new SlowFileSystem();
  await using server = await TestServer.start({ home, server: { transfer: { bandwidth: { upload: 1000 } } } });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.expect(150, "STOR a");
  await data.secure();
  await data.write(new Uint8Array(20_000));
  await server.event("transferStarted");
  // The write has not come back, and does not before the client has its answer.
  await home.called;
  await client.send("ABOR\r\n");
  assertEquals((await client.readReply("ABOR")).code, 426);
  assertEquals((await client.readReply("ABOR")).code, 226);
  await client.expect(200, "NOOP");
  // Until it has come back, the file has a writer.
  await using second = await client.passive();
  await client.expect(450, "STOR a");
  home.gate.resolve();
  await home.closed;
  await second[Symbol.asyncDispose]();
  await client.store("a", new Uint8Array(1));
});

Deno.test("An authorizer that never answers keeps neither the session nor the server", async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  const server = new FtpServer({
    authorizer: {
      authenticate: (_credentials, { signal }) => {
        asked.resolve(signal);
        return new Promise(() => {});
      },
    },
    acceptRisks: RISK_IDS,
    listen: [{ port: 0 }],
    tls: { policy: "off" },
    timeouts: { login: 0.2 },
  });
  await server.listen();
  const port = server.addresses[0]?.port ?? 0;
  await using client = await RawClient.connect({ host: "127.0.0.1", port });
  await client.readReply();
  await client.expect(331, `USER ${USER.name}`);
  assertEquals((await client.command("PASS x")).code, 421);
  await client.closed();
  assert((await asked.promise).aborted);
  await server.shutdown();
});

Deno.test("A client that is cut off during its login gives its place back", async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  await using waiting = new FtpServer({
    authorizer: {
      authenticate: (_credentials, { signal }) => {
        asked.resolve(signal);
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    },
    acceptRisks: RISK_IDS,
    listen: [{ port: 0 }],
    tls: { policy: "off" },
  });
  await waiting.listen();
  const client = await RawClient.connect({ host: "127.0.0.1", port: waiting.addresses[0]?.port ?? 0 });
  await client.readReply();
  await client.expect(331, "USER a");
  await client.send("PASS x\r\n");
  const signal = await asked.promise;
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  await client.reset();
  await aborted;
});

Deno.test("An AbortSignal that aborts while the server starts stops it", async () => {
  const abort = new AbortController();
  const server = new FtpServer({
    authorizer: { authenticate: () => Promise.resolve(undefined) },
    listen: [{ port: 0 }],
    signal: abort.signal,
  });
  const listening = server.listen();
  abort.abort();
  await listening;
  await server.finished;
});

Deno.test("Options that are none are refused, whoever gives them", () => {
  const authorizer = { authenticate: () => Promise.resolve(undefined) };
  const wrong: readonly Record<string, unknown>[] = [
    { tls: { policy: "Required" } },
    { tls: { sessionReuse: "on" } },
    { times: "UTC" },
    { listen: [{ tls: "ssl" }] },
    { passive: { address: "ftp example" } },
    { passive: { addresses: { "10.0.0.1": "::1" } } },
  ];
  for (const options of wrong) {
    assertThrows(() => new FtpServer({ authorizer, ...options }), RangeError);
  }
});
