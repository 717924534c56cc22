/**
 * A node of a cluster: `ftpsd serve` in a process of its own, which may be killed, stopped and started again.
 *
 * @module
 */

import { runMain, SpawnedServer } from "../../cli/spawned_server.ts";
import { proxyBlock } from "../proxy_headers.ts";
import { RawClient, type RawClientOptions } from "../raw_client.ts";
import { PASSIVE_PORTS } from "./haproxy.ts";

/** Where a node is. */
export interface NodePlace {
  /** Loopback address that it has for itself. */
  readonly host: string;
  readonly port: number;
  /** Configuration file. */
  readonly file: string;
  /** First passive port on the node, and what it announces for that. */
  readonly passive: number;
  readonly announced: number;
}

/** A node that runs, or did. It is killed at the end of its scope. */
export class NodeProcess implements AsyncDisposable {
  readonly host: string;
  readonly #place: NodePlace;
  readonly #flags: readonly string[];
  #server: SpawnedServer | undefined;
  /** Of runs that have ended. */
  readonly #earlierLines: string[] = [];

  private constructor(place: NodePlace, flags: readonly string[]) {
    this.#place = place;
    this.host = place.host;
    this.#flags = flags;
  }

  /** Makes one with the permissions that `ftpsd permissions` prints for its configuration; it does not run yet. */
  static async create(place: NodePlace): Promise<NodeProcess> {
    const { stdout, stderr } = await runMain({ flags: ["--allow-read"], args: ["permissions", "-c", place.file] });
    const flags = stdout.trim().split(" ").filter((word) => word.startsWith("--allow"));
    if (flags.length === 0) throw new Error(`"ftpsd permissions" has failed: ${stderr}`);
    return new NodeProcess(place, flags);
  }

  /** Starts the process, and waits until it listens. */
  async start(): Promise<void> {
    const args = ["serve", "-c", this.#place.file];
    this.#server = await SpawnedServer.start({ flags: this.#flags, args, hasOwnPorts: true });
  }

  /** Sends a signal. */
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGTERM" | "SIGHUP"): void {
    this.#server?.kill(signal);
  }

  /** Kills it, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Lets it drain and end. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** What it has written to stderr, in all its runs. */
  get lines(): readonly string[] {
    return [...this.#earlierLines, ...this.#server?.lines ?? []];
  }

  /** Connects past the balancer, but as it would, so that it is certain which node it is. TLS and login are still to come. */
  async connect(options: Partial<RawClientOptions> = {}): Promise<RawClient> {
    const { host, port } = this.#place;
    const preface = proxyBlock({ host: "192.0.2.1", port: 1234 }, { host, port });
    return await RawClient.connect({ host, port, preface, ...options });
  }

  /** The port of the node behind one that it has announced. */
  readonly localPort = (announced: number): number => {
    const offset = announced - this.#place.announced;
    if (offset < 0 || offset >= PASSIVE_PORTS) throw new Error(`Port ${announced} is not one of node ${this.host}`);
    return this.#place.passive + offset;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #end(signal: Deno.Signal): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.kill(signal);
    await server.exited();
    this.#earlierLines.push(...server.lines);
    this.#server = undefined;
  }
}
