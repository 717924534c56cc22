import { assert, assertEquals, assertMatch } from "@std/assert";
import { RawClient } from "../helpers/raw_client.ts";
import { withDeadline } from "../helpers/socket_reader.ts";

const PROGRAM = new URL("planted_errors.ts", import.meta.url).pathname;
const PASSWORD = "12345";
const DEADLINE_MS = 30_000;

interface Told {
  readonly event: string;
  readonly port?: number;
  readonly session?: string;
  readonly remote?: string;
  readonly username?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly uncaught?: boolean;
  readonly reason?: string;
}

/** The program that plants errors, and what it has told. */
class Planted implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #told: Told[] = [];
  readonly #reading: Promise<void>;
  readonly #errors: Promise<string>;
  #port = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(mode: string) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--allow-net=127.0.0.1", PROGRAM, mode],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#errors = new Response(this.#process.stderr).text();
    this.#reading = this.#read();
  }

  static async start(mode: "caught" | "uncaught"): Promise<Planted> {
    const planted = new Planted(mode);
    planted.#port = (await planted.event(({ event }) => event === "listening")).port ?? 0;
    return planted;
  }

  get status(): Promise<Deno.CommandStatus> {
    return withDeadline(this.#process.status, "the end of the program", DEADLINE_MS);
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect({ host: "127.0.0.1", port: this.#port, deadlineMs: DEADLINE_MS });
    await client.readReply();
    return client;
  }

  /** Waits for the first event that fits, also one of the past. */
  async event(fits: (event: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.#told.find(fits);
      if (found !== undefined) return found;
      await withDeadline(this.#changed.promise, "an event", DEADLINE_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await Promise.all([this.#process.status, this.#reading, this.#errors]);
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#told.push(JSON.parse(line));
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
  }
}

async function login(planted: Planted, username: string): Promise<RawClient> {
  const client = await planted.connect();
  await client.startTls();
  await client.expect(200, "PBSZ 0");
  await client.expect(200, "PROT P");
  await client.expect(331, `USER ${username}`);
  await client.send(`PASS ${PASSWORD}\r\n`);
  return client;
}

for (const kind of ["rejection", "oddity", "tick", "microtask"]) {
  Deno.test(`catchUncaughtErrors() lets an error that nobody caught end its session only: ${kind}`, async () => {
    await using planted = await Planted.start("caught");
    await using bystander = await login(planted, "bystander");
    await bystander.readReply();
    await using client = await login(planted, kind);
    const { localPort } = client;
    await client.closed();
    const told = await planted.event(({ event }) => event === "internalError");
    assert(told.uncaught);
    const { session } = await planted.event(({ event, remote }) =>
      event === "connected" && remote === `127.0.0.1:${localPort}`
    );
    assertEquals(told.session, session);
    if (kind !== "oddity") assertMatch(told.stack ?? "", /^Error: planted\n +at /);
    const ended = await planted.event(({ event, session }) => event === "disconnected" && session === told.session);
    assertEquals(ended.reason, "internal error");
    await bystander.expect(200, "NOOP");
  });
}

for (const kind of ["timer", "outside"]) {
  Deno.test(`catchUncaughtErrors() hands on an error of which nobody knows whose it is: ${kind}`, async () => {
    await using planted = await Planted.start("caught");
    await using client = await login(planted, kind);
    await client.readReply();
    const told = await planted.event(({ event }) => event === "internalError");
    assertEquals(told.message, "other: Error: planted");
    await client.expect(200, "NOOP");
  });
}

Deno.test("catchUncaughtErrors() lets an error inside the runtime end its session only", async () => {
  await using planted = await Planted.start("caught");
  await using bystander = await login(planted, "bystander");
  await bystander.readReply();
  await using planter = await login(planted, "engine");
  await planter.readReply();
  await using victim = await planted.connect();
  await victim.expect(234, "AUTH TLS");
  await victim.closed();
  const told = await planted.event(({ event }) => event === "internalError");
  assertMatch(told.stack ?? "", /planted/);
  await planted.event(({ event, session }) => event === "disconnected" && session === told.session);
  for (const client of [bystander, planter]) await client.expect(200, "NOOP");
});

Deno.test("FtpServer leaves errors that nobody caught to a program that does not ask for more", async () => {
  await using planted = await Planted.start("uncaught");
  await using client = await login(planted, "tick");
  await client.closed();
  assert(!(await planted.status).success);
});
