/**
 * Guesses passwords in every way that is cut short, from very many addresses, at servers of one event loop and of several, and
 * checks that every guess was counted and none went behind a ban.
 *
 * Run as a program: `deno task guess [GUESSES] [SEED] [LOOPS...]`, default 10,000 guesses at each of 1, 2 and 4 event loops.
 *
 * @module
 */

import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { delay } from "../../lib/deadline.ts";
import { Installation } from "../cli/installation.ts";
import { SpawnedServer } from "../cli/spawned_server.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { NAMES, RIGHT_PASSWORD } from "./guessed_names.ts";
import { addEvent, type AddressFacts, assertAllCounted, BAN_FAILURES, guess } from "./guess.ts";
import { print, printRow } from "./figures.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const GUESSES_PER_ADDRESS = 30;
const PAUSE_MS = 100;

async function configuration(loops: number): Promise<string> {
  const hashes = {
    remembered: await hashPassword(RIGHT_PASSWORD, { ln: 12 }),
    fresh: await hashPassword(RIGHT_PASSWORD, { ln: 10 }),
  };
  const users = Object.entries(hashes).map(([name, hash]) =>
    `  - { name: ${name}, password: "${hash}", home: home }\n`
  );
  return [
    `workers: ${loops}\nusers:\n${users.join("")}`,
    "tls: { policy: off }\nacceptRisks: [{ risk: clear-text-control, reason: test }, { risk: clear-text-data, reason: test }]\n",
    `ban: { failures: ${BAN_FAILURES}, duration: 86400, window: 86400 }\ntimeouts: { failedLogin: 0 }\n`,
    "limits: { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0, loginAttempts: 0 }\n",
  ].join("");
}

async function logInUntil(ended: AbortSignal, port: number): Promise<number> {
  let logins = 0;
  for (; !ended.aborted; logins++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port, deadlineMs: 60_000 });
    await client.readReply();
    await client.expect(331, "USER remembered");
    await client.expect(230, `PASS ${RIGHT_PASSWORD}`);
    await delay(PAUSE_MS, ended).catch(() => {}); // the end ends the loop
  }
  return logins;
}

async function run(loops: number, guesses: number, seed: number): Promise<void> {
  await using installation = await Installation.create(await configuration(loops));
  const { path, home, file } = installation;
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${path},${ROOT}`, `--allow-write=${home}`];
  await using server = await SpawnedServer.start({ flags, args: ["--config", file, "--log-format", "json"] });
  const port = await server.port();
  const ended = new AbortController();
  const logins = logInUntil(ended.signal, port);
  const addresses = Math.ceil(guesses / GUESSES_PER_ADDRESS);
  const report = await guess({ port, addresses, guesses: GUESSES_PER_ADDRESS, seed });
  ended.abort();
  const victims = await logins;
  server.kill("SIGTERM");
  await server.exited();
  const facts = new Map<string, AddressFacts>();
  for (const line of server.lines) if (line.startsWith("{")) addEvent(facts, JSON.parse(line));
  assertAllCounted(report, facts);
  for (const name of NAMES) {
    const hosts = Object.entries(report.ends).filter(([, end]) => end.name === name).map(([host]) => facts.get(host));
    const failures = hosts.reduce((sum, host) => sum + (host?.failures ?? 0), 0);
    const bans = hosts.reduce((sum, host) => sum + (host?.bans ?? 0), 0);
    printRow([loops, name, report.guesses, hosts.length, failures, bans, victims].map(String));
  }
}

if (import.meta.main) {
  const [guesses = 10_000, seed = 1, ...loops] = Deno.args.map(Number);
  printRow([
    "event loops",
    "name",
    "guesses in all",
    "addresses",
    "counted",
    "banned",
    "logins of the victim meanwhile",
  ]);
  for (const count of loops.length > 0 ? loops : [1, 2, 4]) await run(count, guesses, seed);
  print("every guess that was begun was counted");
}
