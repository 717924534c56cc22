/**
 * HAProxy with the configuration of packaging/cluster, on addresses of the test.
 *
 * @module
 */

import { TemporaryFolder } from "../temporary_folder.ts";

/** Where clients come to. */
export interface Front {
  /** Loopback address. */
  readonly host: string;
  /** Explicit TLS. */
  readonly port: number;
  readonly implicitPort: number;
  /** First passive port; each node has {@linkcode PASSIVE_PORTS}. */
  readonly passive: number;
}

/** How it is configured. */
export interface HaproxyOptions {
  readonly front: Front;
  /** Addresses of the nodes. */
  readonly nodes: readonly string[];
  /** Of the PROXY protocol. */
  readonly proxyVersion: 1 | 2;
  /** Loopback address for questions about the state. */
  readonly adminHost: string;
}

/** Passive ports of a node in packaging/cluster, and the first one on the node. */
export const PASSIVE_PORTS = 100;
const NODE_PASSIVE = 50_000;
const SOURCE = new URL("../../../packaging/cluster/haproxy.cfg", import.meta.url);
const CHECK_MS = 200;
const ADMIN_PORT = 9_990;
const WAIT_MS = 20_000;
const POLL_MS = 25;

/** Makes a configuration of the packaged one. */
export async function haproxyConfiguration(
  { front, nodes, proxyVersion, adminHost }: HaproxyOptions,
): Promise<string> {
  const { host, port, implicitPort, passive } = front;
  let text = await Deno.readTextFile(SOURCE);
  text = text.replace("maxconn 10000", "maxconn 2000").replace(
    "/run/haproxy/admin.sock mode 660",
    `${adminHost}:${ADMIN_PORT}`,
  ).replaceAll(
    "inter 1s",
    `inter ${CHECK_MS}ms`,
  )
    .replace("198.51.100.1:21\n", `${host}:${port}\n`).replace("198.51.100.1:990", `${host}:${implicitPort}`);
  nodes.forEach((node, index) => {
    const first = passive + index * PASSIVE_PORTS;
    const packaged = NODE_PASSIVE + index * PASSIVE_PORTS;
    const offset = NODE_PASSIVE - first;
    const address = `10.0.0.1${index + 1}`;
    text = text
      .replace(
        `198.51.100.1:${packaged}-${packaged + PASSIVE_PORTS - 1}`,
        `${host}:${first}-${first + PASSIVE_PORTS - 1}`,
      )
      .replace(new RegExp(`${address}:[+-]\\d+`), `${node}:${offset < 0 ? offset : `+${offset}`}`)
      .replaceAll(`${address}:`, `${node}:`);
  });
  return proxyVersion === 1 ? text.replaceAll("send-proxy-v2", "send-proxy") : text;
}

/** A balancer that runs; it is killed at the end of its scope. */
export class Haproxy implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #child: Deno.ChildProcess;
  readonly #options: HaproxyOptions;

  private constructor(folder: TemporaryFolder, child: Deno.ChildProcess, options: HaproxyOptions) {
    this.#folder = folder;
    this.#child = child;
    this.#options = options;
  }

  /**
   * Starts it; its nodes may not be there yet.
   *
   * @throws {Deno.errors.AddrInUse} When it has ended by itself, most likely since a port is taken.
   */
  static async start(options: HaproxyOptions): Promise<Haproxy> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await TemporaryFolder.create());
    const file = `${folder.path}/haproxy.cfg`;
    await Deno.writeTextFile(file, await haproxyConfiguration(options));
    const child = new Deno.Command("haproxy", {
      args: ["-W", "-db", "-f", file],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const balancer = resources.use(new Haproxy(folder, child, options));
    let hasEnded = false;
    child.status.then(() => hasEnded = true);
    await poll("HAProxy to start", () => {
      if (hasEnded) throw new Deno.errors.AddrInUse("HAProxy has ended");
      return balancer.states().then(() => true, () => false);
    });
    resources.move();
    return balancer;
  }

  /** Whether each node gets clients. */
  async states(): Promise<readonly boolean[]> {
    const answer = await this.#ask("show stat -1 4 -1");
    const states = new Map(
      answer.split("\n").map((line) => {
        const cells = line.split(",");
        return [`${cells[0]}/${cells[1]}`, cells[17]?.startsWith("UP") ?? false];
      }),
    );
    return this.#options.nodes.map((_, index) => states.get(`ftp/node${index + 1}`) ?? false);
  }

  /** Waits until some nodes get clients, each by its index; without any, until all do. */
  async untilUp(...indexes: readonly number[]): Promise<void> {
    await poll("nodes to be up", async () => {
      const states = await this.states().catch(() => []); // while it reloads
      const chosen = indexes.length === 0 ? states : indexes.map((index) => states[index]);
      return chosen.length > 0 && chosen.every((isUp) => isUp);
    });
  }

  /** Waits until a node gets no clients any more. */
  async untilDown(index: number): Promise<void> {
    await poll("a node to be down", async () => (await this.states())[index] === false);
  }

  /** Reads its configuration again; the old process goes on with its connections. */
  reload(): void {
    this.#child.kill("SIGUSR2");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM"); // to the master, which ends the others
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
    await this.#child.status;
    await this.#folder[Symbol.asyncDispose]();
  }

  async #ask(command: string): Promise<string> {
    using connection = await Deno.connect({ hostname: this.#options.adminHost, port: ADMIN_PORT });
    await connection.write(new TextEncoder().encode(`${command}\n`));
    return await new Response(connection.readable).text();
  }
}

/** Asks until it is so; fails after {@linkcode WAIT_MS}. */
export async function poll(what: string, isSo: () => Promise<boolean>, withinMs = WAIT_MS): Promise<void> {
  for (const start = performance.now(); !await isSo();) {
    if (performance.now() - start > withinMs) throw new Error(`Waited ${withinMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
