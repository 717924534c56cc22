/**
 * The program `ftpsd` in a process of its own, whose memory, descriptors and timers nobody else uses.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Measurement } from "./measured_ftpsd.ts";
import { descriptorsAndListenersOf, kindOf, memoryOf } from "./process_state.ts";
import { RawClient } from "./raw_client.ts";
import { withDeadline } from "./socket_reader.ts";
import { TemporaryFolder } from "./temporary_folder.ts";
import { USER } from "./test_server.ts";

const PROGRAM = new URL("measured_ftpsd.ts", import.meta.url).pathname;
const HOST = "127.0.0.1";
const DEADLINE_MS = 30_000;
/** Between two measurements. */
const PAUSE_MS = 500;
/** After so long a rest nothing more goes back. */
const REST_MS = 15_000;

/** A server that does nothing but fail must not use up the memory of the test. */
const MAX_INTERNAL_ERRORS = 100;

/** Kind of the descriptors that are sockets. */
const SOCKET = "socket:";

/** V8 keeps its space for young objects at 1 MiB. */
const STEADY_FLAGS = ["--max-semi-space-size=1"];
/** Of the GNU C library; mallopt(3). */
const STEADY_ENVIRONMENT = { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "131072" };

/** A line of the log; see `lib/events.ts`. */
export interface LoggedEvent {
  readonly event: string;
  readonly remote?: string;
  readonly reason?: string;
  readonly port?: number;
  readonly tls?: string;
  readonly text?: string;
  readonly message?: string;
  readonly session?: string;
  readonly uncaught?: boolean;
  readonly stack?: string;
}

/** What a server holds. */
export interface ServerState extends Measurement {
  /** Open descriptors by what they lead to. */
  readonly descriptors: readonly string[];
  /** Sockets that listen. */
  readonly listeners: number;
  /** Resident memory in bytes. */
  readonly memoryBytes: number;
}

/** How a server is started. */
export interface MeasuredServerOptions {
  /** Further lines of the configuration; it has an explicit and an implicit listener. */
  readonly configuration?: string;
  /** Lines in place of {@linkcode USER} with all rights, password in clear. */
  readonly users?: string;
  /**
   * Whether the runtime and the C library give back what was freed, where they would keep tens of MiB, now more, now less. So
   * the memory shows what is held.
   *
   * @default {false}
   */
  readonly isSteady?: boolean;
  /** Path of the program; absent: one that measures. */
  readonly program?: string;
  /** Whether it may dial out, as active mode needs. @default {false} */
  readonly mayDial?: boolean;
}

/** A server with one user, in a folder of its own, on any ports of the loopback address. */
export class MeasuredServer implements AsyncDisposable {
  /** Internal errors until now, the first 100 of them. */
  readonly internalErrors: LoggedEvent[] = [];
  readonly #folder: TemporaryFolder;
  readonly #process: Deno.ChildProcess;
  readonly #measurements: ReadableStreamDefaultReader<string>;
  readonly #reading: Promise<void>;
  readonly #waiting = new Set<(event: LoggedEvent) => void>();
  readonly #ports = new Map<string, number>();
  #ended = false;
  #status: Deno.CommandStatus | undefined;
  #isEndTold = false;

  private constructor(folder: TemporaryFolder, options: MeasuredServerOptions) {
    const { isSteady = false, mayDial = false, program = PROGRAM } = options;
    this.#folder = folder;
    const flags = ["--expose-gc", ...isSteady ? STEADY_FLAGS : []];
    const { path } = folder;
    const net = mayDial ? "--allow-net" : `--allow-net=${HOST}`;
    const permissions = [net, `--allow-read=${path}`, `--allow-write=${path}/home`];
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", `--v8-flags=${flags}`, ...permissions, program, "--log-format", "json"]
        .concat("--config", `${path}/ftpsd.yaml`),
      env: isSteady ? STEADY_ENVIRONMENT : {},
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#measurements = linesOf(this.#process.stdout).getReader();
    this.#reading = this.#read();
  }

  /** Starts a server and waits until it listens. */
  static async start(options: MeasuredServerOptions = {}): Promise<MeasuredServer> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await TemporaryFolder.create());
    await Deno.mkdir(`${folder.path}/home`, { mode: 0o755 });
    await Deno.writeTextFile(`${folder.path}/ftpsd.yaml`, configurationOf(options));
    const server = stack.use(new MeasuredServer(folder, options));
    await server.event(({ tls }) => tls === "implicit");
    stack.move();
    return server;
  }

  /** Folder of the user. */
  get home(): string {
    return `${this.#folder.path}/home`;
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** How it has ended by itself; `undefined` while it runs. */
  get status(): Deno.CommandStatus | undefined {
    return this.#status;
  }

  /** Port for AUTH TLS. */
  get port(): number {
    return this.#ports.get("explicit") ?? 0;
  }

  /** Port for implicit TLS. */
  get implicitPort(): number {
    return this.#ports.get("implicit") ?? 0;
  }

  /** Connects over TLS and logs in. */
  async login(username: string = USER.name, password: string = USER.password): Promise<RawClient> {
    const client = await RawClient.connect({ host: HOST, port: this.port, deadlineMs: DEADLINE_MS });
    await client.readReply("connecting");
    await client.startTls();
    await client.login(username, password);
    return client;
  }

  /** Waits for the next line of the log that fits. */
  async event(fits: (event: LoggedEvent) => boolean): Promise<LoggedEvent> {
    const found = Promise.withResolvers<LoggedEvent>();
    const take = (event: LoggedEvent) => event.event === "ended" || fits(event) ? found.resolve(event) : undefined;
    this.#waiting.add(take);
    try {
      const event = await withDeadline(found.promise, "an event in the log", DEADLINE_MS);
      if (event.event === "ended") throw this.#endedError();
      return event;
    } finally {
      this.#waiting.delete(take);
    }
  }

  /** Reads the configuration anew. */
  async reload(): Promise<void> {
    const told = this.event(({ event, text = "" }) =>
      event === "remark" && /^(configuration reloaded|reload failed)/.test(text)
    );
    this.#process.kill("SIGHUP");
    assertEquals((await told).text, "configuration reloaded");
  }

  /** Resident memory in bytes: now, and at most since the start. */
  memory(): ReturnType<typeof memoryOf> {
    return memoryOf(this.pid);
  }

  /** Collects the garbage and tells what is held. */
  async measure(): Promise<ServerState> {
    this.#process.kill("SIGWINCH");
    const { value } = await withDeadline(this.#measurements.read(), "a measurement", DEADLINE_MS);
    const measurement: Measurement = JSON.parse(value ?? "");
    const { descriptors, listeners } = await descriptorsAndListenersOf(this.pid);
    const memoryBytes = (await this.memory()).now;
    return { ...measurement, descriptors: descriptors.map(kindOf).toSorted(), listeners, memoryBytes };
  }

  /**
   * Measures until no session and no data connection is left.
   *
   * @throws {Error} When some stay.
   */
  settled(): Promise<ServerState> {
    return this.#measureUntil((state) => hasNoSession(state) && state.listeners === this.#ports.size);
  }

  /**
   * Measures when no session is left, without the ports that are kept for the next data connections: they stay some 10 s.
   *
   * @throws {Error} When some stay.
   */
  async left(): Promise<ServerState> {
    const state = await this.#measureUntil(hasNoSession);
    const listeners = this.#ports.size;
    const kept = state.listeners - listeners;
    if (kept === 0) return state;
    const others = state.descriptors.filter((kind) => kind !== SOCKET);
    const sockets = Array<string>(state.descriptors.length - others.length - kept).fill(SOCKET);
    return { ...state, listeners, descriptors: [...others, ...sockets].toSorted(), timers: state.timers - 1 };
  }

  async #measureUntil(isEnough: (state: ServerState) => boolean): Promise<ServerState> {
    for (const deadline = performance.now() + DEADLINE_MS;; await pause(PAUSE_MS)) {
      const state = await this.measure();
      if (isEnough(state)) return state;
      if (performance.now() > deadline) throw new Error(`The server does not come to rest: ${Deno.inspect(state)}`);
    }
  }

  /**
   * Measures when sessions and data connections are gone, and what was freed has gone back to the system; that takes some
   * 10 s more.
   *
   * @param enoughBytes With this much memory in use or less there is no need to wait on.
   */
  async rested(enoughBytes = 0): Promise<ServerState> {
    let least = await this.settled();
    for (const deadline = performance.now() + REST_MS; performance.now() < deadline;) {
      if (least.memoryBytes <= enoughBytes) break;
      await pause(PAUSE_MS);
      const state = await this.settled();
      if (state.memoryBytes < least.memoryBytes) least = state;
    }
    return least;
  }

  /** Ends the server, which must not have ended before. */
  async [Symbol.asyncDispose](): Promise<void> {
    const endedBefore = this.#ended && !this.#isEndTold;
    if (!this.#ended) this.#process.kill("SIGKILL");
    await this.#process.status;
    await Promise.all([this.#reading, this.#measurements.cancel()]);
    await this.#folder[Symbol.asyncDispose]();
    if (endedBefore) throw this.#endedError();
  }

  #endedError(): Error {
    this.#isEndTold = true;
    return new Error(`The server has ended by itself: ${Deno.inspect([this.#status, ...this.internalErrors])}`);
  }

  async #read(): Promise<void> {
    for await (const line of linesOf(this.#process.stderr)) {
      if (line.startsWith("{")) this.#take(JSON.parse(line));
      else this.#take({ event: "internalError", message: line }); // Deno itself, of an error that nobody caught
    }
    this.#status = await this.#process.status;
    this.#ended = true;
    this.#tell({ event: "ended" });
  }

  #take(event: LoggedEvent): void {
    if (event.event === "listening") this.#ports.set(event.tls ?? "", event.port ?? 0);
    if (event.event === "internalError" && this.internalErrors.length < MAX_INTERNAL_ERRORS) {
      this.internalErrors.push(event);
    }
    this.#tell(event);
  }

  #tell(event: LoggedEvent): void {
    for (const take of [...this.#waiting]) take(event);
  }
}

function hasNoSession({ events: { connected = 0, disconnected = 0 } }: ServerState): boolean {
  return connected === disconnected;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function configurationOf({ configuration = "", users }: MeasuredServerOptions): string {
  return [
    "listen:",
    `  - { host: ${HOST}, port: 0 }`,
    `  - { host: ${HOST}, port: 0, tls: implicit }`,
    users ?? `users: [{ name: ${USER.name}, password: "${USER.password}", home: home, permissions: elradfmwMT }]`,
    "acceptRisks:",
    "  - { risk: plaintext-password, reason: a test }",
    "  - { risk: clear-text-control, reason: a test }",
    "  - { risk: clear-text-data, reason: a test }",
    configuration,
  ].join("\n");
}

function linesOf(stream: ReadableStream<Uint8Array>): ReadableStream<string> {
  let rest = "";
  const splitter = new TransformStream<string, string>({
    transform(text, controller) {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) controller.enqueue(line);
    },
  });
  return stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).pipeThrough(splitter);
}
