import { assert, assertEquals, assertRejects } from "@std/assert";
import type { DelegatedPassword, FoundAccount } from "../../lib/accounts/account_source.ts";
import { AuthorizerBusyError, type Credentials, LoginRefusedError } from "../../lib/accounts/authorizer.ts";
import { DelegatedVerifier, type DelegatedVerifierOptions } from "../../lib/accounts/delegated_verifier.ts";
import { abortable } from "../../lib/deadline.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";

const { signal } = new AbortController();
const home = new MemoryFileSystem();

interface Scene {
  /** What was asked. */
  readonly asked: string[];
  login(username: string, password: string): Promise<string | undefined>;
}

/** A verifier, and somebody who knows these passwords, or throws. */
function setUp(
  passwords: Record<string, string | Error>,
  { rememberSeconds, ...options }: DelegatedVerifierOptions & Pick<DelegatedPassword, "rememberSeconds"> = {},
): Scene {
  const asked: string[] = [];
  const verifier = new DelegatedVerifier(options);
  const check = ({ username, password }: Credentials): FoundAccount | undefined => {
    asked.push(`${username}:${password}`);
    const known = passwords[username];
    if (known instanceof Error) throw known;
    return known === password ? { username, password: "-", home } : undefined;
  };
  const delegated: DelegatedPassword = { check, ...rememberSeconds !== undefined && { rememberSeconds } };
  const login = async (username: string, password: string) =>
    (await verifier.check(delegated, { username, password, remoteHost: "192.0.2.1" }, { signal }))?.username;
  return { asked, login };
}

Deno.test("DelegatedVerifier.check() does not ask again where a success is remembered, whatever others have guessed meanwhile", async () => {
  const { asked, login } = setUp({ alice: "a", bob: "b" });
  for (let times = 0; times < 3; times++) assertEquals(await login("alice", "a"), "alice");
  assertEquals(asked, ["alice:a"]);
  assertEquals(await login("bob", "a"), undefined);
  assertEquals(await login("alice", "b"), undefined);
  assertEquals(await login("alice", "a"), "alice");
  assertEquals(asked, ["alice:a", "bob:a", "alice:b"]);
});

Deno.test("DelegatedVerifier.check() remembers no refusal, and nothing beyond its time", async () => {
  const passwords: Record<string, string> = {};
  const refused = setUp(passwords);
  assertEquals(await refused.login("alice", "a"), undefined);
  passwords.alice = "a";
  assertEquals(await refused.login("alice", "a"), "alice");
  const never = setUp({ alice: "a" }, { rememberSeconds: 0 });
  for (let times = 0; times < 2; times++) await never.login("alice", "a");
  assertEquals(never.asked.length, 2);
  const short = setUp({ alice: "a" }, { rememberSeconds: 0.000_001 });
  for (let times = 0; times < 2; times++) await short.login("alice", "a");
  assertEquals(short.asked.length, 2);
});

Deno.test("DelegatedVerifier.check() remembers a bounded number of names, and drops who was away for longest", async () => {
  const { asked, login } = setUp({ a: "x", b: "x", c: "x" }, { maxRemembered: 2 });
  for (const name of ["a", "b", "a", "c", "a", "b"]) await login(name, "x");
  assertEquals(asked, ["a:x", "b:x", "c:x", "b:x"]);
});

Deno.test("DelegatedVerifier.check() counts a guess at what is remembered while nobody can be asked, and no other", async () => {
  const passwords: Record<string, string | Error> = { alice: "a" };
  const { login } = setUp(passwords);
  assertEquals(await login("alice", "a"), "alice");
  passwords.alice = passwords.bob = new AuthorizerBusyError("away", { isOutage: true });
  assertEquals(await login("alice", "a"), "alice");
  const guess = await assertRejects(() => login("alice", "b"), AuthorizerBusyError);
  const other = await assertRejects(() => login("bob", "b"), AuthorizerBusyError);
  assertEquals([guess.countsAsFailure, guess.isOutage], [true, true]);
  assertEquals([other.countsAsFailure, other.isOutage], [false, true]);
  assertEquals(await login("alice", "a"), "alice"); // the outage tells nothing against it
  passwords.alice = new LoginRefusedError("locked");
  await assertRejects(() => login("alice", "b"), LoginRefusedError, "locked");
  await assertRejects(() => login("alice", "a"), LoginRefusedError, "locked");
});

Deno.test("DelegatedVerifier.check() shows an empty password to nobody, and lets nobody in with it", async () => {
  const { asked, login } = setUp({ alice: "" });
  assertEquals(await login("alice", ""), undefined);
  assert(asked.length === 1 && !asked[0]?.startsWith("alice:"));
});

Deno.test("DelegatedVerifier.check() runs few checks at once, turns away who is too many, and asks once for the same login", async () => {
  const release = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const check = async ({ username }: Credentials): Promise<FoundAccount> => {
    most = Math.max(most, ++running);
    await release.promise;
    running--;
    return { username, password: "-", home };
  };
  const verifier = new DelegatedVerifier({ maxRunning: 2, maxWaiting: 2 });
  const login = (username: string) =>
    verifier.check({ check }, { username, password: "x", remoteHost: "192.0.2.1" }, { signal });
  const logins = ["a", "b", "a", "b"].map(login);
  await assertRejects(() => login("c"), AuthorizerBusyError, "2 logins wait already");
  release.resolve();
  assertEquals((await Promise.all(logins)).map((account) => account?.username), ["a", "b", "a", "b"]);
  assertEquals([most, running], [2, 0]);
});

Deno.test("DelegatedVerifier.check() ends to wait when its signal aborts", async () => {
  const left = new AbortController();
  const verifier = new DelegatedVerifier();
  const check = () => new Promise<undefined>(() => {});
  const waiting = verifier.check({ check }, { username: "a", password: "x", remoteHost: "192.0.2.1" }, {
    signal: left.signal,
  });
  left.abort(new Error("left"));
  await assertRejects(() => waiting, Error, "left");
});

Deno.test("DelegatedVerifier.check() keeps successes of several who check apart", async () => {
  const verifier = new DelegatedVerifier();
  const asked: string[] = [];
  const by = (checkedBy: "no" | "yes"): DelegatedPassword => ({
    checkedBy,
    check: ({ username }) => {
      asked.push(checkedBy);
      return checkedBy === "yes" ? { username, password: "-", home } : undefined;
    },
  });
  const credentials: Credentials = { username: "a", password: "x", remoteHost: "192.0.2.1" };
  for (let times = 0; times < 2; times++) {
    assertEquals(await verifier.check(by("no"), credentials, { signal }), undefined);
    assert(await verifier.check(by("yes"), credentials, { signal }) !== undefined);
  }
  assertEquals(asked, ["no", "yes", "no"]);
});

Deno.test("DelegatedVerifier.check() forgets a success that did not count and is refused when it is asked anew", async () => {
  const passwords = new Map([["a", "x"]]);
  const asked: string[] = [];
  const check = ({ username, password }: Credentials): FoundAccount | undefined => {
    asked.push(password);
    return passwords.get(username) === password ? { username, password: "-", home } : undefined;
  };
  const verifier = new DelegatedVerifier();
  const login = (counts: boolean) =>
    verifier.check({ check }, { username: "a", password: "x", remoteHost: "192.0.2.1" }, {
      signal,
      counts: () => counts,
    });
  const [COUNTS, DOES_NOT] = [true, false];
  assert(await login(COUNTS));
  passwords.set("a", "y");
  assert(await login(COUNTS));
  assertEquals(await login(DOES_NOT), undefined);
  assertEquals(await login(COUNTS), undefined);
  assertEquals(asked.length, 3);
});

Deno.test("DelegatedVerifier.check() remembers a success for the address and the certificate that it was for", async () => {
  const verifier = new DelegatedVerifier();
  let asked = 0;
  const shown = { subject: "CN=alice", fingerprint: "AA", alternativeNames: [] };
  const tls = { protocol: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", resumed: false, peerCertificate: shown };
  const check = ({ username, remoteHost, tls }: Credentials): FoundAccount | undefined => {
    asked++;
    const isKnown = remoteHost === "192.0.2.1" && tls?.peerCertificate?.fingerprint === "AA";
    return isKnown ? { username, password: "-", home } : undefined;
  };
  const login = async (more: Partial<Credentials>) => {
    const credentials = { username: "alice", password: "a", remoteHost: "192.0.2.1", tls, ...more };
    return (await verifier.check({ check }, credentials, { signal }))?.username;
  };
  for (let times = 0; times < 2; times++) assertEquals(await login({}), "alice");
  assertEquals(asked, 1);
  assertEquals(await login({ remoteHost: "203.0.113.9" }), undefined);
  assertEquals(await login({ tls: { ...tls, peerCertificate: { ...shown, fingerprint: "BB" } } }), undefined);
  assertEquals(await login({ tls: undefined }), undefined);
  assertEquals(await login({}), "alice");
  assertEquals(asked, 4);
});

Deno.test("DelegatedVerifier.check() forgets nobody for a guess whose client has left", async () => {
  const verifier = new DelegatedVerifier();
  let asked = 0;
  const check = ({ username, password }: Credentials): Promise<FoundAccount> | FoundAccount => {
    asked++;
    return password === "a" ? { username, password: "-", home } : Promise.withResolvers<FoundAccount>().promise;
  };
  const slow = (credentials: Credentials, { signal }: { readonly signal: AbortSignal }) =>
    abortable(Promise.resolve(check(credentials)), signal);
  const of = (password: string) => ({ username: "alice", password, remoteHost: "192.0.2.1" });
  await verifier.check({ check: slow }, of("a"), { signal });
  const leaving = new AbortController();
  const guess = verifier.check({ check: slow }, of("b"), { signal: leaving.signal });
  await Promise.resolve();
  leaving.abort(new Error("the client has left"));
  await assertRejects(() => guess, Error, "the client has left");
  assert(await verifier.check({ check: slow }, of("a"), { signal }));
  assertEquals(asked, 2);
});
