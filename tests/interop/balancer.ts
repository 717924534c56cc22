/**
 * Real balancers in front of test servers, and what clients do through them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { isInstalled, programTest } from "../helpers/client_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import type { Protection } from "../helpers/test_server.ts";
import { type Column, offers, type RealClient, type TlsVersion } from "./real_client.ts";
import { digestsOf, fileStep, Scene, type SceneOptions } from "./scene.ts";

/** A balancer, and the version of the PROXY protocol that it speaks. */
export type BalancerKind = "HAProxy, version 1" | "HAProxy, version 2" | "nginx, version 1";

/** Ports of a host. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** What a balancer passes on. */
export interface BalancerOptions {
  readonly kind: BalancerKind;
  /** Loopback address of the balancer and of the servers. */
  readonly host: string;
  /** Control ports of the servers. */
  readonly nodes: readonly number[];
  /** Passive ports of the servers. */
  readonly passive: PortRange;
  /** Whether the servers greet before TLS, so that a check can wait for that. */
  readonly greets: boolean;
}

const RANGE_PORTS = 20;
const START_TRIES = 5;
const START_MS = 10_000;
const POLL_MS = 20;
/** Below those that the system gives to outgoing connections. */
const [FIRST_PORT, LAST_PORT] = [10_000, 32_000];

/** Chooses ports that most likely nobody has. */
export function randomRange(): PortRange {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  const from = FIRST_PORT + word % (LAST_PORT - FIRST_PORT);
  return { from, to: from + RANGE_PORTS - 1 };
}

/** A balancer that runs: its control port, and a range of ports that leads to the passive ports, one for one. */
export class Balancer implements AsyncDisposable {
  readonly port: number;
  readonly passive: PortRange;
  readonly #child: Deno.ChildProcess;
  readonly #folder: TemporaryFolder;

  private constructor(ports: PortRange, child: Deno.ChildProcess, folder: TemporaryFolder) {
    this.port = ports.to + 1;
    this.passive = ports;
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts one on ports that are free, and waits until it passes connections on. */
  static async start(ports: PortRange, options: BalancerOptions): Promise<Balancer> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await TemporaryFolder.create());
    const file = `${folder.path}/balancer.conf`;
    const isNginx = options.kind.startsWith("nginx");
    await Deno.writeTextFile(file, isNginx ? nginxFile(ports, options, folder.path) : haproxyFile(ports, options));
    const [program, args] = isNginx
      ? ["nginx", ["-c", file, "-p", folder.path, "-e", `${folder.path}/error.log`]] as const
      : ["haproxy", ["-db", "-f", file]] as const;
    const child = new Deno.Command(program, { args: [...args], stdin: "null", stdout: "null", stderr: "null" }).spawn();
    const balancer = new Balancer(ports, child, folder);
    await balancer.#started(options.host);
    resources.move();
    return balancer;
  }

  async #started(host: string): Promise<void> {
    let hasEnded = false;
    this.#child.status.then(() => hasEnded = true);
    for (const startedAt = performance.now(); performance.now() - startedAt < START_MS;) {
      if (hasEnded) throw new BalancerError("The balancer has ended; its ports may be taken");
      try {
        (await Deno.connect({ hostname: host, port: this.port })).close();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
    this.#child.kill("SIGKILL");
    throw new BalancerError("The balancer has not started in time");
  }

  /** Ends it and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** A balancer that cannot be started. */
export class BalancerError extends Error {
  override readonly name = "BalancerError";
}

/** The same as docs/nat-and-firewalls.md has it, on loopback addresses and with faster checks. */
function haproxyFile(ports: PortRange, { kind, host, nodes, passive, greets }: BalancerOptions): string {
  const send = kind === "HAProxy, version 1" ? "send-proxy" : "send-proxy-v2";
  return `
global
    maxconn 200
defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
    timeout check 2s
listen ftp
    bind ${host}:${ports.to + 1}
    balance roundrobin
    option redispatch
    retries 3
    option tcp-check
    tcp-check connect send-proxy
${greets ? "    tcp-check expect rstring ^220" : ""}
${
    nodes.map((port, index) => `    server node${index} ${host}:${port} ${send} check inter 100ms fall 1 rise 1`).join(
      "\n",
    )
  }
listen ftp_data
    bind ${host}:${ports.from}-${ports.to}
    retries 0
    server node0 ${host}:${signed(passive.from - ports.from)} ${send}
`;
}

/** A port relative to that of the balancer. */
function signed(difference: number): string {
  return difference < 0 ? String(difference) : `+${difference}`;
}

function nginxFile(ports: PortRange, { host, nodes, passive }: BalancerOptions, folder: string): string {
  const at = (port: number | string) => host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const count = ports.to - ports.from + 1;
  const pairs = Array.from({ length: count }, (_, index) => `${ports.from + index} ${passive.from + index};`);
  return `
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 512; }
stream {
  proxy_protocol on;
  map $server_port $passive { ${pairs.join(" ")} }
  upstream ftp { ${nodes.map((port) => `server ${at(port)};`).join(" ")} }
  server { listen ${at(ports.to + 1)}; proxy_pass ftp; }
  server { listen ${at(`${ports.from}-${ports.to}`)}; proxy_pass ${at("$passive")}; }
}
`;
}

/** How a client comes to the server. */
interface Way {
  readonly kind: BalancerKind;
  readonly protection: Exclude<Protection, "clear">;
  readonly host: string;
  readonly version: TlsVersion;
}

const WAYS: readonly Way[] = [
  { kind: "HAProxy, version 2", protection: "explicit", host: "127.0.0.1", version: "TLSv1.2" },
  { kind: "HAProxy, version 2", protection: "implicit", host: "::1", version: "TLSv1.3" },
  { kind: "HAProxy, version 1", protection: "explicit", host: "::1", version: "TLSv1.3" },
  { kind: "HAProxy, version 1", protection: "implicit", host: "127.0.0.1", version: "TLSv1.2" },
  { kind: "nginx, version 1", protection: "explicit", host: "127.0.0.1", version: "TLSv1.3" },
  { kind: "nginx, version 1", protection: "implicit", host: "::1", version: "TLSv1.2" },
];

/** A scene whose client comes through a balancer. */
export interface BalancedScene {
  readonly scene: Scene;
  readonly balancer: Balancer;
}

/** Starts a server and a balancer in front of it; the scene's target is the balancer. */
export async function startBehind(
  kind: BalancerKind,
  options: SceneOptions & { readonly host: string },
  resources: AsyncDisposableStack,
): Promise<BalancedScene> {
  for (let tries = 1;; tries++) {
    const [ports, passive] = [randomRange(), randomRange()];
    const scene = await Scene.start({
      ...options,
      proxyProtocol: ["127.0.0.0/8", "::1"],
      server: { ...options.server, passive: { ports: passive, announced: ports } },
    });
    const nodes = [scene.server.port];
    try {
      const balancer = await Balancer.start(ports, {
        kind,
        host: options.host,
        nodes,
        passive,
        greets: options.protection !== "implicit",
      });
      resources.use(scene);
      resources.use(balancer);
      return { scene: scene.through(balancer.port), balancer };
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      if (!(error instanceof BalancerError) || tries === START_TRIES) throw error;
    }
  }
}

/** Defines the tests of a client behind balancers: files both ways, and TLS sessions that are resumed where the client can. */
export function testBehindBalancers(client: RealClient): void {
  for (const way of WAYS) {
    const { kind, protection, host, version } = way;
    balancedTest(client, way, "moves files", async (resources) => {
      const { scene } = await startBehind(kind, { protection, host, version }, resources);
      await scene.roundTrip(client, { "small.bin": 1, "medium.bin": 100_000, "large.bin": 4 * 1024 * 1024 });
      assertProxied(scene);
    });
    const column: Column = version === "TLSv1.2" ? "resumes TLS 1.2 sessions" : "resumes TLS 1.3 sessions";
    if (protection === "implicit" || !offers(client, column) || client.defects?.[column] !== undefined) continue;
    balancedTest(client, way, "resumes its session in each download", async (resources) => {
      const server = { tls: { sessionReuse: "require" } } as const;
      const { scene } = await startBehind(kind, { protection, host, version, server }, resources);
      const files = await Promise.all(["0.bin", "1.bin", "2.bin"].map((name) => scene.remoteFile(name, 10_000)));
      await client.run(scene.target, files.map((file) => fileStep("get", file)));
      assertEquals(await digestsOf(scene.local, files), await digestsOf(scene.home, files));
    });
  }
}

/** Fails unless the server has had clients, all of them through a balancer, and has refused nobody. */
export function assertProxied(scene: Scene): void {
  const { events } = scene.server;
  const connected = events.flatMap((event) => event.event === "connected" ? [event] : []);
  assert(connected.length > 0);
  for (const { via } of connected) assert(via !== undefined);
  assertEquals(events.filter(({ event }) => event === "connectionRefused"), []);
}

function balancedTest(
  client: RealClient,
  { kind, protection, host, version }: Way,
  criterion: string,
  test: (resources: AsyncDisposableStack) => Promise<void>,
): void {
  const needs = [kind.startsWith("nginx") ? "nginx" : "haproxy", ...client.needs];
  Deno.test(programTest({
    program: needs.find((need) => !isInstalled(need)) ?? needs[0] ?? "",
    name: `${client.name} ${criterion} through ${kind}: ${protection} ${version} to ${host}`,
    fn: async () => {
      await using resources = new AsyncDisposableStack();
      await test(resources);
    },
  }));
}
