import { assert, assertEquals } from "@std/assert";
import { ALL_COMMANDS } from "../../lib/commands/command_table.ts";
import { ControlConnection } from "../../lib/control/control_connection.ts";
import type { Service } from "../../lib/control/session_state.ts";
import { PortPool } from "../../lib/data/port_pool.ts";
import { createDigest } from "../../lib/filesystem/node_digest.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { UTF8 } from "../../lib/protocol/text_encoding.ts";
import { MemoryState } from "../../lib/state/memory_state.ts";
import { resolveSettings } from "../../lib/settings/validate.ts";
import {
  ConnectionError,
  type ControlTransport,
  type PeerEnding,
  type SocketAddress,
  type TlsInfo,
} from "../../lib/transport/connection.ts";
import { fakeAccount } from "../helpers/fake_context.ts";
import { FakeConnection, FakeIncoming, FakeTransport, LOCAL, PEER, TLS_INFO } from "../helpers/fake_transport.ts";

/** The client's side of a control connection, driven by the test. */
class FakeControl implements ControlTransport {
  readonly local: SocketAddress = LOCAL;
  readonly remote: SocketAddress = PEER;
  readonly ending: PeerEnding | undefined = undefined;
  tls: TlsInfo | undefined;
  isReading = false;
  /** Called with each reply when it is written. */
  onReply: (text: string) => void = () => {};
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  #waiting: { readonly starts: string; readonly found: PromiseWithResolvers<void> } | undefined;
  #isClosed = false;

  /** Sends a line and waits for a reply that starts as given. */
  async say(line: string, starts: string): Promise<void> {
    const found = Promise.withResolvers<void>();
    this.#waiting = { starts, found };
    this.tell(line);
    await found.promise;
  }

  /** Sends a line. */
  tell(line: string): void {
    this.#reader?.resolve(new TextEncoder().encode(`${line}\r\n`));
    this.#reader = undefined;
    this.isReading = false;
  }

  /** Ends the client's direction. */
  leave(): void {
    this.#reader?.resolve(null);
  }

  read(): Promise<Uint8Array | null> {
    this.#reader = Promise.withResolvers();
    this.isReading = true;
    if (this.#isClosed) this.#reader.reject(new ConnectionError("closed", "Connection is closed"));
    return this.#reader.promise;
  }

  write(bytes: Uint8Array): Promise<void> {
    const text = new TextDecoder().decode(bytes);
    this.onReply(text);
    // Told once the server has come to rest, so that it waits for the next line.
    if (this.#waiting !== undefined && text.startsWith(this.#waiting.starts)) setTimeout(this.#waiting.found.resolve);
    return Promise.resolve();
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#isClosed = true;
    this.#reader?.reject(new ConnectionError("closed", "Connection is closed"));
  }

  startTls(): Promise<ControlTransport> {
    this.tls = TLS_INFO;
    return Promise.resolve(this);
  }
}

/** A session that is logged in, in clear, with a passive port. */
async function start() {
  const transport = new FakeTransport();
  const control = new FakeControl();
  const account = fakeAccount({ fileSystem: MemoryFileSystem.of({ "/file": "content" }) });
  const authorizer = { authenticate: () => Promise.resolve(account) };
  const events: string[] = [];
  const settings = resolveSettings({ tls: { policy: "optional" }, passive: { foreignAddresses: true } });
  const service: Service = {
    settings,
    commands: ALL_COMMANDS,
    authorizer,
    state: new MemoryState(settings),
    dataTransports: { C: transport, P: transport },
    ports: new PortPool(undefined),
    passiveAddress: undefined,
    encoding: UTF8,
    createDigest,
    wantsDialogue: false,
    wantsCommands: false,
    emit: (event) => events.push(event),
  };
  const connection = new ControlConnection(control, {
    service,
    id: "test-1",
    listenHost: "127.0.0.1",
    implicitTls: false,
    onLogin: () => {},
  });
  const greeted = control.say("", "220");
  const running = connection.run();
  await greeted;
  await control.say("USER user", "331");
  await control.say("PASS x", "230");
  await control.say("EPSV", "229");
  return { control, transport, connection, running, events };
}

Deno.test("AUTH behind a transfer reads nothing before its reply, because a handshake may follow", async () => {
  const { control, transport, running } = await start();
  const data = new FakeConnection({ blocks: "write" });
  transport.listener.arrive(new FakeIncoming({ connection: data }));
  await control.say("RETR /file", "150");
  await data.blocked;
  const readingAt: Record<string, boolean> = {};
  control.onReply = (text) => readingAt[text.slice(0, 3)] = control.isReading;
  const answered = control.say("AUTH TLS", "234");
  setTimeout(() => data.close()); // a turn later: AUTH waits by then
  await answered;
  assertEquals(readingAt, { "425": false, "234": false });
  control.leave();
  await running;
});

Deno.test("run() releases the data port when the client leaves", async () => {
  const { control, transport, running, events } = await start();
  control.leave();
  await running;
  assert(transport.listener.isClosed);
  assertEquals(events, ["connected", "loginSucceeded", "disconnected"]);
});

Deno.test("run() releases a data port that is being opened when the session ends", async () => {
  const { control, transport, connection, running } = await start();
  const gate = Promise.withResolvers<void>();
  transport.listenGate = gate.promise;
  control.tell("EPSV");
  while (transport.asked.length < 2) await new Promise((resolve) => setTimeout(resolve));
  connection.stop();
  await new Promise((resolve) => setTimeout(resolve));
  gate.resolve();
  await running;
  assertEquals(transport.listeners.map((listener) => listener.isClosed), [true, true]);
});
