import { resolveSettings } from "../../lib/settings/validate.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { FtpServerParts } from "../../lib/server/ftp_server.ts";
import { GuardedFileClaims } from "../../lib/state/guarded_state.ts";
import type { FileClaims } from "../../lib/filesystem/file_claims.ts";
import { LocalFileSystem } from "../../lib/filesystem/local/local_filesystem.ts";
import { MemoryState } from "../../lib/state/memory_state.ts";
import type { Lease } from "../../lib/shared_port.ts";
import { ON_FAILURE, type SharedState } from "../../lib/state/state.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const UNAVAILABLE = "421 Service not available, try again later.";
const { ban: BAN } = resolveSettings({});
const LIMITS = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };

type Call = keyof typeof ON_FAILURE;

/** A state of which one call fails, or never ends; what is lost is lost as soon as it has been given. */
class FailingState implements SharedState {
  readonly memory = new MemoryState({ limits: { ...LIMITS, connections: 100 }, ban: { ...BAN, failures: 100 } });
  readonly lost = new AbortController();
  readonly #call: Call;
  readonly #fails: () => Promise<never>;

  constructor(call: Call, fails: () => Promise<never>) {
    this.#call = call;
    this.#fails = fails;
  }

  async acquireConnection(host: string) {
    await this.#at("acquireConnection");
    const slot = this.memory.acquireConnection(host);
    if (typeof slot === "string") return slot;
    return { ...this.#held(slot), loggedIn: this.#call === "loggedIn" ? () => this.#throw() : slot.loggedIn };
  }

  async beginAttempt(host: string, signal: AbortSignal) {
    await this.#at("beginAttempt");
    const attempt = await this.memory.beginAttempt(host, signal);
    return attempt && {
      ...this.#held(attempt),
      giveBack: this.#call === "giveBack" ? () => this.#throw() : attempt.giveBack,
      fail: async () => {
        await this.#at("fail");
        return attempt.fail();
      },
    };
  }

  async acquireAccount(username: string) {
    await this.#at("acquireAccount");
    const slot = this.memory.acquireAccount(username, {});
    return slot && { send: slot.send, receive: slot.receive, ...this.#held(slot) };
  }

  #held(lease: Disposable): Lease {
    const release = () => lease[Symbol.dispose]();
    return {
      ...this.#call === "lost" && { lost: this.lost.signal },
      [Symbol.dispose]: this.#call === "release" ? () => this.#throw() : release,
    };
  }

  async #at(call: Call): Promise<void> {
    if (call === this.#call) await this.#fails();
  }

  #throw(): never {
    throw new Error("down");
  }
}

async function start(state: SharedState): Promise<TestServer> {
  const parts: FtpServerParts = { state };
  return await TestServer.start({ protection: "clear", server: { timeouts: { login: 0.3 } }, parts });
}

/** Says what a client gets on its way through a login, to its end or to a 421. */
async function visit({ host, port }: TestServer, password: string): Promise<string> {
  await using client = await RawClient.connect({ host, port });
  const greeting = await client.readReply();
  if (greeting.code !== 220) return greeting.text;
  await client.expect(331, `USER ${USER.name}`);
  return (await client.command(`PASS ${password}`)).text;
}

/** The server must not report what the test has planted as a mistake of its own. */
async function failures(server: TestServer, count: number): Promise<string[]> {
  await server.server.shutdown();
  await server.server.finished;
  const told = server.events.filter((event) => event.event === "internalError").map(({ message }) => message);
  server.events.length = 0;
  assert(told.length >= count, Deno.inspect(told));
  return told;
}

const fails = () => Promise.reject(new Error("down"));
const hangs = () => new Promise<never>(() => {});

for (const [call, effect] of Object.entries(ON_FAILURE) as [Call, string][]) {
  if (call === "lost" || call === "claim" || call === "lostClaim" || call === "keepAttempts") continue; // these have tests of their own
  Deno.test(`A client is ${effect === "refuse" ? "refused" : "served"} where the state fails in ${call}`, async () => {
    const state = new FailingState(call, fails);
    await using server = await start(state);
    const reply = await visit(server, call === "fail" ? "wrong" : USER.password);
    assertEquals(reply, effect === "refuse" ? UNAVAILABLE : "230 Login successful.");
    const [told] = await failures(server, 1);
    assertStringIncludes(told ?? "", `The state has failed (${call})`);
  });
}

Deno.test("A client is refused when the state does not give a place in time", async () => {
  await using server = await start(new FailingState("acquireConnection", hangs));
  assertEquals(await visit(server, USER.password), UNAVAILABLE);
});

for (const call of ["beginAttempt", "acquireAccount", "fail"] as const) {
  Deno.test(`A client gets 421 at the end of the time for the login when the state hangs in ${call}`, async () => {
    await using server = await start(new FailingState(call, hangs));
    assertEquals(await visit(server, call === "fail" ? "wrong" : USER.password), "421 Login timed out.");
  });
}

Deno.test("A place that comes too late is given back", async () => {
  const asked = Promise.withResolvers<void>();
  const memory = new MemoryState({ limits: { ...LIMITS, connections: 1 }, ban: BAN });
  await using server = await start({
    acquireConnection: (host) => asked.promise.then(() => memory.acquireConnection(host)),
    beginAttempt: (host, signal) => memory.beginAttempt(host, signal),
    acquireAccount: (username, limits) => memory.acquireAccount(username, limits),
  });
  assertEquals(await visit(server, USER.password), UNAVAILABLE);
  asked.resolve();
  assertEquals(await visit(server, USER.password), "230 Login successful.");
});

Deno.test("A session goes on whose place is lost", async () => {
  const state = new FailingState("lost", fails);
  await using server = await start(state);
  await using client = await server.login();
  state.lost.abort(new Error("lease expired"));
  await client.expect(200, "NOOP");
  const [told] = await failures(server, 1);
  assertStringIncludes(told ?? "", "The state has failed (lost): ");
});

/** A server whose claims on files come from an engine, and what it reports of that. */
async function startWithClaims(folder: string, engine: FileClaims) {
  const reported: string[] = [];
  const writeClaims = new GuardedFileClaims(engine, (call) => void reported.push(call));
  const home = new LocalFileSystem(folder, { writeClaims });
  const options = { protection: "clear", server: { timeouts: { data: 0.3 } }, home } as const;
  return { server: await TestServer.start(options), reported };
}

for (const [way, atomic] of [["in place", false], ["beside it", true]] as const) {
  Deno.test(`An upload is refused with 451, and leaves nothing, where no claim can be had, ${way}`, async () => {
    await using folder = await TemporaryFolder.create();
    const home = new LocalFileSystem(folder.path, { writeClaims: new GuardedFileClaims({ claim: fails }, () => {}) });
    await using server = await TestServer.start({ protection: "clear", server: { upload: { atomic } }, home });
    await using client = await server.login();
    await using _data = await client.passive();
    await client.expect(451, "STOR /file");
    assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
  });
}

Deno.test("A claim that fails is reported once, and an ending session gives up one that hangs", async () => {
  await using folder = await TemporaryFolder.create();
  const failing = await startWithClaims(folder.path, { claim: fails });
  await using server = failing.server;
  await using client = await server.login();
  await using _data = await client.passive();
  await client.expect(451, "STOR /file");
  assertEquals(failing.reported, ["claim"]);

  const claimed = Promise.withResolvers<AbortSignal | undefined>();
  const hanging = await startWithClaims(folder.path, { claim: (_, signal) => (claimed.resolve(signal), hangs()) });
  await using other = hanging.server;
  await using leaving = await other.login();
  await using _other = await leaving.passive();
  await leaving.send("STOR /file\r\n");
  const signal = await claimed.promise;
  assert(signal !== undefined);
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await leaving.reset();
  await aborted;
});

for (const [way, atomic] of [["in place", false], ["beside it", true]] as const) {
  Deno.test(`An upload whose claim is lost is never answered with 226, ${way}`, async () => {
    await using folder = await TemporaryFolder.create();
    const losing = new AbortController();
    const reported: string[] = [];
    const claims = new GuardedFileClaims(
      { claim: () => ({ lost: losing.signal, [Symbol.dispose]() {} }) },
      (call) => void reported.push(call),
    );
    const home = new LocalFileSystem(folder.path, { writeClaims: claims });
    await using server = await TestServer.start({ protection: "clear", server: { upload: { atomic } }, home });
    await using client = await server.login();
    await using data = await client.passive();
    await client.expect(150, "STOR /file");
    losing.abort(new Error("lease expired"));
    await data.write(new TextEncoder().encode("bytes"));
    await data.finish();
    assertEquals((await client.readReply()).code, 450);
    assertEquals(reported, ["lostClaim"]);
    const left = await Array.fromAsync(Deno.readDir(folder.path), ({ name }) => name);
    assertEquals(left, []);
  });
}
