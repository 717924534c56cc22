/**
 * A node in a process of its own that does what the driver says: a line of JSON in, a line of JSON back.
 *
 * usage: limits_node.ts ADDRESS AUTHORITIES LEASE_MS; both as JSON
 *
 * @module
 */

import { PostgresEngine } from "../../../lib/state/postgres/postgres_engine.ts";
import type { Quota } from "../../../lib/state/quotas.ts";
import { resolveSettings } from "../../../lib/settings/validate.ts";

/** What a node is told to do. */
export type NodeOrder =
  /** Logs in so often at once, to accounts and from addresses in turn, and out again after some time. */
  | { readonly order: "logins"; readonly count: number; readonly first: number; readonly maxHoldMs: number }
  /** Takes places of an account until there are no more, and keeps them. */
  | { readonly order: "fill"; readonly account: string }
  /** Waits until there is a place of an account. */
  | { readonly order: "await"; readonly account: string }
  /** Stores bytes under a quota, and has reserved others. */
  | { readonly order: "store"; readonly bytes: number; readonly reserved: number }
  /** Fails so many logins from an address. */
  | { readonly order: "fail"; readonly host: string; readonly count: number }
  /** Waits until an address is banned, or no more. */
  | { readonly order: "awaitBan"; readonly host: string; readonly isBanned: boolean }
  | { readonly order: "unban"; readonly host: string };

/** A place that was held, by the clock of the host in milliseconds. */
export interface HeldPlace {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** What has come of an order. */
export interface NodeAnswer {
  readonly at: number;
  readonly count: number;
  readonly held: readonly HeldPlace[];
  readonly refused: number;
  readonly failed: number;
  readonly loginMs: readonly number[];
}

/** Sessions that an account may have, and connections that an address may have. */
export const SESSIONS = 4;
export const CONNECTIONS = 10;
/** What the order to store counts under: little, so that nothing is reserved ahead. */
export const QUOTA: Quota = { name: "user alice", limits: { bytes: 1_000_000, files: 0 } };
/** Failed logins that bring a ban. */
export const FAILURES = 10;
const ACCOUNTS = 10;
const ADDRESSES = 10;
const { signal: SIGNAL } = new AbortController();

function now(): number {
  return performance.timeOrigin + performance.now();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

class LimitsNode {
  readonly #engine: PostgresEngine;

  constructor(engine: PostgresEngine) {
    this.#engine = engine;
  }

  async obey(order: NodeOrder): Promise<Partial<NodeAnswer>> {
    const { state } = this.#engine;
    switch (order.order) {
      case "logins":
        return await this.#logIn(order);
      case "fill": {
        let count = 0;
        while (await state.acquireAccount(order.account, { connections: SESSIONS }, SIGNAL) !== undefined) count++;
        return { count };
      }
      case "await":
        while (await state.acquireAccount(order.account, { connections: SESSIONS }, SIGNAL) === undefined) {
          await pause(20);
        }
        return {};
      case "store":
        await this.#store(order.bytes, order.reserved);
        return {};
      case "fail": {
        let count = 0;
        for (; count < order.count; count++) {
          const attempt = await state.beginAttempt(order.host, SIGNAL);
          if (attempt === undefined) break;
          await attempt.fail();
        }
        return { count };
      }
      case "awaitBan":
        for (;;) {
          const slot = await state.acquireConnection(order.host, SIGNAL);
          if (typeof slot !== "string") slot[Symbol.dispose]();
          if ((typeof slot === "string") === order.isBanned) return {};
          await pause(5);
        }
      case "unban":
        await this.#engine.bans.lift(order.host);
        return {};
    }
  }

  async #store(bytes: number, reserved: number): Promise<void> {
    const { quotas } = this.#engine;
    using counting = await quotas.beginCount(QUOTA.name);
    await counting?.end({ bytes: 0, files: 0 });
    for (const amount of [bytes, reserved]) {
      const change = await quotas.reserve([QUOTA], { bytes: amount, files: 1 });
      if (!("commit" in change)) throw new Error(`There is no room: ${change.refusal}`);
      if (amount === bytes) await change.commit({ bytes, files: 1 });
    }
  }

  async #logIn({ count, first, maxHoldMs }: NodeOrder & { order: "logins" }): Promise<Partial<NodeAnswer>> {
    const held: HeldPlace[] = [];
    const loginMs: number[] = [];
    let [refused, failed] = [0, 0];
    const logIn = async (index: number) => {
      using slots = new DisposableStack();
      const begun = now();
      const [host, account] = [`192.0.2.${index % ADDRESSES}`, `user${(index * 7 + 3) % ACCOUNTS}`];
      const connection = await this.#engine.state.acquireConnection(host, SIGNAL);
      if (typeof connection === "string") return void refused++;
      slots.use(connection);
      const connectedAt = now();
      const session = await this.#engine.state.acquireAccount(account, { connections: SESSIONS }, SIGNAL);
      const loggedInAt = now();
      if (session !== undefined) {
        slots.use(session);
        loginMs.push(loggedInAt - begun);
        await pause(Math.random() * maxHoldMs);
        held.push({ key: account, from: loggedInAt, to: now() });
      } else refused++;
      held.push({ key: host, from: connectedAt, to: now() });
    };
    await Promise.all(Array.from({ length: count }, (_, index) => logIn(first + index).catch(() => void failed++)));
    return { held, refused, failed, loginMs };
  }
}

if (import.meta.main) {
  const [address = "", authorities = "", leaseMs = ""] = Deno.args;
  const limits = { connections: 0, connectionsPerAddress: CONNECTIONS, connectionsBeforeLogin: 0 };
  const { ban } = resolveSettings({ ban: { failures: FAILURES } });
  await using engine = await PostgresEngine.open(JSON.parse(address), {
    ...{ name: "limits", limits, ban, authorities: JSON.parse(authorities), leaseMs: Number(leaseMs) },
    timeoutMs: 20_000, // so that all of a burst are answered, and none is refused for being late
  });
  const node = new LimitsNode(engine);
  const say = (answer: object) => Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
  say({ at: now() });
  let rest = "";
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) say({ ...await node.obey(JSON.parse(line)), at: now() });
  }
}
