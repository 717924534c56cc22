/**
 * Workers beside the main event loop: each runs a server on the same ports, and the system spreads the clients over them.
 *
 * @module
 */

import type { InstrumentMemory } from "../admin/instruments.ts";
import { Watchdog } from "../deadline.ts";
import type { EventListener, ServerEventName } from "../events.ts";
import type { ShutdownOptions } from "../server/ftp_server.ts";
import { newSessionPrefix } from "../session/session_id.ts";
import type { SessionInfo } from "../session/session.ts";
import type { SessionSelector } from "../state/session_selector.ts";
import { describeThrown } from "../thrown.ts";
import type { PortConnection, PortOwner } from "./shared_ports.ts";
import type { FromWorker, ServerChange, ServerPlan, SharedMemory, ToWorker } from "./worker_messages.ts";

/** How long an event loop may take to make ready for a change. */
const CHANGE_TIMEOUT_MS = 30_000;

/** How long an event loop may take to stop when another one cannot start. */
const STOP_TIMEOUT_MS = 5_000;

/** What a group of workers is given. */
export interface WorkerGroupOptions {
  /** How many. */
  readonly count: number;
  /** The module that each runs. */
  readonly program: URL;
  readonly dialogue: boolean;
  /** How long an event loop may take for a step of a change, in milliseconds. @default {30_000} */
  readonly changeTimeoutMs?: number | undefined;
  /** What all event loops count in. */
  readonly memory: SharedMemory;
  /** Where each counts what it measures, in order; absent: nobody wants to know. */
  readonly instruments?: readonly InstrumentMemory[] | undefined;
  /** Whether spans are followed. @default {false} */
  readonly traced?: boolean;
  /** What else they share. */
  readonly ports: PortOwner;
  /** Which events `onEvent` is told of; absent: all. */
  readonly events?: readonly ServerEventName[] | undefined;
  readonly onEvent: EventListener;
}

/** A worker has failed. */
export class WorkerError extends Error {
  /** Whether it has found no file descriptor. */
  readonly lacksDescriptors: boolean;
  /** Whether one had to be terminated that may have had clients: what it has counted stays counted. */
  readonly leavesCounts: boolean;

  constructor(message: string, { lacksDescriptors = false, leavesCounts = false } = {}) {
    super(message);
    this.lacksDescriptors = lacksDescriptors;
    this.leavesCounts = leavesCounts;
  }
}

/** Workers beside the main event loop. They are owned from {@linkcode WorkerGroup.load} to the end of one that ends them. */
export class WorkerGroup {
  readonly #members: readonly Member[];
  #changes = 0;

  private constructor(members: readonly Member[]) {
    this.#members = members;
  }

  /**
   * Loads the program of all, which opens many files.
   *
   * @throws {Error} When one cannot be loaded; none runs then.
   */
  static async load(options: WorkerGroupOptions): Promise<WorkerGroup> {
    const members = Array.from({ length: options.count }, (_, index) => new Member(options, index + 1));
    const group = new WorkerGroup(members);
    try {
      await Promise.all(members.map((member) => member.loaded));
      return group;
    } catch (error) {
      group.terminate();
      throw error;
    }
  }

  /**
   * Lets all serve.
   *
   * @param plan On the very ports that the main event loop listens on, with a certificate that is there.
   * @throws {Error} When one cannot start; none runs then, and none has anything that is counted.
   */
  async start(plan: ServerPlan): Promise<void> {
    const starts = await Promise.allSettled(this.#members.map((member) => member.start(plan)));
    const failed = starts.find(({ status }) => status === "rejected");
    if (failed?.status !== "rejected") return;
    // Those that serve may have clients already, who count until they have gone.
    const stops = await Promise.all(this.#members.map((member) => member.stop(STOP_TIMEOUT_MS)));
    if (stops.includes("terminated")) {
      throw new WorkerError("A worker does not stop", { leavesCounts: true });
    }
    throw failed.reason;
  }

  /** Rejects when a worker has failed, which none should; never resolves. */
  get failed(): Promise<never> {
    return Promise.race(this.#members.map((member) => member.failed));
  }

  /** Who is connected to them. */
  async sessions(): Promise<readonly SessionInfo[]> {
    return (await Promise.all(this.#members.map((member) => member.sessions()))).flat();
  }

  /** Ends sessions of theirs; returns how many. */
  async disconnect(selector: SessionSelector, text: string): Promise<number> {
    const counts = await Promise.all(this.#members.map((member) => member.disconnect(selector, text)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /**
   * Lets all make ready for a change. Nothing of it holds until the function that comes back is called, which cannot fail,
   * and resolves when it holds in all. One change is to follow the other.
   *
   * @throws {Error} When one of them cannot make it, or does not answer in time; nothing has changed then.
   */
  async prepare(change: ServerChange): Promise<() => Promise<void>> {
    const id = ++this.#changes;
    const problems = await Promise.all(this.#members.map((member) => member.change({ kind: "prepare", id, change })));
    const problem = problems.find((problem) => problem !== undefined);
    if (problem !== undefined) throw new Error(`Not every event loop can change: ${problem}`);
    return async () => {
      await Promise.all(this.#members.map((member) => member.change({ kind: "commit", id })));
    };
  }

  /** Ends all at once. */
  terminate(): void {
    for (const member of this.#members) member.terminate();
  }

  /** Stops all, as `FtpServer.shutdown()`; may be called again with a shorter time. */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    for (const member of this.#members) member.send({ kind: "shutdown", options });
    await Promise.all(this.#members.map((member) => member.finished));
  }
}

/** One worker, and what it holds of what is shared. */
class Member {
  readonly #options: WorkerGroupOptions;
  readonly #worker: Worker;
  readonly #ports: PortConnection;
  readonly #loaded = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #index: number;
  #sessions: PromiseWithResolvers<readonly SessionInfo[]> | undefined;
  /** Those who wait for the number of sessions that were ended. */
  readonly #disconnecting = new Map<number, (count: number) => void>();
  #disconnects = 0;
  #changing: { readonly id: number; readonly answer: PromiseWithResolvers<string | undefined> } | undefined;

  constructor(options: WorkerGroupOptions, index: number) {
    this.#options = options;
    this.#index = index;
    this.#worker = new Worker(options.program, { type: "module" });
    this.#ports = options.ports.connect(
      (answer) => this.send({ kind: "port", answer }),
      (call, cause) => {
        const message = `A call of another event loop has failed (${call}): ${describeThrown(cause)}`;
        options.onEvent({ event: "internalError", time: new Date(), message, cause });
      },
    );
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
    this.#failed.promise.catch(() => {}); // reported where it is awaited, if anywhere
    this.#loaded.promise.catch(() => {});
    this.#started.promise.catch(() => {});
  }

  /** Resolves when its program is loaded. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  /** Lets it serve; resolves when it does. */
  start(plan: ServerPlan): Promise<void> {
    const idPrefix = `${newSessionPrefix()}${this.#index}`;
    const { count, dialogue, memory, events, instruments, traced = false } = this.#options;
    this.send({
      kind: "start",
      plan,
      dialogue,
      idPrefix,
      eventLoops: count + 1,
      memory,
      instruments: instruments?.[this.#index - 1],
      traced,
      events,
    });
    return this.#started.promise;
  }

  /** Rejects when it has failed. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Resolves when it has stopped, or failed. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Takes a step of a change; returns what is against it. A worker that has ended agrees to everything. */
  async change(step: Extract<ToWorker, { readonly kind: "prepare" | "commit" }>): Promise<string | undefined> {
    const { changeTimeoutMs = CHANGE_TIMEOUT_MS } = this.#options;
    const answer = Promise.withResolvers<string | undefined>();
    this.#changing = { id: step.id, answer };
    using _deadline = new Watchdog(changeTimeoutMs, () => answer.resolve("it does not answer in time"));
    this.send(step);
    return await Promise.race([answer.promise, this.finished.then(() => undefined)]);
  }

  /** Stops it, so that it gives back what it holds; one that does not in time is terminated. */
  async stop(timeoutMs: number): Promise<"stopped" | "terminated"> {
    let how: "stopped" | "terminated" = "stopped";
    using _deadline = new Watchdog(timeoutMs, () => {
      how = "terminated";
      this.terminate();
    });
    this.send({ kind: "shutdown", options: {} });
    await this.finished;
    return how;
  }

  /** Asks who is connected; nobody once it has ended. */
  async sessions(): Promise<readonly SessionInfo[]> {
    this.#sessions ??= Promise.withResolvers();
    this.send({ kind: "tellSessions" });
    return await Promise.race([this.#sessions.promise, this.finished.then(() => [])]);
  }

  /** Ends sessions of it; returns how many, none once it has ended. */
  async disconnect(selector: SessionSelector, text: string): Promise<number> {
    const answer = Promise.withResolvers<number>();
    const id = ++this.#disconnects;
    this.#disconnecting.set(id, answer.resolve);
    this.send({ kind: "disconnect", id, selector, text });
    return await Promise.race([answer.promise, this.finished.then(() => 0)]);
  }

  terminate(): void {
    this.#ports[Symbol.dispose]();
    this.#worker.terminate();
    this.#finished.resolve();
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case "ready":
        return this.#loaded.resolve();
      case "started":
        return this.#started.resolve();
      case "failed":
        return this.#fail(message.reason, message);
      case "changed":
        if (this.#changing?.id === message.id) this.#changing.answer.resolve(message.problem);
        return;
      case "port":
        return this.#ports.receive(message.request);
      case "sessions":
        this.#sessions?.resolve(message.sessions);
        this.#sessions = undefined;
        return;
      case "disconnected":
        this.#disconnecting.get(message.id)?.(message.count);
        this.#disconnecting.delete(message.id);
        return;
      case "events":
        for (const event of message.events) this.#options.onEvent(event);
        return;
      case "finished":
        return this.terminate();
    }
  }

  #fail(reason: string, { lacksDescriptors = false }: { readonly lacksDescriptors?: boolean } = {}): void {
    const error = new WorkerError(`A worker has failed: ${reason}`, { lacksDescriptors });
    this.#loaded.reject(error);
    this.#started.reject(error);
    this.#failed.reject(error);
    this.terminate();
  }
}
