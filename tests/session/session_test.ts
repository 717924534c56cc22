import { assertEquals, assertNotEquals } from "@std/assert";
import { FACT_NAMES } from "../../lib/protocol/facts.ts";
import {
  loggedIn,
  loginRefused,
  reinitialized,
  secured,
  type Session,
  sessionEvent,
  userGiven,
  usernameOf,
} from "../../lib/session/session.ts";
import { fakeAccount, freshSession } from "../helpers/fake_context.ts";
import { loadEncoding } from "../../lib/protocol/text_encoding.ts";
import { TLS_INFO } from "../helpers/fake_transport.ts";

const ACCOUNT = fakeAccount();
const LEGACY = await loadEncoding("cp850");

/** A session in which nothing is as it was at the start. */
function usedSession(options: { readonly implicitTls?: boolean } = {}): Session {
  return {
    ...freshSession(options),
    tls: TLS_INFO,
    loginFailures: 2,
    login: { state: "loggedIn", account: ACCOUNT },
    directory: "/docs",
    type: "I",
    bufferSizeSet: true,
    protection: options.implicitTls ? "C" : "P",
    restartOffset: 100,
    renameFrom: "/old",
    extendedPassiveOnly: true,
    facts: ["size"],
    encoding: LEGACY,
    hashAlgorithm: "MD5",
    umask: 0o27,
  };
}

Deno.test("createSession() starts without login, in ASCII, in the root, with all facts", () => {
  const { login, type, directory, restartOffset, renameFrom, extendedPassiveOnly, facts, tls } = freshSession();
  assertEquals(
    { login, type, directory, restartOffset, renameFrom, extendedPassiveOnly, facts, tls },
    {
      login: { state: "none" },
      type: "A",
      directory: "/",
      restartOffset: 0,
      renameFrom: undefined,
      extendedPassiveOnly: false,
      facts: FACT_NAMES,
      tls: undefined,
    },
  );
});

for (const implicitTls of [false, true]) {
  Deno.test(`createSession() and reinitialized() protect data connections by themselves: implicit TLS ${implicitTls}`, () => {
    for (const session of [freshSession({ implicitTls }), reinitialized(usedSession({ implicitTls }))]) {
      assertEquals([session.bufferSizeSet, session.protection], [implicitTls, implicitTls ? "P" : "C"]);
    }
  });
}

Deno.test("reinitialized() leaves nothing of a user but TLS, EPSV ALL and the options chosen by OPTS", () => {
  const used = usedSession();
  const fresh = freshSession();
  for (const [name, value] of Object.entries(fresh)) {
    const isIdentity = ["id", "local", "remote", "listenHost", "implicitTls"].includes(name);
    if (!isIdentity) assertNotEquals(used[name as keyof Session], value as never, `${name} was not changed before`);
  }
  const kept = { tls: TLS_INFO, extendedPassiveOnly: true, facts: ["size"], hashAlgorithm: "MD5", encoding: LEGACY };
  assertEquals(reinitialized(used) as unknown, { ...fresh, ...kept });
});

Deno.test("secured() forgets what was begun in clear, and keeps a login", () => {
  const begun = { ...userGiven(freshSession(), "user"), restartOffset: 5, renameFrom: "/old" };
  assertEquals(secured(begun, TLS_INFO), { ...freshSession(), tls: TLS_INFO });
  assertEquals(secured(loggedIn(freshSession(), ACCOUNT), TLS_INFO).login, { state: "loggedIn", account: ACCOUNT });
});

Deno.test("userGiven() expects a password and keeps the count of failures", () => {
  const session = userGiven(loginRefused(freshSession()), "user");
  assertEquals(session.login, { state: "passwordExpected", username: "user" });
  assertEquals(session.loginFailures, 1);
});

Deno.test("userGiven() leaves nothing of a user who is logged in but the transfer parameters", () => {
  const login = { state: "passwordExpected", username: "other" } as const;
  for (const implicitTls of [false, true]) {
    const used = usedSession({ implicitTls });
    const { type, bufferSizeSet, protection } = used;
    assertEquals(userGiven(used, "other"), { ...reinitialized(used), login, type, bufferSizeSet, protection });
  }
});

Deno.test("loginRefused() counts, and forgets the name", () => {
  const session = loginRefused(loginRefused(userGiven(freshSession(), "user")));
  assertEquals([session.login, session.loginFailures], [{ state: "none" }, 2]);
});

Deno.test("loggedIn() forgets failures and starts in the root", () => {
  const session = loggedIn(loginRefused({ ...freshSession(), directory: "/docs" }), ACCOUNT);
  assertEquals([session.loginFailures, session.directory], [0, "/"]);
});

Deno.test("Transitions leave the record they were given as it is", () => {
  const session = Object.freeze(freshSession());
  userGiven(session, "user");
  secured(session, TLS_INFO);
  reinitialized(session);
  assertEquals(session, freshSession());
});

Deno.test("usernameOf() and sessionEvent() name the user once USER was given", () => {
  const steps = [freshSession(), userGiven(freshSession(), "user"), loggedIn(freshSession(), ACCOUNT)];
  assertEquals(steps.map(usernameOf), [undefined, "user", "user"]);
  assertEquals(sessionEvent(steps[1] ?? freshSession()), {
    session: "test-1",
    remote: "192.0.2.1:50000",
    username: "user",
  });
});
