import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect as connectTls } from "node:tls";
import { formatStatus } from "../../lib/cli/admin_status.ts";
import type { ServerEvent } from "../../lib/events.ts";
import type { Reading } from "../../lib/serve/reloader.ts";
import { readSettings } from "../../lib/serve/read_settings.ts";
import { Service, type ServiceOptions } from "../../lib/serve/service.ts";
import { IS_PEBBLE_ABSENT, Pebble } from "../helpers/acme/pebble.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const PASSWORD = "correct horse";
const NAME = "ftp.example.org";
const TOKEN = "0123456789abcdef0123456789abcdef";
/** A hundred times as fast as usual. */
const QUICK = { firstMs: 300, longestMs: 2_000, limitedMs: 1_500 };

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_PEBBLE_ABSENT, fn: run });
}

/** A served configuration, and what it has told. */
class Scene implements AsyncDisposable {
  readonly events: ServerEvent[] = [];
  readonly log: string[] = [];
  readonly #told = new Set<() => void>();
  #service: Service | undefined;

  /** Starts one, whose folder is below the given one. */
  static async start(
    folder: string,
    pebble: Pick<Pebble, "directory" | "ca" | "http">,
    { settings = {}, acme = {}, ...options }: {
      readonly settings?: Readonly<Record<string, unknown>>;
      readonly acme?: Readonly<Record<string, unknown>>;
    } & Partial<ServiceOptions> = {},
  ): Promise<Scene> {
    const scene = new Scene();
    await Deno.mkdir(`${folder}/home`, { recursive: true });
    await Deno.writeTextFile(`${folder}/ca.pem`, pebble.ca);
    const { directory, http: { host: httpHost, port: httpPort } } = pebble;
    const configuration = {
      listen: [{ port: 0 }],
      workers: 1,
      users: [{ name: "alice", password: PASSWORD, home: "home", permissions: "elradfmwMT" }],
      tls: { acme: { domains: NAME, storage: "acme", directory, ca: "ca.pem", httpHost, httpPort, ...acme } },
      acceptRisks: [{ risk: "plaintext-password", reason: "a test" }],
      ...settings,
    };
    const read = (): Promise<Reading> => readSettings({ configuration, folder });
    scene.#service = await Service.create(await read(), {
      read,
      dialogue: false,
      log: (_level, text) => scene.#tell(() => scene.log.push(text)),
      onEvent: (event) => scene.#tell(() => scene.events.push(event)),
      ordering: { retry: QUICK, firstWaitMs: 10_000 },
      ...options,
    });
    await scene.service.listen();
    return scene;
  }

  get service(): Service {
    if (this.#service === undefined) throw new TypeError("It was not started");
    return this.#service;
  }

  get port(): number {
    return this.service.addresses[0]?.port ?? 0;
  }

  count(name: ServerEvent["event"]): number {
    return this.events.filter(({ event }) => event === name).length;
  }

  /** Waits until something holds. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const late = AbortSignal.timeout(30_000);
    while (!holds()) {
      if (late.aborted) throw new Error(`never: ${what}\n${this.log.join("\n")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100); // what is not told, too
        this.#told.add(() => (clearTimeout(timer), resolve()));
      });
    }
  }

  #tell(keep: () => void): void {
    keep();
    for (const wake of this.#told) wake();
    this.#told.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.[Symbol.asyncDispose]();
  }
}

async function login(port: number): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port });
  await client.readReply();
  await client.startTls();
  await client.login("alice", PASSWORD);
  return client;
}

/** Says who verifies the certificate of a control connection with these roots, and finds the name in it. */
async function verifiedSerial(port: number, root: string): Promise<string> {
  const { connect } = await import("node:net");
  const socket = connect(port, "127.0.0.1");
  const line = () => new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(String(bytes))));
  await line();
  const answered = line();
  socket.write("AUTH TLS\r\n");
  assertMatch(await answered, /^234/);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const secure = connectTls({ socket, ca: [root], servername: NAME });
  secure.once("secureConnect", () => resolve(secure.getPeerCertificate().serialNumber));
  secure.once("error", reject);
  try {
    return await promise;
  } finally {
    secure.destroy();
    socket.destroy();
  }
}

test("A start without a certificate orders it first, and a restart asks nobody", async () => {
  await using folder = await TemporaryFolder.create();
  await using pebble = await Pebble.start();
  const root = await pebble.root();
  let serial: string;
  {
    await using scene = await Scene.start(folder.path, pebble);
    assertEquals(scene.events.map(({ event }) => event).slice(0, 2), ["certificateRenewed", "listening"]);
    serial = await verifiedSerial(scene.port, root);
    assertMatch(scene.log[0] ?? "", /^certificate: making an account at /);
  }
  await pebble.stop();
  const startedAt = performance.now();
  await using again = await Scene.start(folder.path, pebble);
  assert(performance.now() - startedAt < 5_000);
  assertEquals(await verifiedSerial(again.port, root), serial);
  assertEquals(again.count("certificateRenewed") + again.count("certificateRenewalFailed"), 0);
});

test("A start whose CA is away serves, says so, and has a certificate once the CA is back", async () => {
  await using folder = await TemporaryFolder.create();
  await using pebble = await Pebble.start();
  await pebble.stop();
  await Deno.writeTextFile(`${folder.path}/token`, TOKEN, { mode: 0o600 });
  const settings = { metrics: { port: 0 }, admin: { port: 0, tokenFile: "token" } };
  await using scene = await Scene.start(folder.path, pebble, { settings });
  assertEquals(scene.count("certificateRenewalFailed"), 1);
  assert(scene.log.some((line) => line.startsWith("serving with a certificate made in memory")));
  assert(scene.service.certificate?.selfSigned);
  await using client = await login(scene.port);
  const metrics = async () => await (await fetch(`http://127.0.0.1:${scene.service.metrics?.port}/metrics`)).text();
  assertMatch(await metrics(), /^ftpsd_certificate_failures [1-9]/m);
  const ordering = async () => {
    const url = `http://127.0.0.1:${scene.service.admin?.port}/api/v1/server`;
    const answer = await (await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } })).json();
    assertMatch(formatStatus({ server: answer, nodes: [], quotasNearLimit: [], bans: [] }, new Date()), /^renewal /m);
    return answer.certificate.ordering;
  };
  const failing = await ordering();
  assert(failing.failures >= 1);
  assertMatch(failing.lastFailure, /^no answer of /);
  await pebble.restart();
  await scene.until(() => scene.count("certificateRenewed") === 1, "renewed");
  await scene.until(() => scene.service.certificate?.selfSigned === false, "in use");
  assertEquals([(await ordering()).failures, (await ordering()).isOrdering], [0, false]);
  await verifiedSerial(scene.port, await pebble.root());
  await client.expect(200, "NOOP"); // of the certificate before
  assertMatch(await metrics(), /^ftpsd_certificate_failures 0$/m);
  assertMatch(await metrics(), /^ftpsd_certificate_orders_total\{result="succeeded"\} 1$/m);
});

test("Renewals while sessions work break none of them", async () => {
  await using folder = await TemporaryFolder.create();
  await using pebble = await Pebble.start({ validSeconds: 4 });
  await using scene = await Scene.start(folder.path, pebble, { settings: { workers: 2 } });
  let isOver = false;
  const rounds = [0, 0, 0, 0, 0, 0];
  const work = rounds.map(async (_, index) => {
    // A session that lasts, and ones that come and go
    await using lasting = await login(scene.port);
    const bytes = new Uint8Array(100_000).fill(index);
    while (!isOver) {
      await lasting.store(`/lasting${index}`, bytes);
      await using fresh = await login(scene.port);
      await fresh.store(`/fresh${index}`, bytes);
      await fresh.expect(221, "QUIT");
      rounds[index] = (rounds[index] ?? 0) + 1;
    }
    assertEquals((await Deno.stat(`${folder.path}/home/lasting${index}`)).size, bytes.length);
    await lasting.expect(221, "QUIT");
  });
  await scene.until(() => rounds.every((count) => count > 0), "work in all sessions");
  const before = scene.count("certificateRenewed");
  await scene.until(() => scene.count("certificateRenewed") >= before + 2, "two more certificates");
  const worked = rounds.slice();
  await scene.until(() => rounds.every((count, index) => count > (worked[index] ?? 0)), "work behind them");
  isOver = true;
  await Promise.all(work);
  assertEquals(scene.count("transferIncomplete") + scene.count("internalError"), 0);
  assertEquals(scene.count("certificateRenewalFailed"), 0);
});

test("An answer of 429 is obeyed, and not before Retry-After is asked again", async () => {
  await using folder = await TemporaryFolder.create();
  await using pebble = await Pebble.start();
  // In front of the CA: the first order gets what Let's Encrypt says at its limits.
  using client = Deno.createHttpClient({ caCerts: [pebble.ca] });
  const { createEphemeralCertificate } = await import("../../lib/transport/ephemeral_certificate.ts");
  const { certificate, key } = await createEphemeralCertificate({ names: ["127.0.0.1"] });
  const asked: number[] = [];
  await using proxy: Deno.HttpServer<Deno.NetAddr> = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert: certificate, key, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const url = new URL(pathname, pebble.directory).href;
      if (pathname === "/order-plz") {
        asked.push(performance.now());
        if (asked.length === 1) {
          const detail = "too many certificates already issued for example.org";
          const body = JSON.stringify({ type: "urn:ietf:params:acme:error:rateLimited", detail });
          return new Response(body, { status: 429, headers: { "retry-after": "2", "replay-nonce": "abcd" } });
        }
      }
      const body = request.method === "POST" ? await request.arrayBuffer() : null;
      const { method, headers } = request;
      const answer = await fetch(url, { method, headers, body, client });
      if (pathname !== "/dir") return new Response(answer.body, answer);
      const text = await answer.text();
      const own = `https://127.0.0.1:${proxy.addr.port}/order-plz`;
      return new Response(text.replace(/"newOrder": *"[^"]+"/, `"newOrder": "${own}"`), answer);
    },
  );
  const front = {
    ...{ http: pebble.http },
    ca: `${certificate}\n${pebble.ca}`,
    directory: `https://127.0.0.1:${proxy.addr.port}/dir`,
  };
  await using scene = await Scene.start(folder.path, front);
  const failure = scene.events.find((event) => event.event === "certificateRenewalFailed");
  assert(failure?.event === "certificateRenewalFailed");
  assertMatch(failure.reason, /^the CA has a limit, which is reached: too many certificates/);
  assertMatch(failure.hint, /^wait; try changes with ftpsd cert acme --staging/);
  await scene.until(() => asked.length === 2, "asked again");
  assert((asked[1] ?? 0) - (asked[0] ?? 0) >= 2_000);
});

Deno.test({
  name: "Of three nodes one orders, whichever node the CA asks, and all serve the certificate",
  ignore: IS_PEBBLE_ABSENT || IS_POSTGRES_ABSENT,
  fn: async () => {
    await using database = await TestDatabase.open();
    await using folder = await TemporaryFolder.create();
    await using pebble = await Pebble.start();
    const { user, password, host, port, database: name } = database.address;
    // The CA asks the third node, whichever orders: as a balancer that leads it anywhere.
    const network = pebble.http.host.replace(/\.\d+$/, "");
    const places = [`${network}.21`, `${network}.22`, pebble.http.host];
    const nodes = places.map(async (httpHost, index) => {
      const own = `${folder.path}/n${index}`;
      await Deno.mkdir(own);
      const files = {
        "state.url": `postgres://${user}:${password}@${host}:${port}/${name}\n`,
        "db.pem": database.authorities.join("\n"),
        "nodes.secret": "0123456789abcdef0123456789abcdef\n",
      };
      for (const [file, text] of Object.entries(files)) {
        await Deno.writeTextFile(`${own}/${file}`, text, { mode: 0o600 });
      }
      return await Scene.start(own, pebble, {
        settings: {
          state: { type: "postgres", urlFile: "state.url", ca: "db.pem", node: `n${index}`, leaseSeconds: 3 },
        },
        acme: { httpHost, secretFile: "nodes.secret" },
      });
    });
    await using opened = new AsyncDisposableStack();
    const scenes = (await Promise.all(nodes)).map((scene) => opened.use(scene));
    for (const scene of scenes) {
      await scene.until(() => scene.service.certificate?.selfSigned === false, "a certificate");
    }
    const root = await pebble.root();
    const serials = await Promise.all(scenes.map((scene) => verifiedSerial(scene.port, root)));
    assertEquals(new Set(serials).size, 1);
    assertEquals(pebble.issued, 1);
    assertEquals(scenes.reduce((sum, scene) => sum + scene.count("certificateRenewed"), 0), 1);
    const stored = await database.query("SELECT value FROM ftpsd.record WHERE space = 'acme'");
    assert(stored.length >= 2);
    assert(
      stored.every(({ value }) =>
        !/PRIVATE|BEGIN/.test(value ?? "") && !/PRIVATE/.test(atob(JSON.parse(value ?? '""')))
      ),
    );
    for (const index of scenes.keys()) {
      const text = await Deno.readTextFile(`${folder.path}/n${index}/acme/certificate.pem`);
      assertMatch(text, /BEGIN CERTIFICATE/); // so that it starts while the database is away
    }
  },
});
