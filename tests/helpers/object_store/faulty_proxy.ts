/**
 * A proxy between a server and its object store that plays the faults of networks and stores.
 *
 * It passes requests on as they are, so that their signatures hold; towards the server it has no TLS.
 *
 * @module
 */

import { bodyLength, HttpPeer, type MessageHead } from "./http_peer.ts";
import { errorStatus, errorXml, type S3ErrorCode } from "./s3_error.ts";
import { operationOf } from "./s3_operations.ts";
import { parseRequest } from "./s3_request.ts";
import type { FaultPlan, PassingRequest, StoreFault } from "./store_faults.ts";

/** A fault that was played. */
export interface PlayedFault extends PassingRequest {
  readonly fault: StoreFault;
}

const HOST = "127.0.0.1";
const SKEW_MS = 60 * 60 * 1000;

/** Thrown to end a connection with a reset. */
class Reset extends Error {}

/** Listens until it is disposed of. */
export class FaultyProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: HOST, port: 0 });
  readonly #store: URL;
  readonly #stop = new AbortController();
  readonly #connections = new Set<Disposable>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  /** Faults that were played, the oldest first. */
  readonly played: PlayedFault[] = [];
  /** Decides about each request. */
  plan: FaultPlan;

  /**
   * Starts to listen.
   *
   * @param store URL of a store, without TLS.
   */
  constructor(store: string, plan: FaultPlan = () => undefined) {
    this.#store = new URL(store);
    this.plan = plan;
    this.#accepting = this.#accept();
  }

  /** URL without a slash at the end. */
  get endpoint(): string {
    return `http://${HOST}:${this.#listener.addr.port}`;
  }

  /** Cuts all connections. May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) connection[Symbol.dispose]();
    await Promise.all(this.#tasks);
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) {
        const task = this.#serve(client).finally(() => this.#tasks.delete(task));
        this.#tasks.add(task);
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    using resources = new DisposableStack();
    this.#own(client, resources);
    try {
      const store = await Deno.connect({ hostname: this.#store.hostname, port: Number(this.#store.port) });
      this.#own(store, resources);
      const [from, to] = [new HttpPeer(client), new HttpPeer(store)];
      for (let head = await from.readHead(); head !== undefined; head = await from.readHead()) {
        const request = describe(head);
        const fault = this.plan(request);
        if (fault !== undefined) this.played.push({ ...request, fault });
        if (!await new Exchange(from, to, head, fault, this.#stop.signal).run()) return;
      }
    } catch {
      // One of the ends is gone, or was to be.
    }
  }

  #own(connection: Deno.TcpConn, resources: DisposableStack): void {
    const closing = { [Symbol.dispose]: () => closeOnce(connection) };
    this.#connections.add(closing);
    resources.defer(() => {
      this.#connections.delete(closing);
      closeOnce(connection);
    });
    if (this.#stop.signal.aborted) closeOnce(connection);
  }
}

/** One request and its answer. */
class Exchange {
  readonly #isHead: boolean;

  constructor(
    readonly client: HttpPeer,
    readonly store: HttpPeer,
    readonly head: MessageHead,
    readonly fault: StoreFault | undefined,
    readonly signal: AbortSignal,
  ) {
    this.#isHead = head.first.startsWith("HEAD ");
  }

  /** Returns whether another request may come on the same connections. */
  async run(): Promise<boolean> {
    const { fault } = this;
    if (fault?.kind === "answer") return await this.#answer(fault.code, errorStatus(fault.code));
    if (fault?.kind === "errorIn200") return await this.#answer(fault.code, 200);
    if (fault?.kind === "hang" && !fault.isDone) return await this.#hang();
    if (fault?.kind === "resetBefore") {
      await this.#drain();
      throw new Reset();
    }
    await this.#passRequest();
    return await this.#passAnswer();
  }

  async #answer(code: S3ErrorCode, status: number): Promise<boolean> {
    await this.#drain();
    const body = this.#isHead ? "" : errorXml(code, "Played by the proxy");
    const date = new Date(Date.now() + (code === "RequestTimeTooSkewed" ? SKEW_MS : 0)).toUTCString();
    await this.client.write(
      `HTTP/1.1 ${status} Played\r\ndate: ${date}\r\ncontent-type: application/xml\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    return true;
  }

  async #drain(): Promise<void> {
    for await (const _ of this.client.readBody(bodyLength(this.head, 0)));
  }

  /** Waits until the client goes away, or the proxy ends. */
  async #hang(): Promise<false> {
    while (await this.client.read() !== undefined);
    return false;
  }

  async #passRequest(): Promise<void> {
    await this.store.write(this.head.bytes);
    const length = bodyLength(this.head, 0);
    const resetAt = this.fault?.kind === "resetInside" && typeof length === "number" ? length / 2 : Infinity;
    let passed = 0;
    for await (const piece of this.client.readBody(length)) {
      if (passed + piece.length > resetAt) {
        await this.store.write(piece.subarray(0, Math.max(0, resetAt - passed)));
        throw new Reset();
      }
      await this.#pass(piece, this.store);
      passed += piece.length;
    }
  }

  async #passAnswer(): Promise<boolean> {
    let answer = await this.store.readHead();
    while (answer !== undefined && answer.first.split(" ")[1] === "100") {
      await this.client.write(answer.bytes);
      answer = await this.store.readHead();
    }
    if (answer === undefined) throw new Reset();
    const hasBody = !this.#isHead && !/ (204|304) /.test(`${answer.first} `);
    const length = hasBody ? bodyLength(answer, "end") : 0;
    if (this.fault?.kind === "loseAnswer") throw new Reset();
    if (this.fault?.kind === "hang") return await this.#hang();
    if (this.fault?.kind === "halfAnswer" && length === 0) {
      await this.client.write(answer.bytes.subarray(0, answer.bytes.length / 2));
      throw new Reset();
    }
    await this.client.write(this.fault?.kind === "wrongEtag" ? withOtherEtag(answer.bytes) : answer.bytes);
    const resetAt = this.fault?.kind !== "halfAnswer" ? Infinity : typeof length === "number" ? length / 2 : 1;
    let passed = 0;
    for await (const piece of this.store.readBody(length)) {
      if (passed + piece.length > resetAt) {
        await this.client.write(piece.subarray(0, Math.max(0, resetAt - passed)));
        throw new Reset();
      }
      await this.#pass(piece, this.client);
      passed += piece.length;
    }
    return length !== "end" && answer.headers.get("connection") !== "close";
  }

  async #pass(piece: Uint8Array, to: HttpPeer): Promise<void> {
    await to.write(piece);
    if (this.fault?.kind === "throttle") await pause(piece.length / this.fault.bytesPerSecond * 1000, this.signal);
  }
}

function describe({ first, headers }: MessageHead): PassingRequest {
  const [method = "", target = ""] = first.split(" ");
  const parsed = parseRequest({ method, url: `http://${headers.get("host")}${target}`, headers, body: null });
  return { operation: operationOf(parsed), key: parsed.key, bytes: Number(headers.get("content-length") ?? 0) };
}

function withOtherEtag(head: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1").decode(head);
  return new TextEncoder().encode(
    text.replace(/^(etag: ?"?)(.)/im, (_, name: string, digit: string) => name + (digit === "0" ? "1" : "0")),
  );
}

function closeOnce(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", stop);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
}
