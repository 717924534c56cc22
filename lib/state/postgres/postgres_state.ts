/**
 * The state of several nodes, in PostgreSQL.
 *
 * @module
 */

import type { AccountLimits } from "../../accounts/authorizer.ts";
import { addressBlock } from "../../protocol/host_port.ts";
import type { Settings } from "../../settings/settings.ts";
import { ADDRESS_FULL, type ConnectionLimits, PRELOGIN_FULL, SERVER_FULL } from "../address_counts.ts";
import { createAttempt } from "../login_throttle.ts";
import { BANNED } from "../memory_state.ts";
import type { AccountSlot, ConnectionSlot, FailureCount, LoginAttempt, SharedState } from "../state.ts";
import { AttemptQueue } from "./attempt_queue.ts";
import type { BanList } from "./ban_list.ts";
import type { ClusterNode, Hold } from "./cluster_node.ts";
import { PendingFailures } from "./pending_failures.ts";
import { SharedRates } from "./shared_rates.ts";
import { storedKey } from "./stored_key.ts";

/** What the state obeys. */
export interface PostgresStateOptions {
  readonly limits: ConnectionLimits;
  readonly ban: Settings["ban"];
}

type Ban = Omit<Settings["ban"], "never"> & { readonly never: ReadonlySet<string> };

/**
 * Counts over all nodes: connections by address (of IPv6 by /64), sessions by account, failed logins and bans. Connections in all,
 * and before their login, are counted by each node for itself.
 *
 * A login asks three times, one statement each: for its connection, its attempt, and its session. What ends is told in batches,
 * and nobody waits for it.
 */
export class PostgresState implements SharedState {
  readonly #node: ClusterNode;
  readonly #bans: BanList;
  readonly #failures: PendingFailures;
  readonly #queue = new AttemptQueue();
  readonly #rates = new SharedRates();
  #limits: ConnectionLimits;
  #ban: Ban;
  #connections = 0;
  #beforeLogin = 0;

  /** @param node Stays the caller's, and tells `bans` what it hears; {@linkcode PostgresState.beat} is called with each of its beats. */
  constructor(node: ClusterNode, bans: BanList, { limits, ban }: PostgresStateOptions) {
    this.#node = node;
    this.#bans = bans;
    this.#failures = new PendingFailures(node);
    this.#limits = limits;
    this.#ban = resolveBan(ban);
  }

  /** Uses other options from now on; what was counted stays. */
  configure({ limits, ban }: PostgresStateOptions): void {
    this.#limits = limits;
    this.#ban = resolveBan(ban);
  }

  /** How long failed logins count, in seconds. */
  get failureWindow(): number {
    return this.#ban.window;
  }

  async acquireConnection(host: string, _signal: AbortSignal): Promise<ConnectionSlot | string> {
    const block = addressBlock(host);
    if (this.#bans.has(block) && !this.#ban.never.has(block)) return BANNED;
    const { connections, connectionsBeforeLogin, connectionsPerAddress } = this.#limits;
    if (connections > 0 && this.#connections >= connections) return SERVER_FULL;
    if (connectionsBeforeLogin > 0 && this.#beforeLogin >= connectionsBeforeLogin) {
      return PRELOGIN_FULL;
    }
    using counted = new DisposableStack();
    this.#connections++;
    counted.defer(() => this.#connections--);
    const loggedIn = counted.use(this.#countBeforeLogin());
    const hold = await this.#node.take("address", block, connectionsPerAddress);
    if (hold === undefined) return ADDRESS_FULL;
    counted.use(hold);
    const slot = counted.move();
    return { loggedIn: () => loggedIn[Symbol.dispose](), ...leaseOf(hold), [Symbol.dispose]: () => slot.dispose() };
  }

  async beginAttempt(host: string, signal: AbortSignal): Promise<LoginAttempt | undefined> {
    const block = addressBlock(host);
    const { failures, never } = this.#ban;
    if (failures === 0 || never.has(block)) return freeAttempt();
    if (this.#bans.has(block)) return undefined;
    const begin = () => this.#begin(block);
    const first = this.#queue.has(block) ? undefined : await begin();
    const answer = first ?? await this.#queue.ask(block, begin, signal);
    return answer === "banned" ? undefined : this.#attempt(block, answer);
  }

  async acquireAccount(
    username: string,
    limits: AccountLimits,
    _signal: AbortSignal,
  ): Promise<AccountSlot | undefined> {
    const account = storedKey(username);
    const hold = await this.#node.take("account", account, limits.connections ?? 0);
    if (hold === undefined) return undefined;
    const stack = new DisposableStack();
    stack.use(hold);
    const send = this.#rates.take(account, "send", limits.bandwidth?.download ?? 0, stack);
    const receive = this.#rates.take(account, "receive", limits.bandwidth?.upload ?? 0, stack);
    if (send !== undefined || receive !== undefined) await this.#divide([account]).catch(() => {}); // the next beat does it
    return { send, receive, ...leaseOf(hold), [Symbol.dispose]: () => stack.dispose() };
  }

  /** Does what is to be done with each beat of the node. */
  async beat(): Promise<void> {
    await this.#failures.send();
    await this.#divide(this.#rates.accounts);
  }

  /** `undefined`: not yet. */
  async #begin(block: string): Promise<Hold | "banned" | undefined> {
    const { failures, window } = this.#ban;
    const answer = await this.#node.hold("attempt", block, async (term, id) => {
      const [row] = await this.#node.query("SELECT ftpsd.attempt_begin($1, $2, $3, $4, $5) AS answer", [
        ...[term.id, id, block, failures, window],
      ]);
      return row?.answer ?? "";
    }, "begun");
    if (typeof answer !== "string") return answer;
    return answer === "banned" ? "banned" : undefined;
  }

  #attempt(block: string, hold: Hold): LoginAttempt {
    const attempt = createAttempt<Promise<FailureCount>>({
      giveBack: () => {
        hold[Symbol.dispose]();
        this.#queue.wake(block);
      },
      fail: async () => {
        try {
          return await this.#fail(block, hold);
        } finally {
          this.#queue.wake(block);
        }
      },
    });
    return {
      giveBack: attempt.giveBack,
      fail: () => attempt.fail() ?? { isBanned: this.#bans.has(block), bannedForSeconds: undefined },
      // What the database does not hear now it hears later.
      [Symbol.dispose]: () => void attempt.fail()?.catch(() => {}),
    };
  }

  async #fail(block: string, hold: Hold): Promise<FailureCount> {
    const { banned, seconds } = await this.#failures.count(hold, { block, ...this.#ban });
    if (seconds !== undefined) this.#bans.add(block, seconds);
    return { isBanned: banned, bannedForSeconds: seconds };
  }

  async #divide(accounts: readonly string[]): Promise<void> {
    if (accounts.length === 0) return;
    const rows = await this.#node.query("SELECT key, nodes FROM ftpsd.hold_nodes('account', $1)", [accounts]);
    for (const { key, nodes } of rows) this.#rates.divide(key ?? "", Number(nodes));
  }

  #countBeforeLogin(): Disposable {
    const counted = new DisposableStack();
    this.#beforeLogin++;
    counted.defer(() => this.#beforeLogin--);
    return counted;
  }
}

/** A lease ends with the term in which it was taken. */
export function leaseOf({ term }: Pick<Hold, "term">): { readonly lost: AbortSignal; readonly isHeld: () => boolean } {
  return { lost: term.lost, isHeld: () => term.isHeld() };
}

/** One that counts for nothing. */
function freeAttempt(): LoginAttempt {
  return {
    giveBack: () => {},
    fail: () => ({ isBanned: false, bannedForSeconds: undefined }),
    [Symbol.dispose]: () => {},
  };
}

function resolveBan({ never, ...options }: Settings["ban"]): Ban {
  return { ...options, never: new Set(never.map(addressBlock)) };
}
