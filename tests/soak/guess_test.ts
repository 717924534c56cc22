import { assertGreater } from "@std/assert";
import type { Authorizer } from "../../lib/accounts/authorizer.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { delay } from "../../lib/deadline.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { TestServer } from "../helpers/test_server.ts";
import { NAMES, RIGHT_PASSWORD } from "./guessed_names.ts";
import { addEvent, type AddressFacts, assertAllCounted, BAN_FAILURES, factsOf, guess } from "./guess.ts";

/** Addresses for each name, and guesses from each. */
const ADDRESSES = 4;
const GUESSES = 20;
/** Between logins of the user whose password is remembered. */
const PAUSE_MS = 50;

/** Other systems have one loopback address, unless they are told otherwise. */
const IGNORED = Deno.build.os !== "linux";
const REASON = IGNORED ? ` (ignored: ${Deno.build.os} has one loopback address)` : "";

/** Counts what it is asked, by address. */
class CountingAuthorizer implements Authorizer {
  readonly facts = new Map<string, AddressFacts>();
  readonly #inner = new VirtualAuthorizer();

  static async create(): Promise<CountingAuthorizer> {
    const authorizer = new CountingAuthorizer();
    const home = new MemoryFileSystem();
    authorizer.#inner.addUser("remembered", await hashPassword(RIGHT_PASSWORD, { ln: 11 }), home);
    // Whose own hash is the cheap one is compared sooner than a failure is answered.
    authorizer.#inner.addUser("fresh", await hashPassword(RIGHT_PASSWORD, { ln: 10 }), home);
    return authorizer;
  }

  authenticate: Authorizer["authenticate"] = async (credentials, options) => {
    const facts = factsOf(this.facts, credentials.remoteHost);
    facts.asked = (facts.asked ?? 0) + 1;
    return await this.#inner.authenticate(credentials, options);
  };
}

/** Logs in again and again, so that the password is remembered. */
async function logInUntil(ended: AbortSignal, server: TestServer): Promise<number> {
  let logins = 0;
  while (!ended.aborted) {
    await using client = await server.connect();
    await client.expect(331, "USER remembered");
    await client.expect(230, `PASS ${RIGHT_PASSWORD}`);
    logins++;
    await delay(PAUSE_MS, ended).catch(() => {}); // the end ends the loop
  }
  return logins;
}

Deno.test({
  name: `Guesses that are cut short in every way are all counted, whosever password is remembered${REASON}`,
  ignore: IGNORED,
  fn: async () => {
    const authorizer = await CountingAuthorizer.create();
    const limits = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0, loginAttempts: 0 };
    const server = await TestServer.start({
      protection: "clear",
      server: { authorizer, limits, ban: { failures: BAN_FAILURES } },
    });
    const { facts } = authorizer;
    const ended = new AbortController();
    const logins = logInUntil(ended.signal, server);
    const addresses = ADDRESSES * NAMES.length;
    const report = await guess({ port: server.port, addresses, guesses: GUESSES, seed: 1 });
    ended.abort();
    assertGreater(await logins, 0);
    await server[Symbol.asyncDispose]();
    for (const event of server.events) addEvent(facts, event);
    assertGreater(report.guesses, addresses * GUESSES - 1);
    assertAllCounted(report, facts);
  },
});
