/**
 * What every real client must be able to do with the server: one suite, an adapter for each client.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { isInstalled, programTest } from "../helpers/client_program.ts";
import type { Protection, TestServer } from "../helpers/test_server.ts";
import {
  type Column,
  type Defect,
  type FilePair,
  offers,
  type RealClient,
  type Step,
  type TlsVersion,
} from "./real_client.ts";
import { assertOnPage, resultOf } from "./page_entry.ts";
import { record, resultsFolder } from "./results.ts";
import { baseName } from "../../lib/protocol/pathname.ts";
import { digestOf, digestsOf, fileStep, readTree, Scene, type SceneOptions, writeTree } from "./scene.ts";

/** How a client reaches the server in a test. */
interface Network {
  readonly protection: Protection;
  readonly host: string;
  readonly version?: TlsVersion;
}

const TLS_NETWORKS: readonly Required<Network>[] = [
  { protection: "explicit", host: "127.0.0.1", version: "TLSv1.2" },
  { protection: "explicit", host: "::1", version: "TLSv1.3" },
  { protection: "implicit", host: "127.0.0.1", version: "TLSv1.3" },
  { protection: "implicit", host: "::1", version: "TLSv1.2" },
];
const CLEAR_NETWORKS: readonly Network[] = [
  { protection: "clear", host: "127.0.0.1" },
  { protection: "clear", host: "::1" },
];

const MEBIBYTE = 1024 * 1024;

const FILES: Readonly<Record<string, number>> = {
  "one-byte.bin": 1,
  "300-kilobytes.bin": 300_000,
  "one-less.bin": 65_535,
  "just.bin": 65_536,
  "one-more.bin": 65_537,
  "large.bin": 16 * MEBIBYTE,
};
const SPECIAL_FILES: readonly (readonly [column: Column, files: Readonly<Record<string, number>>])[] = [
  ["empty files", { "empty.bin": 0 }],
  ["UTF-8 names", { "Umläute_ÄÖÜß.bin": 4_096, "emoji🎈🇩🇪.bin": 10_000 }],
  ["odd names", {
    "with several spaces.bin": 1_000,
    "'single' and \"double\" quotes.bin": 2_000,
    "semi;colon & $ign % #1.bin": 3_000,
  }],
];

const TREE: Readonly<Record<string, string>> = Object.fromEntries([
  ["top.txt", "top\n"],
  ["empty.txt", ""],
  ...Array.from({ length: 24 }, (_, i) => [`outer${i % 3}/inner${i % 6}/${i}.txt`, `${i}\n`.repeat(100 * i)]),
]);

/** With a hidden file, and a name that is a pattern itself. */
const PATTERN_TREE: Readonly<Record<string, string>> = {
  "a.txt": "a",
  "b.txt": "b",
  "[1].txt": "1",
  "c.bin": "c",
  ".hidden.txt": "hidden",
  "sub/d.txt": "d",
  "sub/dd.txt": "dd",
  "sub/e.bin": "e",
};

/** Files of the folder `many` that the operation `parallel` is about. */
export const PARALLEL_FILES: readonly string[] = ["0.bin", "1.bin", "2.bin", "3.bin"];

/** In one session. */
const DOWNLOADS = 25;

/** Defines the tests of one client. */
export function testClient(client: RealClient): void {
  const suite = new Suite(client);
  suite.introduce();
  suite.roundTrips();
  suite.specialFiles();
  suite.activeMode();
  suite.resumption();
  suite.changes();
  suite.patterns();
  suite.trees();
  suite.parallel();
  suite.abort();
  suite.certificates();
  suite.sessions();
  if (client.thorough) suite.large();
  if (client.omitsCloseNotify) suite.missingCloseNotify();
}

/** Defines a test that runs where the client is installed. */
export function clientTest(client: RealClient, criterion: string, fn: () => Promise<void>): void {
  const name = `${client.name} ${criterion}`;
  const program = client.needs.find((need) => !isInstalled(need)) ?? client.needs[0];
  if (program === undefined) Deno.test({ name, fn });
  else Deno.test(programTest({ program, name, fn }));
}

class Suite {
  readonly #client: RealClient;

  constructor(client: RealClient) {
    this.#client = client;
  }

  /** Keeps for the page who the client is. */
  introduce(): void {
    const client = this.#client;
    clientTest(client, "tells its version", async () => {
      const version = await client.version();
      assertMatch(version, /^\d+(?:\.\d+)?$/);
      await record(client, resultOf(client, version));
    });
    const name = `${client.name} stands in docs/clients.md as its adapter says; "deno task clients" writes that anew`;
    if (resultsFolder() !== undefined) {
      Deno.test({
        name: `${name} (ignored: its results are kept, of which the page is made)`,
        ignore: true,
        fn: () => {},
      });
    } else Deno.test(name, () => assertOnPage(client));
  }

  roundTrips(): void {
    const client = this.#client;
    const can = client.operations.filter((operation) => ["list", "get", "put"].includes(operation)) as Column[];
    const special = client.thorough ? SPECIAL_FILES.filter(([column]) => this.#has(column)) : [];
    const files = Object.assign({}, FILES, ...special.map(([, kind]) => kind));
    for (const network of this.#networks()) {
      const { protection, host, version } = network;
      const column = columnOf(network);
      const columns: Column[] = [column, ...this.#isSound(column) ? can : []];
      if (host === "::1" && this.#isSound(column)) columns.push("IPv6");
      this.#test(`moves files byte-exactly over ${describe(network)}`, columns, async () => {
        await using scene = await this.#scene({ protection, host, version });
        await scene.roundTrip(client, files);
        const versions = scene.server.events.flatMap((event) => event.event === "secured" ? [event.protocol] : []);
        assertEquals(new Set(versions), new Set(version === undefined ? [] : [version]));
      });
    }
    if (client.defects?.IPv6 === undefined) return;
    const network = { ...this.#mainNetworks()[0] as Network, host: "::1" };
    this.#test(`moves files byte-exactly over ${describe(network)}`, ["IPv6"], async () => {
      await using scene = await this.#scene(network);
      await scene.roundTrip(client, FILES);
    });
  }

  /** Files that are not like most, those that the client has right in one session. */
  specialFiles(): void {
    const sound = SPECIAL_FILES.filter(([column]) => this.#has(column));
    const wrong = SPECIAL_FILES.filter(([column]) => !this.#isSound(column));
    for (const group of [sound, ...wrong.map((kind) => [kind])].filter(({ length }) => length > 0)) {
      const columns = group.map(([column]) => column);
      const files = Object.assign({}, ...group.map(([, kind]) => kind));
      this.#testOnMain(`moves ${columns.join(", ")}`, columns, async (network) => {
        await using scene = await this.#scene(network);
        await scene.roundTrip(this.#client, files);
      });
    }
  }

  activeMode(): void {
    for (const [column, host] of [["active mode", "127.0.0.1"], ["active mode over IPv6", "::1"]] as const) {
      this.#testOnMain("moves files byte-exactly in active mode", [column], async (network) => {
        await using scene = await this.#scene({ ...network, active: true });
        await scene.roundTrip(this.#client, FILES);
      }, host);
    }
  }

  resumption(): void {
    const client = this.#client;
    this.#testOnMain("resumes an upload that was cut", ["resume put"], async (network) => {
      await using scene = await this.#scene(network);
      const file = await scene.localFile("cut.bin", 2 * MEBIBYTE);
      await cutUpload(scene.server, file);
      await client.run(scene.target, [fileStep("resumePut", file)]);
      assertEquals(await digestOf(`${scene.home}/${file.remote}`), await digestOf(file.local));
      const received = await scene.server.event("fileReceived");
      assert(received.bytes < 2 * MEBIBYTE, `${received.bytes} bytes were sent again`);
    });
    this.#testOnMain("resumes a download that was cut", ["resume get"], async (network) => {
      await using scene = await this.#scene(network);
      const file = await scene.remoteFile("cut.bin", 2 * MEBIBYTE);
      const whole = await Deno.readFile(`${scene.home}/${file.remote}`);
      await Deno.writeFile(file.local, whole.subarray(0, 700_001));
      await client.run(scene.target, [fileStep("resumeGet", file)]);
      assertEquals(await digestOf(file.local), await digestOf(`${scene.home}/${file.remote}`));
      const sent = await scene.server.event("fileSent");
      // Some go on at the start of a block.
      assert(sent.bytes <= whole.length - 700_001 + 65_536, `${sent.bytes} bytes were sent`);
    });
  }

  /** What is changed with no data connection. */
  changes(): void {
    const before = { "kept.txt": "kept", "old.txt": "renamed", "unwanted.txt": "deleted", "unwanted/": "" };
    const changes: readonly (readonly [column: Column, step: Step, change: (tree: Record<string, string>) => void])[] =
      [
        ["mkdir", { operation: "mkdir", remote: "made", other: "" }, (tree) => tree["made/"] = ""],
        ["rename", { operation: "rename", remote: "old.txt", other: "new.txt" }, (tree) => {
          tree["new.txt"] = tree["old.txt"] ?? "";
          delete tree["old.txt"];
        }],
        ["delete", { operation: "delete", remote: "unwanted.txt", other: "" }, (tree) => delete tree["unwanted.txt"]],
        ["rmdir", { operation: "rmdir", remote: "unwanted", other: "" }, (tree) => delete tree["unwanted/"]],
      ];
    const offered = changes.filter(([column]) => offers(this.#client, column));
    const sound = offered.filter(([column]) => this.#isSound(column));
    const groups = [sound, ...offered.filter(([column]) => !this.#isSound(column)).map((change) => [change])];
    for (const group of groups.filter(({ length }) => length > 0)) {
      const columns = group.map(([column]) => column);
      this.#testOnMain(`can do: ${columns.join(", ")}`, columns, async (network) => {
        await using scene = await this.#scene(network);
        await writeTree(scene.home, before);
        await this.#client.run(scene.target, group.map(([, step]) => step));
        const after: Record<string, string> = { ...before };
        for (const [, , change] of group) change(after);
        assertEquals(await readTree(scene.home), after);
      });
    }
  }

  patterns(): void {
    this.#testOnMain("gets what a pattern matches", ["get matching"], async (network) => {
      await using scene = await this.#scene(network);
      await writeTree(scene.home, PATTERN_TREE);
      const [here, below] = [`${scene.local}/here`, `${scene.local}/below`];
      // Most take the folder of a name with it, and make none.
      await Promise.all([Deno.mkdir(here), Deno.mkdir(`${below}/sub`, { recursive: true })]);
      await this.#client.run(scene.target, [
        { operation: "getMatching", remote: "*.txt", other: here },
        { operation: "getMatching", remote: "sub/?.txt", other: below },
      ]);
      assertEquals(await readTree(here), { "a.txt": "a", "b.txt": "b", "[1].txt": "1" });
      const found = Object.entries(filesOf(await readTree(below))).map(([path, text]) => [baseName(path), text]);
      assertEquals(Object.fromEntries(found), { "d.txt": "d" });
      scene.assertComplete();
    });
  }

  trees(): void {
    this.#testOnMain("mirrors a tree from the server", ["mirror get"], async (network) => {
      await using scene = await this.#scene(network);
      await writeTree(`${scene.home}/tree`, TREE);
      await this.#client.run(scene.target, [{ operation: "mirrorGet", remote: "tree", other: `${scene.local}/tree` }]);
      assertEquals(filesOf(await readTree(`${scene.local}/tree`)), TREE);
      scene.assertComplete();
    });
    this.#testOnMain("mirrors a tree to the server", ["mirror put"], async (network) => {
      await using scene = await this.#scene(network);
      await writeTree(`${scene.local}/tree`, TREE);
      await this.#client.run(scene.target, [{ operation: "mirrorPut", remote: "tree", other: `${scene.local}/tree` }]);
      assertEquals(filesOf(await readTree(`${scene.home}/tree`)), TREE);
      scene.assertComplete();
    });
  }

  parallel(): void {
    this.#testOnMain("gets at the same time what it needs", ["parallel"], async (network) => {
      await using scene = await this.#scene(network);
      await Promise.all([Deno.mkdir(`${scene.home}/many`), Deno.mkdir(`${scene.local}/many`)]);
      const files = await Promise.all(PARALLEL_FILES.map((name) => scene.remoteFile(`many/${name}`, 4 * MEBIBYTE)));
      const many = { operation: "parallel", remote: "many", other: `${scene.local}/many` } as const;
      await this.#client.run(scene.target, [many]);
      assertEquals(await digestsOf(scene.local, files), await digestsOf(scene.home, files));
      assertGreater(maxSessions(scene.server), 1);
    });
  }

  abort(): void {
    const client = this.#client;
    this.#testOnMain("goes on after a download that it has ended early", ["abort"], async (network) => {
      // So slow that the download cannot end by itself.
      const transfer = { bandwidth: { download: MEBIBYTE } };
      await using scene = await this.#scene({ ...network, server: { transfer } });
      const file = await scene.remoteFile("large.bin", 64 * MEBIBYTE);
      const started = scene.server.event("transferStarted", ({ path }) => path === "/large.bin");
      const list = { operation: "list", remote: "", other: "" } as const;
      const names = client.abort === undefined
        ? await client.run(scene.target, [fileStep("abort", file), list])
        : await client.abort(scene.target, file, started);
      await started;
      await scene.server.event("transferIncomplete", ({ path }) => path === "/large.bin");
      assertEquals(names, ["large.bin"]);
      // A client that loses count of the replies connects anew.
      assertEquals(scene.server.events.filter(({ event }) => event === "connected").length, 1);
    });
  }

  certificates(): void {
    const client = this.#client;
    const sound = client.protections.filter((protection) =>
      TLS_NETWORKS.some((network) => network.protection === protection && this.#isSound(columnOf(network)))
    );
    for (const protection of sound.length > 0 ? sound : client.protections) {
      const column = "refuses unknown certificates";
      this.#test(`refuses a certificate that nothing vouches for, ${protection}`, [column], async () => {
        await using scene = await this.#scene({ protection });
        const file = await scene.remoteFile("file.bin", 10);
        const step = client.operations.includes("get") ? fileStep("get", file) : fileStep("put", file);
        if (step.operation === "put") await Deno.writeTextFile(file.local, "secret");
        const untrusting = { ...scene.target, caFile: undefined };
        const error = await assertRejects(() => client.run(untrusting, [step]), Error);
        assert(client.distrust !== undefined, "The adapter does not say how the client says that");
        assertMatch(error.message, client.distrust);
        await scene.server.event("disconnected");
        assertEquals(scene.server.events.filter(({ event }) => event === "loginSucceeded"), []);
      });
    }
  }

  sessions(): void {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const column = `resumes ${shortName(version)} sessions` as const;
      this.#test(`downloads ${DOWNLOADS} files where ${version} sessions must be resumed`, [column], async () => {
        await using scene = await this.#scene({ version, server: { tls: { sessionReuse: "require" } } });
        const files = await Promise.all(
          Array.from({ length: DOWNLOADS }, (_, i) => scene.remoteFile(`${i}.bin`, 1000 * i)),
        );
        await this.#client.run(scene.target, files.map((file) => fileStep("get", file)));
        assertEquals(await digestsOf(scene.local, files), await digestsOf(scene.home, files));
      });
    }
  }

  large(): void {
    const mebibytes = Number(Deno.env.get("FTPSD_TEST_LARGE") ?? 0);
    const name = `moves ${mebibytes || "many"} MiB byte-exactly`;
    const fn = async () => {
      await using scene = await this.#scene({});
      await scene.roundTrip(this.#client, { "huge.bin": mebibytes * MEBIBYTE });
    };
    if (mebibytes > 0) return clientTest(this.#client, name, fn);
    Deno.test({ name: `${this.#client.name} ${name} (ignored: FTPSD_TEST_LARGE says not how many)`, ignore: true, fn });
  }

  /** The server takes no upload for whole that ends without close_notify, unless it was told to. */
  missingCloseNotify(): void {
    const name = "does not end uploads as TLS demands, and is told that they are incomplete";
    clientTest(this.#client, name, async () => {
      const [network] = this.#mainNetworks();
      await using scene = await Scene.start({ ...network });
      const file = await scene.localFile("file.bin", 100_000);
      await assertRejects(() => this.#client.run(scene.target, [fileStep("put", file)]), Error);
      assertMatch((await scene.server.event("transferIncomplete")).reason, /close_notify/);
    });
  }

  /** Where to run the tests that are about more than a connection: explicit TLS in each version, or clear. */
  #mainNetworks(): readonly Network[] {
    const sound = this.#networks().filter((network) => this.#isSound(columnOf(network)));
    const explicit = sound.filter(({ protection }) => protection === "explicit");
    return explicit.length > 0 ? explicit : sound.slice(0, 2);
  }

  #networks(): readonly Network[] {
    return [...TLS_NETWORKS, ...CLEAR_NETWORKS].filter((network) => offers(this.#client, columnOf(network)))
      .filter(({ protection, host }) => protection !== "clear" || host !== "::1" || this.#has("IPv6"))
      .map((network) => this.#has("IPv6") ? network : { ...network, host: "127.0.0.1" });
  }

  /** Whether the client has what a column is about, and has it right. */
  #has(column: Column): boolean {
    return offers(this.#client, column) && this.#isSound(column);
  }

  #isSound(column: Column): boolean {
    return this.#client.defects?.[column] === undefined;
  }

  #scene(options: SceneOptions): Promise<Scene> {
    const { server } = options;
    const lax = this.#client.omitsCloseNotify ? { requireCloseNotify: false } : {};
    const network = this.#mainNetworks()[0];
    return Scene.start({
      ...network,
      version: undefined,
      ...options,
      server: { ...server, tls: { ...lax, ...server?.tls } },
    });
  }

  #testOnMain(
    criterion: string,
    columns: readonly Column[],
    fn: (network: Network) => Promise<void>,
    host?: string,
  ): void {
    const networks = this.#mainNetworks().map((network) => ({ ...network, host: host ?? network.host }));
    // Without TLS the networks differ in nothing else.
    for (const network of host !== undefined && networks[0]?.version === undefined ? networks.slice(0, 1) : networks) {
      this.#test(`${criterion}, ${describe(network)}`, columns, () => fn(network));
    }
  }

  /** Defines a test about columns that the client offers; one about a defect has to fail as the adapter says. */
  #test(criterion: string, columns: readonly Column[], fn: () => Promise<void>): void {
    const client = this.#client;
    if (!columns.every((column) => offers(client, column))) return;
    const defect = columns.map((column) => client.defects?.[column]).find((found) => found !== undefined);
    const name = defect === undefined ? criterion : `${criterion}: its known defect`;
    clientTest(client, name, async () => {
      let passed = false;
      try {
        if (defect === undefined) await fn();
        else await assertDefect(fn, defect);
        passed = true;
      } finally {
        await record(client, { client: client.name, test: criterion, passed, columns });
      }
    });
  }
}

/** Fails unless the test fails as the defect lets it. */
async function assertDefect(test: () => Promise<void>, { evidence, sometimes }: Defect): Promise<void> {
  let message: string;
  try {
    await test();
    if (sometimes) return;
    message = "The test has passed: the client is repaired, or the server is";
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
  }
  assertMatch(message, evidence);
}

function columnOf({ protection, version }: Network): Column {
  return protection === "clear" ? "clear" : `${protection} ${shortName(version ?? "TLSv1.3")}`;
}

function shortName(version: TlsVersion): "TLS 1.2" | "TLS 1.3" {
  return version === "TLSv1.2" ? "TLS 1.2" : "TLS 1.3";
}

function describe({ protection, version, host }: Network): string {
  return version === undefined ? `${protection} to ${host}` : `${protection} ${version} to ${host}`;
}

function filesOf(tree: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !path.endsWith("/")));
}

/** Most sessions that were open at the same time. */
function maxSessions(server: TestServer): number {
  let [open, most] = [0, 0];
  for (const { event } of server.events) {
    if (event === "connected") most = Math.max(most, ++open);
    if (event === "disconnected") open--;
  }
  return most;
}

/** Sends about half of a file, then resets the data connection. */
async function cutUpload(server: TestServer, file: FilePair): Promise<void> {
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.expect(150, `STOR ${file.remote}`);
  await data.secure();
  const bytes = await Deno.readFile(file.local);
  await data.write(bytes.subarray(0, bytes.length / 2));
  await data.reset();
  assertEquals((await client.readReply("a cut upload")).code, 426);
}
