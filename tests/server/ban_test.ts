import { assertEquals, assertExists, assertRejects } from "@std/assert";
import { delay } from "../../lib/deadline.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const RELAY = new URL("source_relay.ts", import.meta.url).pathname;
const OTHER = "127.0.0.2";
const PASSWORDS = 20;
const BAN_SECONDS = 3;

/** Other systems have one loopback address, unless they are told otherwise. */
const IGNORED = Deno.build.os !== "linux";
const REASON = IGNORED ? ` (ignored: ${Deno.build.os} has no ${OTHER})` : "";

/** Lets clients come from another address. */
class Relay implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #port: number;

  private constructor(process: Deno.ChildProcess, lines: ReadableStreamDefaultReader<string>, port: number) {
    this.#process = process;
    this.#lines = lines;
    this.#port = port;
  }

  static async start(port: number): Promise<Relay> {
    const args = ["run", "--no-prompt", `--allow-net=127.0.0.1,${OTHER}`, RELAY, OTHER, `${port}`];
    const process = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
    const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await lines.read();
    return new Relay(process, lines, Number(value));
  }

  /** Connects and reads the first reply. */
  async connect(): Promise<{ readonly client: RawClient; readonly code: number; readonly text: string }> {
    const client = await RawClient.connect({ host: "127.0.0.1", port: this.#port });
    return { client, ...await client.readReply("connecting") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#lines.cancel();
  }
}

/** Tries wrong passwords, each on the session before as long as that goes on; tells the last replies. */
async function guess(relay: Relay, times: number): Promise<number[]> {
  const codes: number[] = [];
  while (codes.length < times) {
    const { client, code } = await relay.connect();
    await using _client = client;
    if (code !== 220) {
      codes.push(code);
      continue;
    }
    await client.startTls();
    for (let tries = 0; tries < 3 && codes.length < times; tries++) {
      await client.expect(331, `USER ${USER.name}`);
      const reply = await client.command(`PASS wrong${codes.length}`);
      codes.push(reply.code);
      if (reply.code === 421) break;
    }
  }
  return codes;
}

/** Tries to connect, again and again, until it is no longer refused. */
async function whenWelcome(relay: Relay): Promise<RawClient> {
  const deadline = AbortSignal.timeout(5 * BAN_SECONDS * 1000);
  for (;;) {
    const { client, code } = await relay.connect();
    if (code === 220) return client;
    await client[Symbol.asyncDispose]();
    await delay(100, deadline);
  }
}

Deno.test({
  name: `FtpServer bans an address for a time after ${PASSWORDS} wrong passwords, and no other one${REASON}`,
  ignore: IGNORED,
  fn: async () => {
    const ban = { failures: PASSWORDS, window: 60, duration: BAN_SECONDS };
    await using server = await TestServer.start({ server: { ban } });
    await using relay = await Relay.start(server.port);
    await using early = await relay.connect().then(async ({ client }) => {
      await client.startTls();
      return client;
    });
    await using neighbour = await server.login();
    assertEquals(await guess(relay, PASSWORDS), [...Array(PASSWORDS - 1).fill(530), 421]);

    const banned = server.events.filter((event) => event.event === "banned");
    assertEquals(banned.map(({ address, seconds }) => [address, seconds]), [[OTHER, BAN_SECONDS]]);
    const refused = await relay.connect();
    await using _refused = refused.client;
    assertEquals(refused.text, "421 Too many failed logins, try again later.");
    await refused.client.closed();
    assertExists(server.events.find((event) => event.event === "connectionRefused" && event.remote.startsWith(OTHER)));
    // A session from before cannot go on guessing, not even rightly.
    await early.expect(331, `USER ${USER.name}`);
    await early.expect(421, `PASS ${USER.password}`);

    await neighbour.expect(200, "NOOP");
    await using another = await server.login();
    await another.expect(331, `USER ${USER.name}`);
    await another.expect(530, "PASS wrong");

    // The ban ends by itself, with what led to it.
    const again = await whenWelcome(relay);
    await using _again = again;
    await again.startTls();
    await again.expect(331, `USER ${USER.name}`);
    await again.expect(530, "PASS wrong");
    await again.login(USER.name, USER.password);
  },
});

Deno.test({
  name: `FtpServer never bans an address that is on the list${REASON}`,
  ignore: IGNORED,
  fn: async () => {
    await using server = await TestServer.start({ server: { ban: { failures: 2, never: [OTHER] } } });
    await using relay = await Relay.start(server.port);
    assertEquals(await guess(relay, PASSWORDS), Array(PASSWORDS).fill(530));
    assertEquals(server.events.filter((event) => event.event === "banned"), []);
  },
});

Deno.test("FtpServer counts no login of anonymous, by whichever name", async () => {
  await using server = await TestServer.start({ server: { ban: { failures: 1 } } });
  for (const name of ["ftp", "FTP", "Anonymous", "anonymous"]) {
    await using client = await server.connect();
    await client.login(name, "guest@");
  }
  assertEquals(server.events.filter(({ event }) => event === "loginFailed"), []);
});

Deno.test("FtpServer bans after failures over several sessions, and not for too few of them", async () => {
  await using server = await TestServer.start({ server: { ban: { failures: 3 } } });
  for (const code of [530, 530, 421]) {
    await using client = await server.connect();
    await client.expect(331, "USER nobody");
    await client.expect(code, "PASS wrong");
  }
  await assertRejects(() => server.connect(), Error);
});
