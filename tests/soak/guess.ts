/**
 * Guesses that are cut short in every way, and what must come of them: all that were begun are counted.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { NAMES } from "./guessed_names.ts";
import type { GuesserReport } from "./guesser.ts";

const PROGRAM = new URL("guesser.ts", import.meta.url).pathname;

/** Failures that ban an address. */
export const BAN_FAILURES = 10;

/** How much is guessed. */
export interface Guessing {
  readonly port: number;
  /** Addresses of the host that are guessed from, each at one name. */
  readonly addresses: number;
  /** Guesses from each. */
  readonly guesses: number;
  readonly seed: number;
}

/** What the server told of an address. */
export interface AddressFacts {
  /** Passwords that the authorizer was asked about; `undefined` where that is not known. */
  asked: number | undefined;
  failures: number;
  successes: number;
  successesBehindBan: number;
  bans: number;
}

/** Guesses, with a program of its own: only that may use other addresses. */
export async function guess({ port, addresses, guesses, seed }: Guessing): Promise<GuesserReport> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--allow-net", PROGRAM, ...[port, addresses, guesses, seed].map(String)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  assertEquals(code, 0, "The guesser has failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The facts of an address, made when there are none. */
export function factsOf(facts: Map<string, AddressFacts>, host: string): AddressFacts {
  const found = facts.get(host) ?? { asked: undefined, failures: 0, successes: 0, successesBehindBan: 0, bans: 0 };
  facts.set(host, found);
  return found;
}

/** Adds what an event tells, in the order in which they were told. */
export function addEvent(
  facts: Map<string, AddressFacts>,
  event: { readonly event: string; readonly remote?: string; readonly address?: string },
): void {
  const of = factsOf(facts, (event.address ?? event.remote ?? "").replace(/:\d+$/, ""));
  if (event.event === "loginFailed") of.failures++;
  if (event.event === "banned") of.bans++;
  if (event.event !== "loginSucceeded") return;
  of.successes++;
  if (of.bans > 0) of.successesBehindBan++;
}

/**
 * Checks that every guess that was begun counts, that the tenth bans, and that nothing else is told of one name than of
 * another.
 */
export function assertAllCounted(report: GuesserReport, facts: Map<string, AddressFacts>): void {
  let banned = 0;
  for (const [host, { name, code }] of Object.entries(report.ends)) {
    const { asked, failures, successes, successesBehindBan, bans } = factsOf(facts, host);
    const known = `${host} at ${name}: ${failures} failures, ${bans} bans, asked ${asked}, ${code} at the end`;
    assert(failures <= BAN_FAILURES, known);
    assertEquals(bans, failures === BAN_FAILURES ? 1 : 0, known);
    if (asked !== undefined) assertEquals(asked, failures + successes, known);
    // The right password at the end may come before the last of the guesses has failed, and never behind a ban.
    assertEquals([successes, successesBehindBan], [code === 230 ? 1 : 0, 0], known);
    if (code === 421) assertEquals(bans, 1, known);
    else assertEquals(code, name === "nobody" ? 530 : 230, known);
    banned += bans;
  }
  assert(banned > 0, "No address was banned");
  assertSameReplies(report);
}

/** Replies of which none tells one name from another. */
const REPLIES = [
  "221 Goodbye.",
  "421 Too many failed logins, try again later.",
  "530 Authentication failed.",
  "530 Log in with USER and PASS first.", // to REIN behind a failure
];

function assertSameReplies({ replies }: GuesserReport): void {
  for (const name of NAMES) {
    assertEquals(Object.keys(replies[name] ?? {}).filter((reply) => !REPLIES.includes(reply)), [], name);
  }
}
