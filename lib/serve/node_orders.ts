/**
 * What a node does when others, a database, or another configuration tell it something: ends sessions that were kicked, and those of accounts that are
 * no more.
 *
 * @module
 */

import { delay } from "../deadline.ts";
import type { SessionInfo } from "../session/session.ts";
import type { Configuration } from "../settings/table.ts";
import { parseSelector, type SessionSelector } from "../state/session_selector.ts";
import type { NodeEvent } from "../state/postgres/event_feed.ts";

/** What it acts on. */
export interface OrderedServer {
  /** Who is connected. */
  sessions(): Promise<readonly SessionInfo[]>;
  /** Ends sessions; returns how many. */
  disconnect(selector: SessionSelector): Promise<number>;
  /**
   * Returns whether an account may still log in.
   *
   * @throws When nobody can be asked now.
   */
  hasAccount(name: string, signal: AbortSignal): Promise<boolean>;
}

/** The accounts of a configuration. */
export type AccountsInFile = Pick<Configuration, "users" | "anonymous">;

function namesIn({ users }: AccountsInFile): string[] {
  return users.flatMap(({ name, enabled }) => enabled ? [name] : []);
}

/** How it is done. */
export interface NodeOrdersOptions {
  /** Told what was done, and what could not be. Must not throw. */
  readonly log: (level: "info" | "warn", text: string) => void;
}

/** A login that was under way when its account went is over by then, or asks for the account again. */
const SECOND_LOOK_MS = 1_000;
/** When is looked again where an account could not be asked for. */
const RETRY_MS = 1_000;

/** Takes orders from its making until it is disposed of; what comes before there is a server is kept. */
export class NodeOrders implements AsyncDisposable {
  readonly #options: NodeOrdersOptions;
  readonly #server = Promise.withResolvers<OrderedServer>();
  readonly #stopping = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  /** Accounts that were changed, and whether all have to be looked at. */
  #changed = new Set<string>();
  #mayHaveMissed = false;
  /** Accounts to look at once more, and when. */
  readonly #again = new Map<string, number>();
  #isLooking = false;
  #waking = new AbortController();

  constructor(options: NodeOrdersOptions) {
    this.#options = options;
    this.#server.promise.catch(() => {}); // without one there is nothing to do
  }

  /** Begins to act. */
  attach(server: OrderedServer): void {
    this.#server.resolve(server);
  }

  /** Takes what nodes tell each other. */
  take({ kind, subject }: Pick<NodeEvent, "kind" | "subject">): void {
    if (kind === "account") this.accountChanged(subject);
    if (kind !== "kick") return;
    const selector = parseSelector(subject);
    if (selector !== undefined) this.#start(() => this.#kick(selector, subject));
  }

  /** An account was changed; where it is no more, its sessions end. */
  accountChanged(name: string): void {
    this.#changed.add(name);
    this.#look();
  }

  /** A configuration took the place of another: sessions of accounts that it does not have, or has disabled, end. */
  configurationChanged(before: AccountsInFile, now: AccountsInFile): void {
    const kept = new Set(namesIn(now));
    for (const name of namesIn(before)) if (!kept.has(name)) this.accountChanged(name);
    // Its sessions may have any of its names.
    if (before.anonymous !== undefined && now.anonymous === undefined) this.accountsMissed();
  }

  /** Changes may have been missed: looks at the accounts of all sessions. */
  accountsMissed(): void {
    this.#mayHaveMissed = true;
    this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#server.reject(new Error("It was closed"));
    await Promise.all(this.#tasks);
  }

  #start(work: () => Promise<void>): void {
    const task = Promise.try(work).catch((error) => {
      if (!this.#stopping.signal.aborted) this.#options.log("warn", `cannot end sessions: ${error}`);
    }).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #kick(selector: SessionSelector, text: string): Promise<void> {
    const count = await (await this.#server.promise).disconnect(selector);
    if (count > 0) this.#options.log("info", `ended ${count} sessions: kicked ${JSON.stringify(text)}`);
  }

  /** Looks at once, in one go at all that has changed until then. */
  #look(): void {
    this.#waking.abort();
    if (this.#isLooking || this.#stopping.signal.aborted) return;
    this.#isLooking = true;
    this.#start(() => this.#lookOn());
  }

  /** Looks until there is nothing to look at; says so in the turn of its last look, so that no change falls between two. */
  async #lookOn(): Promise<void> {
    try {
      const server = await this.#server.promise;
      const { signal } = this.#stopping;
      while (!signal.aborted) {
        const now = performance.now();
        const changed = this.#changed;
        const isAll = this.#mayHaveMissed;
        this.#changed = new Set();
        this.#mayHaveMissed = false;
        const due = [...this.#again].flatMap(([name, at]) => at <= now ? [name] : []);
        for (const name of due) this.#again.delete(name);
        for (const name of changed) this.#again.set(name, now + SECOND_LOOK_MS);
        const names = new Set([...changed, ...due]);
        if (names.size > 0 || isAll) await this.#endUnknown(server, (name) => isAll || names.has(name));
        else if (this.#again.size === 0) return;
        else await this.#wait(Math.min(...this.#again.values()) - now);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  async #wait(ms: number): Promise<void> {
    this.#waking = new AbortController();
    const signal = AbortSignal.any([this.#waking.signal, this.#stopping.signal]);
    await delay(Math.max(1, ms), signal).catch(() => {}); // sooner
  }

  async #endUnknown(server: OrderedServer, isMeant: (name: string) => boolean): Promise<void> {
    const sessions = await server.sessions();
    const names = sessions.flatMap(({ isLoggedIn, username }) =>
      isLoggedIn && username !== undefined && isMeant(username) ? [username] : []
    );
    for (const name of new Set(names)) {
      try {
        if (await server.hasAccount(name, this.#stopping.signal)) continue;
      } catch {
        this.#stopping.signal.throwIfAborted();
        this.#again.set(name, performance.now() + RETRY_MS);
        continue; // who cannot be asked for is reported by the source
      }
      const count = await server.disconnect({ account: name });
      if (count > 0) {
        this.#options.log("info", `ended ${count} sessions: the account ${JSON.stringify(name)} is no more`);
      }
    }
  }
}
