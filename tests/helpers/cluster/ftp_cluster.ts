/**
 * Three nodes, HAProxy, PostgreSQL and a store, all of it as packaging/cluster has it, on loopback addresses of their own.
 *
 * @module
 */

import { parse } from "@std/yaml";
import { QUICK_HASH } from "../../cli/installation.ts";
import { createEphemeralCertificate } from "../../../lib/transport/ephemeral_certificate.ts";
import { isInstalled } from "../client_program.ts";
import { TEST_CREDENTIALS } from "../object_store/s3_signature.ts";
import { IS_POSTGRES_ABSENT, TestCluster, TestDatabase } from "../postgres/test_database.ts";
import { RawClient, type RawClientOptions } from "../raw_client.ts";
import { TcpProxy } from "../tcp_proxy.ts";
import { TemporaryFolder } from "../temporary_folder.ts";
import type { PostgresCluster } from "../../services/postgres.ts";
import { type ClusterStore, openClusterStore } from "./cluster_store.ts";
import { type Front, Haproxy, PASSIVE_PORTS } from "./haproxy.ts";
import { NodeProcess } from "./node_process.ts";

/** Whether tests of clusters are ignored: something is not installed, and this is not CI, where they fail. */
export const IS_CLUSTER_ABSENT: boolean = IS_POSTGRES_ABSENT ||
  !isInstalled("haproxy") && Deno.env.get("CI") === undefined;

/** The user of all clusters; the password is that of tests/cli. */
export const CLUSTER_USER = { name: "user", password: "12345" } as const;

/** What a cluster is made of. */
export interface FtpClusterOptions {
  /** @default {3} */
  readonly nodes?: number;
  /** What HAProxy says to the nodes. @default {2} */
  readonly proxyVersion?: 1 | 2;
  /** Family of the address that clients come to. @default {4} */
  readonly family?: 4 | 6;
  /** Settings in the place of those of packaging/cluster. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Settings of TLS besides. */
  readonly tls?: Readonly<Record<string, unknown>>;
  /** Settings of the state besides. */
  readonly state?: Readonly<Record<string, unknown>>;
  /** Whether PostgreSQL is one of its own, which a test may break. @default {false} */
  readonly hasOwnPostgres?: boolean;
  /** URL of a real store. @default {a stand-in in this process} */
  readonly storeEndpoint?: string | undefined;
}

const SOURCE = new URL("../../../packaging/cluster/ftpsd.yaml", import.meta.url);
const NODE_PASSIVE = 50_000;
/** In the place of 21 and 990, for which one has to be root. */
const CONTROL = { port: 2121, implicitPort: 2990 } as const;
const START_TRIES = 5;

/** It runs until the end of its scope. */
export class FtpCluster implements AsyncDisposable {
  readonly front: Front;
  readonly nodes: readonly NodeProcess[];
  readonly balancer: Haproxy;
  readonly database: TestDatabase;
  /** Only of one with `hasOwnPostgres`. */
  readonly postgres: PostgresCluster | undefined;
  /** What each node has between itself and the database. */
  readonly databaseLinks: readonly TcpProxy[];
  /** What all nodes have between themselves and the store. */
  readonly storeLink: TcpProxy;
  readonly store: ClusterStore;
  /** Of the nodes, PEM. */
  readonly certificate: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Omit<Parts, "folder" | "key"> & { readonly nodes: readonly NodeProcess[]; readonly balancer: Haproxy },
    resources: AsyncDisposableStack,
  ) {
    this.front = parts.front;
    this.nodes = parts.nodes;
    this.balancer = parts.balancer;
    this.database = parts.database;
    this.postgres = parts.postgres;
    this.databaseLinks = parts.databaseLinks;
    this.storeLink = parts.storeLink;
    this.store = parts.store;
    this.certificate = parts.certificate;
    this.#resources = resources;
  }

  /** Starts everything, and waits until all nodes get clients. */
  static async start(options: FtpClusterOptions = {}): Promise<FtpCluster> {
    for (let tries = 1;; tries++) {
      try {
        return await FtpCluster.#start(options);
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse) || tries === START_TRIES) throw error;
      }
    }
  }

  static async #start(options: FtpClusterOptions): Promise<FtpCluster> {
    await using resources = new AsyncDisposableStack();
    const { nodes: count = 3, proxyVersion = 2, family = 4 } = options;
    const network = randomNetwork();
    const front = family === 4 ? { host: `${network}.10`, ...CONTROL, passive: NODE_PASSIVE } : randomPorts("::1");
    const hosts = Array.from({ length: count }, (_, index) => `${network}.${11 + index}`);
    // Like those of packaging/cluster, HAProxy has three; those that are not there stay down.
    const places = Array.from({ length: 3 }, (_, index) => `${network}.${11 + index}`);
    const parts = await openParts(options, front, resources);
    const balancer = resources.use(
      await Haproxy.start({ front, nodes: places, proxyVersion, adminHost: `${network}.10` }),
    );
    const nodes = await Promise.all(hosts.map(async (host, index) => {
      const file = await writeConfiguration(parts, options, { host, index });
      const announced = front.passive + index * PASSIVE_PORTS;
      const place = { host, port: CONTROL.port, file, passive: NODE_PASSIVE, announced };
      const node = resources.use(await NodeProcess.create(place));
      await node.start();
      return node;
    }));
    await balancer.untilUp(...nodes.keys());
    return new FtpCluster({ ...parts, nodes, balancer }, resources.move());
  }

  /** Connects through the balancer, secures the connection, and logs in. */
  async login(options: Partial<RawClientOptions> = {}): Promise<RawClient> {
    const client = await this.connect(options);
    try {
      await client.login(CLUSTER_USER.name, CLUSTER_USER.password);
      await client.command("TYPE I");
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Connects through the balancer and secures the connection. */
  async connect(options: Partial<RawClientOptions> = {}): Promise<RawClient> {
    const { host, port, implicitPort } = this.front;
    const isImplicit = options.tls === "implicit";
    const client = await RawClient.connect({ host, port: isImplicit ? implicitPort : port, ...options });
    try {
      const greeting = await client.readReply("connecting");
      if (greeting.code !== 220) throw new ReplyError(greeting.code, greeting.text);
      if (!isImplicit) await client.startTls();
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** A reply that is not the wanted one. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

/** Everything but nodes and balancer. */
interface Parts {
  readonly folder: string;
  readonly front: Front;
  readonly database: TestDatabase;
  readonly postgres: PostgresCluster | undefined;
  readonly databaseLinks: readonly TcpProxy[];
  readonly storeLink: TcpProxy;
  readonly store: ClusterStore;
  readonly certificate: string;
  readonly key: string;
}

async function openParts(
  options: FtpClusterOptions,
  front: Front,
  resources: AsyncDisposableStack,
): Promise<Parts> {
  const { nodes = 3, hasOwnPostgres = false, storeEndpoint } = options;
  const folder = resources.use(await TemporaryFolder.create()).path;
  const own = hasOwnPostgres ? resources.use(await TestCluster.start()) : undefined;
  const database = resources.use(own === undefined ? await TestDatabase.open() : await own.open());
  const store = resources.use(openClusterStore(storeEndpoint));
  const databaseLinks = Array.from({ length: nodes }, () => resources.use(new TcpProxy(database.address.port)));
  const storeLink = resources.use(new TcpProxy(store.port));
  const { certificate, key } = await createEphemeralCertificate({ names: ["localhost", front.host] });
  const postgres = own?.cluster;
  return { folder, front, database, postgres, databaseLinks, storeLink, store, certificate, key };
}

/** Writes a node's configuration, made of the packaged one, and the files that it names. */
async function writeConfiguration(
  parts: Parts,
  options: FtpClusterOptions,
  { host, index }: { readonly host: string; readonly index: number },
): Promise<string> {
  const folder = `${parts.folder}/node${index + 1}`;
  await Deno.mkdir(folder);
  const { front, database: { address, authorities }, databaseLinks, store } = parts;
  const files = {
    "server.crt": parts.certificate,
    "server.key": parts.key,
    "db-ca.pem": authorities.join("\n"),
    "state.url": `postgres://${address.user}:${address.password}@localhost:${
      databaseLinks[index]?.port
    }/${address.database}\n`,
    "s3.id": TEST_CREDENTIALS.accessKey,
    "s3.secret": TEST_CREDENTIALS.secretKey,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
  }
  const text = (await Deno.readTextFile(SOURCE)).replaceAll("/etc/ftpsd/", `${folder}/`)
    .replaceAll("0.0.0.0", host).replaceAll("10.0.0.10", "127.0.0.1")
    .replace(/\$scrypt[^"]*/, QUICK_HASH).replace("name: ftp\n", `name: ${CLUSTER_USER.name}\n`);
  const packaged = parse(text, { schema: "core" }) as Packaged;
  const first = front.passive + index * PASSIVE_PORTS;
  const configuration = {
    ...packaged,
    passive: { ...packaged.passive, announced: `${first}-${first + PASSIVE_PORTS - 1}` },
    tls: { ...packaged.tls, ...options.tls },
    state: { ...packaged.state, node: `ftp${index + 1}`, ...options.state },
    stores: {
      files: {
        ...packaged.stores.files,
        endpoint: `http://127.0.0.1:${parts.storeLink.port}`,
        bucket: store.bucket,
        ...store.prefix === "" ? {} : { prefix: store.prefix },
      },
    },
    shutdown: { drain: 1, grace: 10 }, // the balancer looks more often
    // All clients have one address here.
    limits: { ...packaged.limits, connectionsPerAddress: 0 },
    acceptRisks: [{ risk: "clear-text-store", reason: "a test" }],
    ...options.settings,
  };
  const file = `${folder}/ftpsd.yaml`;
  await Deno.writeTextFile(file, JSON.stringify(configuration), { mode: 0o600 });
  return file;
}

/** What of the packaged configuration is changed. */
interface Packaged {
  readonly passive: object;
  readonly tls: object;
  readonly state: object;
  readonly stores: { readonly files: object };
  readonly limits: object;
}

/** A part of 127.0.0.0/8 that most likely nobody else uses, so that ports need not be free elsewhere. */
function randomNetwork(): string {
  const [second = 0, third = 0] = crypto.getRandomValues(new Uint8Array(2));
  return `127.${10 + second % 200}.${third}`;
}

/** Ports that most likely nobody uses, below those of outgoing connections. */
function randomPorts(host: string): Front {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  const passive = 10_000 + word % 20_000;
  return { host, passive, port: passive + 3 * PASSIVE_PORTS, implicitPort: passive + 3 * PASSIVE_PORTS + 1 };
}
