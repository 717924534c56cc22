import { assertEquals } from "@std/assert";
import type { DirectoryEntry } from "../../lib/filesystem/filesystem.ts";
import { LocalFileSystem } from "../../lib/filesystem/local/local_filesystem.ts";
import { SpawnedServer, writeFlags } from "../cli/spawned_server.ts";
import { descriptorsAndListenersOf, HAS_PROC, kindOf } from "../helpers/process_state.ts";
import { RawClient } from "../helpers/raw_client.ts";
import type { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { type Protection, PROTECTIONS, TestServer, USER } from "../helpers/test_server.ts";

/** How a client goes: by FIN, as a killed process does, or by RST. */
const ENDINGS = ["FIN", "RST"] as const;

/** More than all buffers on the way hold. */
const LARGE_FILE_BYTES = 64 * 1024 * 1024;

/** The first bytes of a ClientHello; its record says that 512 follow. */
const HALF_HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 42, 42, 42);

/** Where the client stands when the stage begins: with TCP alone, with the greeting, or logged in with TYPE I. */
type Start = "connected" | "greeted" | "loggedIn";

/** A moment of a session at which the client goes. */
interface Stage {
  readonly name: string;
  readonly start: Start;
  readonly protections: readonly Protection[];
  /** Brings the session to the moment; returns the data connection that goes with the client. */
  play(client: RawClient): Promise<RawDataConnection | void>;
}

const ENCRYPTED = ["explicit", "implicit"] as const;

const STAGES: readonly Stage[] = [
  { name: "before the handshake", start: "connected", protections: ["implicit"], play: async () => {} },
  {
    name: "in the middle of the TLS handshake",
    start: "connected",
    protections: ["implicit"],
    play: (client) => client.send(HALF_HELLO),
  },
  { name: "after the greeting", start: "greeted", protections: PROTECTIONS, play: async () => {} },
  {
    name: "in the middle of a line",
    start: "greeted",
    protections: PROTECTIONS,
    play: (client) => client.send("USE"),
  },
  {
    name: "after AUTH",
    start: "greeted",
    protections: ["explicit"],
    play: async (client) => void await client.expect(234, "AUTH TLS"),
  },
  {
    name: "in the middle of the handshake after AUTH",
    start: "greeted",
    protections: ["explicit"],
    play: async (client) => {
      await client.expect(234, "AUTH TLS");
      await client.send(HALF_HELLO);
    },
  },
  {
    name: "after USER",
    start: "greeted",
    protections: PROTECTIONS,
    play: async (client) => {
      await client.command("AUTH TLS").then(({ code }) => code === 234 ? client.upgrade() : undefined);
      await client.expect(331, `USER ${USER.name}`);
    },
  },
  {
    name: "after EPSV, without connecting",
    start: "loggedIn",
    protections: PROTECTIONS,
    play: async (client) => void await client.expect(229, "EPSV"),
  },
  {
    name: "after a second EPSV, without connecting",
    start: "loggedIn",
    protections: PROTECTIONS,
    play: async (client) => {
      await client.expect(229, "EPSV");
      await client.expect(229, "EPSV");
    },
  },
  { name: "after EPSV, connected", start: "loggedIn", protections: PROTECTIONS, play: (client) => client.passive() },
  {
    name: "while RETR waits for the data connection",
    start: "loggedIn",
    protections: PROTECTIONS,
    play: async (client) => {
      await client.expect(229, "EPSV");
      await client.expect(150, "RETR large.bin");
    },
  },
  {
    name: "before the data handshake",
    start: "loggedIn",
    protections: ENCRYPTED,
    play: (client) => beginTransfer(client, "RETR large.bin"),
  },
  {
    name: "in the middle of the data handshake of RETR",
    start: "loggedIn",
    protections: ENCRYPTED,
    play: (client) => beginHandshake(client, "RETR large.bin"),
  },
  {
    name: "in the middle of the data handshake of STOR",
    start: "loggedIn",
    protections: ENCRYPTED,
    play: (client) => beginHandshake(client, "STOR new.bin"),
  },
  {
    name: "in the middle of RETR",
    start: "loggedIn",
    protections: PROTECTIONS,
    play: (client) => secureTransfer(client, "RETR large.bin"),
  },
  {
    name: "in the middle of STOR",
    start: "loggedIn",
    protections: PROTECTIONS,
    play: async (client) => {
      const data = await secureTransfer(client, "STOR new.bin");
      await data.write(new Uint8Array(300_000));
      return data;
    },
  },
  {
    name: "in the middle of a listing",
    start: "loggedIn",
    protections: PROTECTIONS,
    play: (client) => secureTransfer(client, "MLSD many"),
  },
  {
    name: "after ABOR",
    start: "loggedIn",
    protections: PROTECTIONS,
    play: async (client) => {
      const data = await secureTransfer(client, "RETR large.bin");
      await client.send("ABOR\r\n");
      assertEquals([(await client.readReply()).code, (await client.readReply()).code], [426, 226]);
      return data;
    },
  },
  {
    name: "after ABOR, without waiting for its reply",
    start: "loggedIn",
    protections: PROTECTIONS,
    play: async (client) => {
      const data = await secureTransfer(client, "RETR large.bin");
      await client.send("ABOR\r\n");
      return data;
    },
  },
];

/** EPSV, TCP and 150. */
async function beginTransfer(client: RawClient, line: string): Promise<RawDataConnection> {
  const data = await client.passive();
  await client.expect(150, line);
  return data;
}

async function beginHandshake(client: RawClient, line: string): Promise<RawDataConnection> {
  const data = await beginTransfer(client, line);
  await data.write(HALF_HELLO);
  return data;
}

async function secureTransfer(client: RawClient, line: string): Promise<RawDataConnection> {
  const data = await beginTransfer(client, line);
  await data.secure();
  return data;
}

/** A server, wherever it runs. */
interface Endpoint {
  readonly port: number;
  readonly protection: Protection;
  /** Waits until the server has told of what happened to the client from a port. */
  event(name: "connected" | "disconnected", clientPort: number): Promise<unknown>;
}

/** Plays a stage and lets the client go; resolves when the server has told of its end. */
async function playStage(endpoint: Endpoint, stage: Stage, ending: typeof ENDINGS[number]): Promise<void> {
  const client = await startClient(endpoint, stage.start);
  const port = client.localPort;
  await endpoint.event("connected", port);
  const data = await stage.play(client);
  if (ending === "RST") await Promise.all([data?.reset(), client.reset()]);
  await Promise.all([data?.[Symbol.asyncDispose](), client[Symbol.asyncDispose]()]);
  await endpoint.event("disconnected", port);
}

async function startClient({ port, protection }: Endpoint, start: Start): Promise<RawClient> {
  const implicit = protection === "implicit" && start !== "connected" ? { tls: "implicit" } as const : {};
  const client = await RawClient.connect({ host: "127.0.0.1", port, ...implicit });
  if (start === "connected") return client;
  await client.readReply("connecting");
  if (start === "greeted") return client;
  if (protection === "explicit") await client.startTls();
  await client.login(USER.name, USER.password);
  await client.expect(200, "TYPE I");
  return client;
}

async function createHome(): Promise<TemporaryFolder> {
  const home = await TemporaryFolder.create();
  await Deno.mkdir(`${home.path}/many`);
  await Deno.writeTextFile(`${home.path}/large.bin`, "");
  await Deno.truncate(`${home.path}/large.bin`, LARGE_FILE_BYTES);
  return home;
}

/** The folder `many` has no end. */
class EndlessFileSystem extends LocalFileSystem {
  override async *list(path: string): AsyncGenerator<DirectoryEntry, void, undefined> {
    if (path !== "/many") return yield* super.list(path);
    const info = await this.stat("/large.bin");
    for (let index = 0;; index++) yield { name: `file ${index}`, info };
  }
}

for (const protection of PROTECTIONS) {
  for (const stage of STAGES.filter(({ protections }) => protections.includes(protection))) {
    for (const ending of ENDINGS) {
      Deno.test({
        name: `A client that goes by ${ending} ${stage.name} leaves nothing to wait for, ${protection}`,
        // They are what fails here, so they do not depend on how the suite is run.
        sanitizeOps: true,
        sanitizeResources: true,
        fn: async () => {
          await using home = await createHome();
          await using server = await TestServer.start({ protection, home: new EndlessFileSystem(home.path) });
          await playStage({ port: server.port, protection, event: eventOf(server) }, stage, ending);
        },
      });
    }
  }
}

function eventOf(server: TestServer): Endpoint["event"] {
  return (name, port) => server.event(name, ({ remote }) => remote.endsWith(`:${port}`));
}

const reason = HAS_PROC ? "" : " (ignored: only Linux shows open descriptors under /proc)";

Deno.test({
  name: `Clients that go at any moment leave no descriptor open in the server's process${reason}`,
  ignore: !HAS_PROC,
  fn: async () => {
    await using home = await createHome();
    await using server = await SpawnedServer.start({
      flags: writeFlags(home.path),
      args: [home.path, "-w", "-u", USER.name, "-P", USER.password, "--log-format", "json", "--tls", "optional"]
        .concat("--implicit-port", "0"),
    });
    const plays = await playsOf(server);
    for (const play of plays) await play(); // What is opened once and kept, is open from here on.
    const before = await heldBy(server.pid);
    for (const play of plays) await play();
    // Descriptors are closed a moment after the event.
    const deadline = performance.now() + 10_000;
    let after = await heldBy(server.pid);
    while (after.length > before.length && performance.now() < deadline) after = await heldBy(server.pid);
    assertEquals(after, before);
  },
});

/** What a process has open, but for listeners, of which more or less are kept. */
async function heldBy(pid: number): Promise<string[]> {
  const { descriptors, listeners } = await descriptorsAndListenersOf(pid);
  const kinds = descriptors.map(kindOf).toSorted();
  kinds.splice(kinds.indexOf("socket:"), listeners);
  return kinds;
}

/** Each stage with each ending and each protection. */
async function playsOf(server: SpawnedServer): Promise<readonly (() => Promise<void>)[]> {
  const port = await server.port();
  const [, implicitPort] = await server.line(/"listening".*"port":(\d+),"tls":"implicit"/);
  const event: Endpoint["event"] = (name, clientPort) =>
    server.line(new RegExp(`"event":"${name}".*"remote":"127\\.0\\.0\\.1:${clientPort}"`));
  return STAGES.flatMap((stage) =>
    stage.protections.flatMap((protection) =>
      ENDINGS.map((ending) => () => {
        const endpoint = { port: protection === "implicit" ? Number(implicitPort) : port, protection, event };
        return playStage(endpoint, stage, ending);
      })
    )
  );
}
