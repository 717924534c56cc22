/**
 * An event loop that takes and gives back what is counted, as fast as it can, and looks for one too many.
 *
 * What it holds it counts anew, after it has got it and before it gives it back: so that count is never above what is held, and
 * above a limit only if too much was given out.
 *
 * @module
 */

import { RemotePorts } from "../../lib/serve/remote_ports.ts";
import type { PortAnswer, PortRequest } from "../../lib/serve/shared_ports.ts";
import { AttachedState } from "../../lib/state/attached_state.ts";
import { type AttemptOwner, SHARED_ATTEMPTS } from "../../lib/state/attempt_owner.ts";
import { SharedFileClaims } from "../../lib/state/shared_file_claims.ts";
import { SharedTable, type TableMemory } from "../../lib/state/shared_table.ts";
import type { SharedState } from "../../lib/state/state.ts";

/** What is hammered on. */
export type Hammered = "claims" | "connections" | "accounts" | "attempts" | "guesses" | "stop";

/** From the test. */
export type ToLoop =
  | {
    readonly kind: "start";
    readonly what: Hammered;
    readonly memory: TableMemory;
    /** What is held now, by key: see {@linkcode HELD}. */
    readonly held: Int32Array;
    readonly rounds: number;
    readonly seed: number;
  }
  | { readonly kind: "port"; readonly answer: PortAnswer };

/** To the test: the most that was held at once beyond the limit, what else was wrong, how often there was something to get. */
export type FromLoop =
  | { readonly kind: "port"; readonly request: PortRequest }
  | { readonly kind: "done"; readonly problems: readonly string[]; readonly got: number };

/** Keys, and places in `held`: of each key, the limit of all that changes, and whether a key is banned. */
export const KEYS = 4;
export const HELD = { all: KEYS, limit: KEYS + 1, banned: KEYS + 2, words: 2 * KEYS + 2 } as const;

/** Limits of the test. */
export const [PER_ADDRESS, PER_ACCOUNT, FAILURES] = [3, 2, 3];

interface Scene {
  readonly state: SharedState;
  readonly claims: SharedFileClaims;
  readonly held: Int32Array;
  readonly random: (below: number) => number;
  readonly problems: string[];
}

/** Takes and gives back once; returns whether there was something to get. */
type Round = (scene: Scene, key: number) => Promise<boolean> | boolean;

const { signal: SIGNAL } = new AbortController();

const ROUNDS: Readonly<Record<Exclude<Hammered, "stop">, Round>> = {
  claims: (scene, key) => {
    try {
      using _claim = scene.claims.claim(`file ${key}`);
      hold(scene, key, 1);
      release(scene, key);
      return true;
    } catch {
      return false;
    }
  },
  connections: async (scene, key) => {
    const limit = Atomics.load(scene.held, HELD.limit);
    const slot = await scene.state.acquireConnection(addressOf(key), SIGNAL);
    if (typeof slot === "string") return false;
    hold(scene, key, PER_ADDRESS);
    const all = Atomics.add(scene.held, HELD.all, 1) + 1;
    const most = Math.max(limit, Atomics.load(scene.held, HELD.limit));
    if (all > most) scene.problems.push(`${all} connections, ${most} may be`);
    if (scene.random(2) === 0) slot.loggedIn();
    if (scene.random(4) === 0) await undefined;
    Atomics.sub(scene.held, HELD.all, 1);
    release(scene, key);
    slot[Symbol.dispose]();
    return true;
  },
  accounts: async (scene, key) => {
    const bandwidth = { upload: scene.random(3), download: scene.random(3) };
    const slot = await scene.state.acquireAccount(`user ${key}`, { connections: PER_ACCOUNT, bandwidth }, SIGNAL);
    if (slot === undefined) return false;
    hold(scene, key, PER_ACCOUNT);
    if (slot.send) Atomics.add(slot.send.freeAtUs, 0, 1n);
    if (scene.random(4) === 0) await undefined;
    release(scene, key);
    slot[Symbol.dispose]();
    return true;
  },
  /** Passwords that are right: nobody waits for ever. */
  attempts: async (scene, key) => {
    const attempt = await scene.state.beginAttempt(addressOf(key), SIGNAL);
    if (attempt === undefined) throw new Error("It was banned without a failure");
    hold(scene, key, FAILURES);
    if (scene.random(2) === 0) await undefined;
    release(scene, key);
    attempt.giveBack();
    return true;
  },
  /** Some are wrong, which stay counted. */
  guesses: async (scene, key) => {
    const wasBanned = Atomics.load(scene.held, HELD.banned + key) === 1;
    const attempt = await scene.state.beginAttempt(addressOf(key), SIGNAL);
    if (attempt === undefined) return false;
    if (wasBanned) scene.problems.push("A password was looked at behind the ban");
    hold(scene, key, FAILURES);
    if (scene.random(50) > 0) {
      release(scene, key);
      attempt.giveBack();
    } else if (scene.random(2) === 0) {
      attempt[Symbol.dispose](); // its client has left
    } else if ((await attempt.fail()).isBanned) Atomics.store(scene.held, HELD.banned + key, 1);
    return true;
  },
};

function addressOf(key: number): string {
  return `192.0.2.${key}`;
}

function hold({ held, problems }: Scene, key: number, most: number): void {
  const count = Atomics.add(held, key, 1) + 1;
  if (count > most) problems.push(`${count} at once, ${most} may be`);
}

function release({ held }: Scene, key: number): void {
  Atomics.sub(held, key, 1);
}

/** A small generator of random numbers (xorshift32), so that a seed gives the same ones. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2654435761 | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Says so, and never comes back. */
function stopFor(held: Int32Array): void {
  Atomics.store(held, HELD.all, 1);
  Atomics.wait(held, HELD.all, 1);
}

const scope = globalThis as unknown as {
  postMessage(message: FromLoop): void;
  onmessage: ((event: MessageEvent<ToLoop>) => void) | null;
};
const ports = new RemotePorts((request) => scope.postMessage({ kind: "port", request }));

async function hammer({ what, memory, held, rounds, seed }: ToLoop & { readonly kind: "start" }): Promise<void> {
  const table = new SharedTable(memory);
  const scene: Scene = {
    state: new AttachedState(table, ports.port<AttemptOwner>("attempts", SHARED_ATTEMPTS)),
    claims: new SharedFileClaims(table),
    held,
    random: randomOf(seed),
    problems: [],
  };
  if (what === "stop") return table.locked(() => stopFor(held));
  let got = 0;
  // Several sessions at a time.
  const sessions = Array.from({ length: 4 }, async () => {
    for (let round = 0; round < rounds; round++) {
      if (await ROUNDS[what](scene, scene.random(KEYS))) got++;
    }
  });
  await Promise.all(sessions);
  scope.postMessage({ kind: "done", problems: scene.problems, got });
}

scope.onmessage = ({ data }) => {
  if (data.kind === "port") return ports.receive(data.answer);
  hammer(data).catch((error) => scope.postMessage({ kind: "done", problems: [String(error)], got: 0 }));
};
