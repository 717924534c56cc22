/**
 * Measures how long logins take that fail in different ways, so as to see whether time tells which names exist.
 *
 * Run as a program: `deno run -P=test tests/soak/login_timing.ts [TRIES] [PERCENT] [LN]`, default 200 of each way with hashes
 * of the default cost. Exit status 0 when the medians of all ways are within so many percent of each other, default 2. On a
 * busy machine that takes many tries; with a lower cost, as LN 14, a difference beside the hash is a larger part of the whole.
 *
 * @module
 */

import { DEFAULT_SCRYPT_COST, hashPassword } from "../../lib/accounts/password_hash.ts";
import { MeasuredServer } from "../helpers/measured_server.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { median, print, printRow } from "./figures.ts";
import { Random } from "./random.ts";

const MAX_DIFFERENCE_PERCENT = 2;

const REMEMBERED = "wrong password, right one remembered";

/** In base32; nobody waits for a code of it here. */
const CODE_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/** Names and passwords of which none is right, or not for now. */
const WAYS: readonly { readonly way: string; readonly username: string; readonly password: string }[] = [
  { way: "no such user", username: "nobody", password: "wrong" },
  { way: "wrong password", username: "alice", password: "wrong" },
  // The user logs in before each of these tries: a failure makes the server forget the right password.
  { way: REMEMBERED, username: "bob", password: "wrong" },
  { way: "password of another user", username: "alice", password: "bobs" },
  { way: "no password", username: "alice", password: "" },
  { way: "an account that has expired, its password right", username: "carol", password: "carols" },
  { way: "password right, code wrong", username: "dave", password: "daves000000" },
  { way: "password and code wrong", username: "dave", password: "wrong000000" },
  { way: "a name of 1,000 letters", username: "a".repeat(1000), password: "wrong" },
];

/** Milliseconds from PASS to its 530, of so many tries of each way, which take turns in an order that changes. */
async function measure(tries: number, ln: number): Promise<ReadonlyMap<string, readonly number[]>> {
  await using server = await MeasuredServer.start({
    users: `users: [${
      (await Promise.all([
        userOf("alice", "alices", ln),
        userOf("bob", "bobs", ln),
        userOf("carol", "carols", ln, "expires: 2020-01-01"),
        userOf("dave", "daves", ln, `totp: { secret: ${CODE_SECRET} }`),
      ])).join(", ")
    }]`,
    // Without the delay of failed logins, which would hide a difference, and without what ends so many of them.
    configuration: "timeouts: { failedLogin: 0 }\nlimits: { loginAttempts: 0 }\nban: { failures: 0 }",
  });
  await using client = await server.login("bob", "bobs");
  const times = new Map<string, number[]>(WAYS.map(({ way }) => [way, []]));
  const random = new Random(1);
  for (let count = 0; count < tries; count++) {
    // In a fixed order a disturbance that comes again and again, or the try before, would meet the same ways.
    for (const { way, username, password } of random.shuffle(WAYS)) {
      if (way === REMEMBERED) await client.login("bob", "bobs");
      times.get(way)?.push(await refusalMs(client, username, password));
    }
  }
  return times;
}

async function userOf(name: string, password: string, ln: number, more?: string): Promise<string> {
  const conditions = more === undefined ? "" : `, ${more}`;
  return `{ name: ${name}, password: "${await hashPassword(password, { ln })}", home: home${conditions} }`;
}

async function refusalMs(client: RawClient, username: string, password: string): Promise<number> {
  await client.expect(331, `USER ${username}`);
  const askedAt = performance.now();
  await client.expect(530, `PASS ${password}`);
  return performance.now() - askedAt;
}

if (import.meta.main) {
  const [tries = 200, percent = MAX_DIFFERENCE_PERCENT, ln = DEFAULT_SCRYPT_COST.ln] = Deno.args.map(Number);
  const times = await measure(tries, ln);
  printRow(["way to fail", "tries", "median ms", "least", "most"]);
  for (const [way, ms] of times) {
    printRow([way, ...[ms.length, median(ms), Math.min(...ms), Math.max(...ms)].map((value) => value.toFixed(1))]);
  }
  const medians = [...times.values()].map(median);
  const difference = 100 * (Math.max(...medians) / Math.min(...medians) - 1);
  print(`medians differ by ${difference.toFixed(1)} % at most`);
  if (difference > percent) Deno.exit(1);
}
