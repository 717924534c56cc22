import { assert, assertEquals } from "@std/assert";
import type { AccountRuleSet } from "../../lib/accounts/account_source.ts";
import { deriveDigest } from "../../lib/accounts/password_digest.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { VirtualAccounts } from "../../lib/accounts/virtual_accounts.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { TestServer } from "../helpers/test_server.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const [HASH, OTHER_HASH] = await Promise.all([hashPassword("12345", { ln: 10 }), hashPassword("12345", { ln: 11 })]);

/** Rules that a test turns. */
function makeRules() {
  const state: { reason: string | undefined } = { reason: undefined };
  const rules: AccountRuleSet = { refusal: () => state.reason, ending: () => state.reason };
  return { state, rules };
}

/** Accounts with two costs, and the costs of the digests that were computed. */
function makeAccounts(rules: AccountRuleSet) {
  const computed: number[] = [];
  const accounts = new VirtualAccounts({
    openHome: () => new MemoryFileSystem(),
    derive: (password, parameters) => {
      computed.push(parameters.cost.ln);
      return deriveDigest(password, parameters);
    },
  });
  accounts.addUser("alice", HASH, "/home", { rules });
  accounts.addUser("bob", OTHER_HASH, "/home");
  return { accounts, computed };
}

Deno.test("a rule that refuses takes the work of a name that is not there, also where a success is remembered", async () => {
  const { state, rules } = makeRules();
  const { accounts, computed } = makeAccounts(rules);
  const work = async (username: string, password: string) => {
    computed.length = 0;
    await accounts.authenticate({ username, password, remoteHost: "192.0.2.1" }, UNABORTED).catch(() => {});
    return computed.toSorted();
  };
  assertEquals(await work("alice", "12345"), [10]);
  assertEquals(await work("alice", "12345"), []); // remembered
  const ofNobody = await work("nobody", "12345");
  assertEquals(ofNobody, [10, 11]);
  state.reason = "the account has expired";
  for (const password of ["12345", "wrong", ""]) assertEquals(await work("alice", password), ofNobody);
});

Deno.test("a rule that refuses sounds like a wrong password, counts like one, and is in the log", async () => {
  const heard = [];
  for (const reason of [undefined, "the account has expired"]) {
    const { state, rules } = makeRules();
    state.reason = reason;
    const { accounts: authorizer } = makeAccounts(rules);
    const settings = { ban: { failures: 2 }, timeouts: { failedLogin: 0 } };
    await using server = await TestServer.start({ server: { authorizer, ...settings } });
    const replies = [];
    for (let times = 0; times < 2; times++) {
      await using client = await server.connect();
      await client.expect(331, "USER alice");
      // right where a rule refuses it
      replies.push((await client.command(`PASS ${reason === undefined ? "wrong" : "12345"}`)).text);
    }
    const failures = server.events.filter((event) => event.event === "loginFailed");
    assertEquals(failures.map((failure) => failure.reason), [reason, reason]);
    heard.push({ replies, banned: server.events.some(({ event }) => event === "banned") });
  }
  assertEquals(heard[0], heard[1]);
  assert(heard[0]?.banned);
});

Deno.test("a session ends at its next command once its account may not be used any more, but for QUIT", async () => {
  const { state, rules } = makeRules();
  const { accounts: authorizer } = makeAccounts(rules);
  await using server = await TestServer.start({ server: { authorizer } });
  await using client = await server.connect();
  await client.login("alice", "12345");
  await using leaving = await server.connect();
  await leaving.login("alice", "12345");
  await client.expect(200, "NOOP");
  state.reason = "the account has expired";
  assertEquals((await client.command("NOOP")).text, "421 This account cannot be used now.");
  await client.closed();
  assertEquals((await server.event("disconnected")).reason, "the account has expired");
  assertEquals((await leaving.command("QUIT")).text, "221 Goodbye.");
});

Deno.test("a transfer goes to its end though its account may not be used any more; the next does not begin", async () => {
  const { state, rules } = makeRules();
  const { accounts: authorizer } = makeAccounts({ ...rules });
  authorizer.removeUser("alice");
  authorizer.addUser("alice", HASH, new MemoryFileSystem(), { rules, permissions: "elrw" });
  await using server = await TestServer.start({ server: { authorizer } });
  await using client = await server.connect();
  await client.login("alice", "12345");
  await client.expect(200, "PBSZ 0");
  await client.expect(200, "PROT P");
  await using data = await client.passive();
  await client.expect(150, "STOR a");
  await data.secure();
  state.reason = "the account is not used at this hour";
  await data.write(new Uint8Array(1000));
  await data.finish();
  assertEquals((await client.readReply("the upload")).code, 226);
  assertEquals((await client.command("SIZE a")).text, "421 This account cannot be used now.");
});
