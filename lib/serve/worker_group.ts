/**
 * Workers beside the main event loop: each runs a server on the same ports, and the system spreads the clients over them.
 *
 * @module
 */

import { AuthorizerBusyError } from "../accounts/authorizer_busy_error.ts";
import type { WorkPlaces } from "../accounts/work_places.ts";
import { Watchdog } from "../deadline.ts";
import type { EventListener } from "../events.ts";
import type { SessionInfo } from "../session/session.ts";
import type { FileClaims } from "../filesystem/file_claims.ts";
import { FileSystemError } from "../filesystem/filesystem_error.ts";
import type { ConnectionSlot, FailureCount, LoginAttempt, SharedState } from "../state/state.ts";
import type { FromWorker, Question, ServerChange, ServerPlan, ToWorker } from "./worker_messages.ts";

/** How long an event loop may take to make ready for a change. */
const CHANGE_TIMEOUT_MS = 30_000;

/** What a group of workers is given. */
export interface WorkerGroupOptions {
  /** How many. */
  readonly count: number;
  /** The module that each runs. */
  readonly program: URL;
  /** What each serves: on the very ports that the main event loop listens on, with a certificate that is there. */
  readonly plan: ServerPlan;
  readonly dialogue: boolean;
  /** How long an event loop may take for a step of a change, in milliseconds. @default {30_000} */
  readonly changeTimeoutMs?: number | undefined;
  /** What all event loops count. */
  readonly state: SharedState;
  /** Who writes what, in all event loops. */
  readonly fileClaims: FileClaims;
  /** Where the passwords of all event loops wait to be checked. */
  readonly workPlaces: WorkPlaces;
  readonly onEvent: EventListener;
}

/** Workers that serve. They are owned from {@linkcode WorkerGroup.start} to the end of {@linkcode WorkerGroup.shutdown}. */
export class WorkerGroup {
  readonly #members: readonly Member[];
  #changes = 0;

  private constructor(members: readonly Member[]) {
    this.#members = members;
  }

  /**
   * Starts all.
   *
   * @throws {Error} When one cannot start; none runs then.
   */
  static async start(options: WorkerGroupOptions): Promise<WorkerGroup> {
    const members = Array.from({ length: options.count }, (_, index) => new Member(options, index + 1));
    const group = new WorkerGroup(members);
    try {
      await Promise.all(members.map((member) => member.started));
      return group;
    } catch (error) {
      for (const member of members) member.terminate();
      throw error;
    }
  }

  /** Rejects when a worker has failed, which none should; never resolves. */
  get failed(): Promise<never> {
    return Promise.race(this.#members.map((member) => member.failed));
  }

  /** Who is connected to them. */
  async sessions(): Promise<readonly SessionInfo[]> {
    return (await Promise.all(this.#members.map((member) => member.sessions()))).flat();
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

  /** Stops all, as `FtpServer.shutdown()`; may be called again with a shorter time. */
  async shutdown(options: { readonly graceMs?: number } = {}): Promise<void> {
    const { graceMs = 0 } = options;
    for (const member of this.#members) member.send({ kind: "shutdown", graceMs });
    await Promise.all(this.#members.map((member) => member.finished));
  }
}

/** What a worker holds of the state: a connection, an attempt to log in, or something else. */
interface Held extends Disposable {
  readonly loggedIn?: ConnectionSlot["loggedIn"];
  readonly giveBack?: LoginAttempt["giveBack"];
  readonly fail?: LoginAttempt["fail"];
}

const NO_FAILURE: FailureCount = { isBanned: false, bannedForSeconds: undefined };

/** One worker, and what it holds of the state. */
class Member {
  readonly #options: WorkerGroupOptions;
  readonly #worker: Worker;
  readonly #held = new Map<number, Held>();
  readonly #started = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #index: number;
  /** What the worker waits for, by the hold that it will be, and may give up. */
  readonly #pending = new Map<number, AbortController>();
  readonly #ended = new AbortController();
  #hasEnded = false;
  #sessions: PromiseWithResolvers<readonly SessionInfo[]> | undefined;
  #changing: { readonly id: number; readonly answer: PromiseWithResolvers<string | undefined> } | undefined;

  constructor(options: WorkerGroupOptions, index: number) {
    this.#options = options;
    this.#index = index;
    this.#worker = new Worker(options.program, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
    this.#failed.promise.catch(() => {}); // told where it is awaited, if anywhere
    this.#started.promise.catch(() => {});
  }

  /** Resolves when it serves. */
  get started(): Promise<void> {
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

  /** Asks who is connected; nobody once it has ended. */
  async sessions(): Promise<readonly SessionInfo[]> {
    this.#sessions ??= Promise.withResolvers();
    this.send({ kind: "tellSessions" });
    return await Promise.race([this.#sessions.promise, this.finished.then(() => [])]);
  }

  terminate(): void {
    this.#worker.terminate();
    this.#hasEnded = true;
    this.#ended.abort();
    for (const pending of this.#pending.values()) pending.abort();
    for (const held of this.#held.values()) held[Symbol.dispose]();
    this.#held.clear();
    this.#finished.resolve();
  }

  /** Keeps it until the worker lets go of it. */
  #hold(hold: number, held: Held): void {
    this.#held.set(hold, held);
    if (this.#hasEnded) this.#giveBack(hold);
  }

  /** Waits for what the worker is to hold, unless the worker gives up. */
  async #holdUnlessGivenUp<Wanted extends Held>(
    hold: number,
    wait: (signal: AbortSignal) => Promise<Wanted | undefined>,
  ): Promise<Wanted | undefined> {
    const pending = new AbortController();
    this.#pending.set(hold, pending);
    try {
      const held = await wait(pending.signal);
      if (held !== undefined) this.#hold(hold, held);
      if (pending.signal.aborted) this.#giveBack(hold);
      return held;
    } catch (error) {
      if (!pending.signal.aborted) throw error;
      return undefined; // nobody waits for the answer
    } finally {
      this.#pending.delete(hold);
    }
  }

  #giveBack(hold: number): void {
    this.#pending.get(hold)?.abort();
    const held = this.#letGo(hold);
    if (held?.giveBack !== undefined) held.giveBack();
    else held?.[Symbol.dispose]();
  }

  #letGo(hold: number): Held | undefined {
    const held = this.#held.get(hold);
    this.#held.delete(hold);
    return held;
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case "ready": {
        const { plan, dialogue } = this.#options;
        return this.send({
          kind: "start",
          plan,
          dialogue,
          idPrefix: `${crypto.randomUUID().slice(0, 4)}${this.#index}`,
        });
      }
      case "started":
        return this.#started.resolve();
      case "failed":
        return this.#fail(message.reason);
      case "changed":
        if (this.#changing?.id === message.id) this.#changing.answer.resolve(message.problem);
        return;
      case "question":
        this.#answerSoon(message).catch((error) => this.#fail(String(error)));
        return;
      case "loggedIn":
        return this.#held.get(message.hold)?.loggedIn?.();
      case "giveBack":
        return this.#giveBack(message.hold);
      case "release":
        return this.#letGo(message.hold)?.[Symbol.dispose]();
      case "sessions":
        this.#sessions?.resolve(message.sessions);
        this.#sessions = undefined;
        return;
      case "event":
        return this.#options.onEvent(message.event);
      case "finished":
        return this.terminate();
    }
  }

  async #answerSoon({ id, question }: Extract<FromWorker, { readonly kind: "question" }>): Promise<void> {
    this.send({ kind: "answer", id, value: await this.#answer(question) });
  }

  async #answer(question: Question): Promise<unknown> {
    const { state } = this.#options;
    switch (question.ask) {
      case "acquireConnection": {
        const place = await state.acquireConnection(question.host, this.#ended.signal);
        if (typeof place === "string") return place;
        this.#hold(question.hold, place);
        return undefined;
      }
      case "beginAttempt": {
        const begin = async (signal: AbortSignal) => await state.beginAttempt(question.host, signal);
        return await this.#holdUnlessGivenUp(question.hold, begin) !== undefined;
      }
      case "failAttempt":
        return await this.#letGo(question.hold)?.fail?.() ?? NO_FAILURE;
      case "acquireAccount": {
        const place = await state.acquireAccount(question.username, question.limits, this.#ended.signal);
        if (place === undefined) return undefined;
        this.#hold(question.hold, place);
        return { send: place.send, receive: place.receive };
      }
      case "claimFile":
        return await this.#claim(question);
      case "takeWorkPlace":
        return await this.#takeWorkPlace(question);
    }
  }

  async #claim({ file, hold }: Extract<Question, { readonly ask: "claimFile" }>): Promise<boolean> {
    try {
      this.#hold(hold, await this.#options.fileClaims.claim(file));
      return true;
    } catch (error) {
      if (error instanceof FileSystemError && error.kind === "busy") return false;
      throw error;
    }
  }

  async #takeWorkPlace(
    { owner, hold }: Extract<Question, { readonly ask: "takeWorkPlace" }>,
  ): Promise<string | undefined> {
    try {
      const take = (signal: AbortSignal) =>
        this.#options.workPlaces.take({ signal, ...owner === undefined ? {} : { owner } });
      await this.#holdUnlessGivenUp(hold, take);
      return undefined;
    } catch (error) {
      if (error instanceof AuthorizerBusyError) return error.message;
      throw error;
    }
  }

  #fail(reason: string): void {
    const error = new Error(`A worker has failed: ${reason}`);
    this.#started.reject(error);
    this.#failed.reject(error);
    this.terminate();
  }
}
