import { assert, assertEquals, assertMatch, assertNotMatch, assertRejects, assertThrows } from "@std/assert";
import { AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import {
  type Argon2Cost,
  type BcryptCost,
  deriveDigest,
  deriveImportedDigest,
  type HashCost,
  type ScryptParameters,
} from "../../lib/accounts/password_digest.ts";
import { hashPassword, StoredPassword } from "../../lib/accounts/password_hash.ts";
import {
  distinctCosts,
  PasswordVerifier,
  type PasswordVerifierOptions,
  verifyPassword,
} from "../../lib/accounts/password_verifier.ts";

const SIGNAL = new AbortController().signal;
const CHEAP = { scheme: "scrypt", ln: 10, r: 1, p: 1 } as const;
const DEAR = { scheme: "scrypt", ln: 11, r: 2, p: 3 } as const;

/** A verifier that notes the cost of each digest it computes. */
function makeObservedVerifier(options: PasswordVerifierOptions = {}) {
  const computed: string[] = [];
  const verifier = new PasswordVerifier({
    ...options,
    derive(password: string, parameters: ScryptParameters) {
      const { cost: { ln, r, p }, length, salt } = parameters;
      computed.push(`${ln},${r},${p} ${salt.length}->${length}`);
      return deriveDigest(password, parameters);
    },
  });
  return { verifier, computed };
}

/** The password of all is `12345`. */
const ARGON2 = "$argon2id$v=19$m=256,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$58AhXk4+xOlBmIS8/uQ5Ti5mjOy8AYrlp9QUAdn1Hc0";
const OTHER_ARGON2 = "$argon2id$v=19$m=256,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$xUNk5TwGTPOOwpwub33eqqAWEP3/MaQrumvlQDoNwss";
const BCRYPT = "$2b$04$rnhw.xBJBzR/WNlYxDLcJeDRpUyBd6bF8eWSTFBw3QXBk3ymNlh/e";

/** A verifier that notes the cost of each digest of any scheme. Digests of other schemes than scrypt are faked. */
function makeMixedVerifier() {
  const computed: string[] = [];
  const derive = (password: string, parameters: ScryptParameters) => {
    computed.push(`scrypt ${parameters.cost.ln}`);
    return deriveDigest(password, parameters);
  };
  const deriveImported = (_password: string, cost: Argon2Cost | BcryptCost, salt: Uint8Array) => {
    computed.push(cost.scheme === "bcrypt" ? `bcrypt ${cost.rounds}` : `argon2id ${cost.m},${cost.t}`);
    return Promise.resolve(new Uint8Array(salt.length));
  };
  return { verifier: new PasswordVerifier({ derive, deriveImported }), computed };
}

async function makeHashes(): Promise<{ readonly cheap: string; readonly dear: string }> {
  return { cheap: await hashPassword("12345", CHEAP), dear: await hashPassword("12345", DEAR) };
}

Deno.test("PasswordVerifier.verify() accepts the right password only", async () => {
  const { verifier } = makeObservedVerifier();
  const { cheap, dear } = await makeHashes();
  const options = { costs: [CHEAP, DEAR], signal: SIGNAL };
  for (const kept of [cheap, dear, "12345"]) {
    const stored = new StoredPassword(kept);
    for (const password of ["", "1234", "123456", "12345 ", kept.slice(0, 100) + "x"]) {
      assert(!(await verifier.verify({ username: "alice", password, stored }, options)), password);
    }
    assert(await verifier.verify({ username: "alice", password: "12345", stored }, options));
  }
});

Deno.test("PasswordVerifier.verify() does not take the hash itself for the password", async () => {
  const { verifier } = makeObservedVerifier();
  const { cheap } = await makeHashes();
  const attempt = { username: "alice", password: cheap, stored: new StoredPassword(cheap) };
  assert(!(await verifier.verify(attempt, { costs: [CHEAP], signal: SIGNAL })));
});

Deno.test("PasswordVerifier.verify() does the same work for every failing login", async () => {
  const { verifier, computed } = makeObservedVerifier();
  const { cheap, dear } = await makeHashes();
  const work = [];
  for (const kept of [cheap, dear, "clear text", undefined]) {
    const stored = kept === undefined ? undefined : new StoredPassword(kept);
    const attempt = { username: "alice", password: "wrong", stored };
    assert(!(await verifier.verify(attempt, { costs: [CHEAP, DEAR], signal: SIGNAL })));
    work.push(computed.splice(0).sort());
  }
  const expected = ["10,1,1 16->32", "11,2,3 16->32"];
  assertEquals(work, [expected, expected, expected, expected]);
});

Deno.test("PasswordVerifier.verify() accepts the right password for hashes of other schemes", async () => {
  const verifier = new PasswordVerifier();
  const options = { costs: [], signal: SIGNAL };
  for (const kept of [ARGON2, BCRYPT]) {
    const stored = new StoredPassword(kept);
    for (const password of ["", "1234", "12345 ", kept]) {
      assert(!(await verifier.verify({ username: "alice", password, stored }, options)), password);
    }
    assert(await verifier.verify({ username: "alice", password: "12345", stored }, options));
  }
});

Deno.test("PasswordVerifier.verify() does the same work for every failing login, whatever the schemes", async () => {
  const { verifier, computed } = makeMixedVerifier();
  const { cheap } = await makeHashes();
  const kept = { alice: cheap, bob: ARGON2, carol: OTHER_ARGON2, dave: BCRYPT, erin: BCRYPT, frank: "clear text" };
  const users = Object.entries(kept).map(([username, text]) => ({ username, stored: new StoredPassword(text) }));
  const costs = users.flatMap(({ stored }) => stored.hash ? [stored.hash.cost] : []); // bcrypt twice
  for (const user of [...users, { username: "nobody", stored: undefined }]) {
    assert(!(await verifier.verify({ ...user, password: "wrong" }, { costs, signal: SIGNAL })));
    assertEquals(computed.splice(0).sort(), ["argon2id 256,1", "argon2id 256,2", "bcrypt 4", "scrypt 10"]);
  }
});

Deno.test("PasswordVerifier.verify() does the work of the default cost where it knows of none", async () => {
  const { verifier, computed } = makeMixedVerifier();
  for (const stored of [undefined, new StoredPassword("clear text")]) {
    assert(!(await verifier.verify({ username: "alice", password: "wrong", stored }, { signal: SIGNAL })));
    assertEquals(computed.splice(0), ["scrypt 17"]);
  }
});

Deno.test("PasswordVerifier.verify() does the work of all costs that it was shown, where nobody says which there are", async () => {
  const { verifier, computed } = makeMixedVerifier();
  const { cheap } = await makeHashes();
  const work = async (kept?: string) => {
    const stored = kept === undefined ? undefined : new StoredPassword(kept);
    assert(!(await verifier.verify({ username: "alice", password: "wrong", stored }, { signal: SIGNAL })));
    return computed.splice(0).sort();
  };
  assertEquals(await work(BCRYPT), ["bcrypt 4"]);
  assertEquals(await work(), ["bcrypt 4"]);
  assertEquals(await work(cheap), ["bcrypt 4", "scrypt 10"]);
  for (const kept of [undefined, "clear text", BCRYPT, cheap]) {
    assertEquals(await work(kept), ["bcrypt 4", "scrypt 10"]);
  }
});

Deno.test("PasswordVerifier.verify() keeps eight of the costs that it was shown, the last ones", async () => {
  const { verifier, computed } = makeMixedVerifier();
  const parts = "AAECAwQFBgcICQoLDA0ODw$58AhXk4+xOlBmIS8/uQ5Ti5mjOy8AYrlp9QUAdn1Hc0";
  for (let t = 1; t <= 10; t++) {
    const stored = new StoredPassword(`$argon2id$v=19$m=256,t=${t},p=1$${parts}`);
    await verifier.verify({ username: "alice", password: "wrong", stored }, { signal: SIGNAL });
  }
  computed.splice(0);
  await verifier.verify({ username: "x", password: "wrong", stored: undefined }, { signal: SIGNAL });
  assertEquals(computed, Array.from({ length: 8 }, (_, index) => `argon2id 256,${index + 3}`));
});

Deno.test("PasswordVerifier.verify() does not count a remembered success of a user that is no longer current", async () => {
  const { verifier, computed } = makeObservedVerifier();
  const { cheap } = await makeHashes();
  let isCurrent = true;
  const alice = { username: "alice", password: "12345", stored: new StoredPassword(cheap) };
  const options = { costs: [CHEAP], signal: SIGNAL };
  await verifier.verify({ ...alice, isCurrent: () => isCurrent }, options);
  assertEquals([await verifier.verify(alice, options), computed.length], [true, 1]);
  isCurrent = false;
  assertEquals([await verifier.verify(alice, options), computed.length], [true, 2]);
  assertEquals([await verifier.verify(alice, options), computed.length], [true, 2]);
});

Deno.test("PasswordVerifier.verify() remembers a success with a hash of another scheme", async () => {
  let computed = 0;
  const verifier = new PasswordVerifier({
    deriveImported(...parameters) {
      computed++;
      return deriveImportedDigest(...parameters);
    },
  });
  const alice = { username: "alice", password: "12345", stored: new StoredPassword(BCRYPT) };
  for (let login = 0; login < 3; login++) assert(await verifier.verify(alice, { costs: [], signal: SIGNAL }));
  assertEquals(computed, 1);
});

Deno.test("PasswordVerifier.verify() accepts no empty password, though the hash is one of it", async () => {
  const verifier = new PasswordVerifier();
  const empty = [
    "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$aXxV+SdCr+1ofX/yO9ssZIXk0slZ7Pwg0vrrut6MuZw",
    "$argon2id$v=19$m=256,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$Fr6tY7g8/pno+dQVFwz/B7eZdmLEJl2kkmeXm3L4e98",
    "$2b$04$ai8oAlasczUL1N.YWHRs1usRAD6LtlRGioWdmVWTLe2EP2oyC1bI.",
  ];
  for (const text of empty) {
    const stored = new StoredPassword(text);
    assert(!(await verifier.verify({ username: "alice", password: "", stored }, { costs: [], signal: SIGNAL })), text);
  }
});

Deno.test("PasswordVerifier.verify() does the same work for a failing login after a remembered success", async () => {
  const { verifier, computed } = makeObservedVerifier();
  const { cheap } = await makeHashes();
  const stored = new StoredPassword(cheap);
  const options = { costs: [CHEAP, DEAR], signal: SIGNAL };
  await verifier.verify({ username: "alice", password: "12345", stored }, options);
  computed.splice(0);
  assert(!(await verifier.verify({ username: "alice", password: "wrong", stored }, options)));
  assertEquals(computed.sort(), ["10,1,1 16->32", "11,2,3 16->32"]);
});

Deno.test("PasswordVerifier.verify() skips the work after a success, until a failure", async () => {
  const { verifier, computed } = makeObservedVerifier();
  const { cheap } = await makeHashes();
  const stored = new StoredPassword(cheap);
  const options = { costs: [CHEAP], signal: SIGNAL };
  const right = { username: "alice", password: "12345", stored };
  assertEquals([await verifier.verify(right, options), computed.length], [true, 1]);
  assertEquals([await verifier.verify(right, options), computed.length], [true, 1]);
  assertEquals([await verifier.verify({ ...right, password: "wrong" }, options), computed.length], [false, 2]);
  assertEquals([await verifier.verify(right, options), computed.length], [true, 3]);
  assertEquals([await verifier.verify(right, options), computed.length], [true, 3]);
});

Deno.test("PasswordVerifier.verify() remembers user, hash and password together", async () => {
  const { verifier, computed } = makeObservedVerifier();
  const { cheap, dear } = await makeHashes();
  const options = { costs: [CHEAP, DEAR], signal: SIGNAL };
  const alice = { username: "alice", password: "12345", stored: new StoredPassword(cheap) };
  await verifier.verify(alice, options);
  await verifier.verify({ ...alice, username: "bob" }, options);
  assertEquals(computed.length, 2);
  await verifier.verify({ ...alice, stored: new StoredPassword(dear) }, options);
  assertEquals(computed.length, 3);
});

Deno.test("PasswordVerifier.verify() does not let a user that has gone in by what is remembered", async () => {
  const { verifier } = makeObservedVerifier();
  const { cheap } = await makeHashes();
  const options = { costs: [CHEAP], signal: SIGNAL };
  const alice = { username: "alice", password: "12345", stored: new StoredPassword(cheap) };
  await verifier.verify(alice, options);
  assert(!(await verifier.verify({ ...alice, stored: undefined }, options)));
});

Deno.test("PasswordVerifier remembers so many users, those that logged in last", async () => {
  const { verifier, computed } = makeObservedVerifier({ maxRemembered: 2 });
  const { cheap } = await makeHashes();
  const login = async (username: string) => {
    const attempt = { username, password: "12345", stored: new StoredPassword(cheap) };
    assert(await verifier.verify(attempt, { costs: [CHEAP], signal: SIGNAL }));
    return computed.splice(0).length;
  };
  assertEquals([await login("alice"), await login("bob"), await login("alice"), await login("carol")], [1, 1, 0, 1]);
  assertEquals([await login("alice"), await login("carol"), await login("bob")], [0, 0, 1]);
});

Deno.test("PasswordVerifier remembers nobody when told so", async () => {
  const { verifier, computed } = makeObservedVerifier({ maxRemembered: 0 });
  const { cheap } = await makeHashes();
  const alice = { username: "alice", password: "12345", stored: new StoredPassword(cheap) };
  await verifier.verify(alice, { costs: [CHEAP], signal: SIGNAL });
  await verifier.verify(alice, { costs: [CHEAP], signal: SIGNAL });
  assertEquals(computed.length, 2);
});

Deno.test("PasswordVerifier.verify() computes once for logins of one user that come at the same time", async () => {
  const { verifier, computed } = makeObservedVerifier({ maxRunning: 1 });
  const { cheap } = await makeHashes();
  const alice = { username: "alice", password: "12345", stored: new StoredPassword(cheap) };
  const logins = Array.from({ length: 20 }, () => verifier.verify(alice, { costs: [CHEAP], signal: SIGNAL }));
  assertEquals(new Set(await Promise.all(logins)), new Set([true]));
  assertEquals(computed.length, 1);
});

Deno.test("PasswordVerifier.verify() computes so many digests at once, and turns away what is over the bound", async () => {
  let running = 0;
  let most = 0;
  const verifier = new PasswordVerifier({
    maxWaiting: 4,
    async derive(password, parameters) {
      most = Math.max(most, ++running);
      const digest = await deriveDigest(password, parameters);
      running--;
      return digest;
    },
  });
  const attempt = { username: "alice", password: "wrong", stored: undefined };
  const checks = Array.from({ length: 6 }, () => verifier.verify(attempt, { costs: [CHEAP, DEAR], signal: SIGNAL }));
  await assertRejects(() => verifier.verify(attempt, { costs: [CHEAP], signal: SIGNAL }), AuthorizerBusyError);
  await Promise.all(checks);
  assertEquals(most, 2);
});

Deno.test("PasswordVerifier.verify() lets remembered users in while others wait", async () => {
  const gate = Promise.withResolvers<void>();
  const { cheap } = await makeHashes();
  const verifier = new PasswordVerifier({
    maxRunning: 1,
    maxWaiting: 0,
    async derive(password, parameters) {
      if (password === "wrong") await gate.promise;
      return await deriveDigest(password, parameters);
    },
  });
  const options = { costs: [CHEAP], signal: SIGNAL };
  const alice = { username: "alice", password: "12345", stored: new StoredPassword(cheap) };
  await verifier.verify(alice, options);
  const slow = verifier.verify({ username: "bob", password: "wrong", stored: undefined }, options);
  assert(await verifier.verify(alice, options));
  gate.resolve();
  assert(!(await slow));
});

Deno.test("PasswordVerifier.verify() begins no further digest when its signal aborts, and drops what was remembered", async () => {
  const controller = new AbortController();
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let computed = 0;
  const { cheap } = await makeHashes();
  const verifier = new PasswordVerifier({
    maxRunning: 1,
    async derive(password, parameters) {
      computed++;
      begun.resolve();
      if (password === "wrong") await gate.promise;
      return await deriveDigest(password, parameters);
    },
  });
  const alice = { username: "alice", password: "12345", stored: new StoredPassword(cheap) };
  const costs = [CHEAP, DEAR];
  await verifier.verify(alice, { costs, signal: SIGNAL });
  const failing = verifier.verify({ ...alice, password: "wrong" }, { costs, signal: controller.signal });
  await begun.promise;
  controller.abort(new Error("left"));
  await assertRejects(() => failing, Error, "left");
  gate.resolve();
  // Waits for the only place, and so for the end of the check before.
  await verifier.verify({ ...alice, username: "bob" }, { costs, signal: SIGNAL });
  assertEquals(computed, 3);
  await verifier.verify(alice, { costs, signal: SIGNAL });
  assertEquals(computed, 4);
});

Deno.test("PasswordVerifier.verify() rejects at once for a signal that has aborted", async () => {
  const { verifier, computed } = makeObservedVerifier();
  const attempt = { username: "alice", password: "12345", stored: new StoredPassword("12345") };
  const signal = AbortSignal.abort(new Error("left"));
  await assertRejects(() => verifier.verify(attempt, { costs: [CHEAP], signal }), Error, "left");
  assertEquals(computed, []);
});

Deno.test("PasswordVerifier shows no password when it is inspected", async () => {
  const { verifier } = makeObservedVerifier();
  const stored = new StoredPassword("open sesame");
  await verifier.verify({ username: "alice", password: "open sesame", stored }, { costs: [], signal: SIGNAL });
  const shown = Deno.inspect([verifier, stored], { depth: 9, showHidden: true }) + JSON.stringify([verifier, stored]);
  assertNotMatch(shown, /open sesame/);
  assertMatch(shown, /PasswordVerifier/);
});

Deno.test("PasswordVerifier refuses bounds that make no sense", () => {
  assertThrows(() => new PasswordVerifier({ maxRunning: 0 }), RangeError);
  assertThrows(() => new PasswordVerifier({ maxWaiting: -1 }), RangeError);
  assertThrows(() => new PasswordVerifier({ maxRemembered: -1 }), RangeError, "Cannot remember -1 successes");
});

Deno.test("distinctCosts() compares every parameter", () => {
  const argon2 = { scheme: "argon2id", m: 256, t: 1, p: 1, length: 32 } as const;
  const bcrypt = { scheme: "bcrypt", rounds: 10 } as const;
  const costs: readonly HashCost[] = [
    ...[CHEAP, { ...CHEAP, ln: 11 }, { ...CHEAP, r: 2 }, { ...CHEAP, p: 2 }],
    ...[argon2, { ...argon2, m: 512 }, { ...argon2, t: 2 }, { ...argon2, p: 2 }, { ...argon2, length: 16 }],
    ...[bcrypt, { ...bcrypt, rounds: 11 }],
  ];
  assertEquals(distinctCosts([...costs, ...costs.map((cost) => ({ ...cost }))]), costs);
});

/** A password and its hash, by scheme. */
const HASHES = {
  scrypt: ["secret", await hashPassword("secret", { ln: 10 })],
  argon2id: ["secret", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$+H4vXYFWoXb2B34RuwJIpQ"],
  bcrypt: ["correct horse", "$2b$05$ADDsHBzVA.GQ2qWoG73rou24zDmmGp6I6cszwArb.APJNJaIgXRQ."],
} as const;

for (const [scheme, [password, hash]] of Object.entries(HASHES)) {
  Deno.test(`verifyPassword() accepts the password of a hash of ${scheme}, and no other`, async () => {
    assert(await verifyPassword(password, hash));
    for (const wrong of [password.toUpperCase(), `${password} `, ""]) {
      assert(!await verifyPassword(wrong, hash), wrong);
    }
  });
}

Deno.test("verifyPassword() refuses what is no hash that it knows, without showing it", async () => {
  for (const text of ["secret", "", "$1$salt$digest", "$scrypt$ln=99,r=8,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA"]) {
    const error = await assertRejects(() => verifyPassword("secret", text), SyntaxError);
    assert(text === "" || !error.message.includes(text));
  }
});

/** Passwords and what Python's "hashlib.scrypt" makes of them. */
const PYTHON_VECTORS = [
  ["correct horse", "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU"],
  ["x", "$scrypt$ln=17,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$DNuJ1yHV3+brdXpKBlSVH7/kFWVbu13B7HzPE0fN93I"],
  ["pässwörd€ 😀", "$scrypt$ln=10,r=8,p=3$//79/Pv6+fj39vX08/Lx8A$4WCf1NPlJUuxhpej6fIPVKE0VPJ4farspQYClp1gdw8"],
] as const;

Deno.test("verifyPassword() fits what Python's hashlib.scrypt gives", async () => {
  for (const [password, text] of PYTHON_VECTORS) {
    assert(await verifyPassword(password, text), text);
  }
});
