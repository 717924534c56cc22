import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import {
  computeKeyedDigest,
  deriveDigest,
  equalDigests,
  hashPassword,
  isPasswordHash,
  parsePasswordHash,
} from "../../lib/accounts/password_hash.ts";

const SALT = "AAECAwQFBgcICQoLDA0ODw";
const DIGEST = "JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU";

/** Passwords and what Python's `hashlib.scrypt` makes of them. */
const PYTHON_VECTORS = [
  ["correct horse", `$scrypt$ln=14,r=8,p=1$${SALT}$${DIGEST}`],
  ["x", `$scrypt$ln=17,r=8,p=1$${SALT}$DNuJ1yHV3+brdXpKBlSVH7/kFWVbu13B7HzPE0fN93I`],
  ["pässwörd€ 😀", "$scrypt$ln=10,r=8,p=3$//79/Pv6+fj39vX08/Lx8A$4WCf1NPlJUuxhpej6fIPVKE0VPJ4farspQYClp1gdw8"],
] as const;

Deno.test("deriveDigest() gives what Python's hashlib.scrypt gives", async () => {
  for (const [password, text] of PYTHON_VECTORS) {
    const hash = parsePasswordHash(text);
    assertEquals(new Uint8Array(await deriveDigest(password, hash)), hash.digest, text);
  }
});

Deno.test("deriveDigest() gives the test vector of RFC 7914 §12", async () => {
  const salt = new TextEncoder().encode("NaCl");
  const digest = await deriveDigest("password", { cost: { ln: 10, r: 8, p: 16 }, salt, length: 64 });
  assertEquals(
    new Uint8Array(digest).toHex(),
    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162" +
      "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
  );
});

Deno.test("deriveDigest() leaves the event loop free", async () => {
  let done = false;
  const digest = deriveDigest("x", { cost: { ln: 15, r: 8, p: 1 }, salt: new Uint8Array(16), length: 32 })
    .finally(() => done = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(!done);
  await digest;
});

Deno.test("hashPassword() has the default cost, a salt of 16 and a digest of 32 bytes", async () => {
  const text = await hashPassword("12345");
  assertMatch(text, /^\$scrypt\$ln=17,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
});

Deno.test("hashPassword() gives a hash that its own password fits, and no other", async () => {
  const hash = parsePasswordHash(await hashPassword("12345", { ln: 10, r: 4, p: 2 }));
  assertEquals(hash.cost, { ln: 10, r: 4, p: 2 });
  assert(equalDigests(await deriveDigest("12345", hash), hash.digest));
  assert(!equalDigests(await deriveDigest("12346", hash), hash.digest));
});

Deno.test("hashPassword() takes a new salt each time", async () => {
  assertNotEquals(await hashPassword("12345", { ln: 10 }), await hashPassword("12345", { ln: 10 }));
});

Deno.test("hashPassword() refuses an empty password and a cost out of range", async () => {
  await assertRejects(() => hashPassword(""), TypeError, "Cannot hash the password: it is empty");
  const message = "Cannot hash the password: ln is 9, not a whole number from 10 to 20";
  await assertRejects(() => hashPassword("12345", { ln: 9 }), RangeError, message);
  await assertRejects(() => hashPassword("12345", { r: 1.5 }), RangeError, "r is 1.5");
  await assertRejects(() => hashPassword("12345", { p: NaN }), RangeError, "p is NaN");
});

Deno.test("parsePasswordHash() reads cost, salt and digest", () => {
  const text = `$scrypt$ln=14,r=8,p=1$${SALT}$${DIGEST}`;
  const hash = parsePasswordHash(text);
  assertEquals(hash.text, text);
  assertEquals(hash.cost, { ln: 14, r: 8, p: 1 });
  assertEquals(hash.salt, Uint8Array.from({ length: 16 }, (_, index) => index));
  assertEquals(hash.digest.toHex().slice(0, 16), "25b376840366f4d3");
  assertEquals(hash.length, 32);
});

Deno.test("parsePasswordHash() accepts the greatest cost", () => {
  for (const cost of ["ln=20,r=8,p=1", "ln=16,r=8,p=16", "ln=10,r=32,p=16", "ln=10,r=1,p=1"]) {
    parsePasswordHash(`$scrypt$${cost}$${SALT}$${DIGEST}`);
  }
});

Deno.test("parsePasswordHash() refuses an absurd cost", () => {
  const refused = [
    ["ln=9,r=8,p=1", "ln is 9"],
    ["ln=21,r=1,p=1", "ln is 21"],
    ["ln=9999,r=8,p=1", "ln is 9999"],
    ["ln=17,r=33,p=1", "r is 33"],
    ["ln=17,r=8,p=17", "p is 17"],
    ["ln=20,r=9,p=1", "ln=20,r=9,p=1 is over"],
    ["ln=20,r=8,p=2", "ln=20,r=8,p=2 is over"],
  ] as const;
  for (const [cost, message] of refused) {
    assertThrows(() => parsePasswordHash(`$scrypt$${cost}$${SALT}$${DIGEST}`), SyntaxError, message);
  }
});

Deno.test("parsePasswordHash() refuses any other form, without quoting it", () => {
  const refused = [
    "",
    "12345",
    `$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${DIGEST}`,
    `$SCRYPT$ln=14,r=8,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=14,r=8$${SALT}$${DIGEST}`,
    `$scrypt$r=8,ln=14,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=014,r=8,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=14,r=0,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=-14,r=8,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=1e1,r=8,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=14,r=8,p=1$${SALT}==$${DIGEST}=`,
    `$scrypt$ln=14,r=8,p=1$${SALT}$${DIGEST.replace("4", "-")}`,
    `$scrypt$ln=14,r=8,p=1$AAECAwQFB$${DIGEST}`,
    `$scrypt$ln=14,r=8,p=1$${SALT}$${SALT.slice(1)}`,
    `$scrypt$ln=14,r=8,p=1$${SALT}$${"A".repeat(87)}`,
    `$scrypt$ln=14,r=8,p=1$${SALT}$${DIGEST}\n`,
    ` $scrypt$ln=14,r=8,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=14,r=8,p=1$${SALT}$`,
    // Not canonical base64: bits left over that are not zero, and a length that no bytes have.
    `$scrypt$ln=14,r=8,p=1$${SALT}$${DIGEST.slice(0, -1)}V`,
    `$scrypt$ln=14,r=8,p=1$${"A".repeat(21)}$${DIGEST}`,
  ];
  for (const text of refused) {
    const { message } = assertThrows(() => parsePasswordHash(text), SyntaxError, "Cannot read the password hash: it");
    assert(!(message.includes(SALT) || message.includes("12345") || message.includes(DIGEST)), text);
  }
});

Deno.test("isPasswordHash() takes what begins with a scheme for a hash", () => {
  for (const text of ["$scrypt$", "$scrypt$broken", "$2b$12$abc", "$argon2id$v=19$", "$6$salt$x", "$y$j9T$"]) {
    assert(isPasswordHash(text), text);
  }
  for (const text of ["", "12345", "$", "$$", "$5", "pass$word$", " $scrypt$", "$ a$"]) {
    assert(!isPasswordHash(text), text);
  }
});

Deno.test("computeKeyedDigest() is HMAC-SHA-256, and differs with key, parts and where they part", () => {
  const key = new TextEncoder().encode("key");
  const digest = computeKeyedDigest(key, ["a", "b"]);
  // Of the text ["a","b"].
  assertEquals(
    new Uint8Array(digest).toHex(),
    "4c9c68cc21ef697376ec27566b925e01f361aa92acb3008fac1053cbb7a30acf",
  );
  for (const parts of [["ab"], ["a", "b", ""], ['a","b'], ["b", "a"], []]) {
    assert(!equalDigests(computeKeyedDigest(key, parts), digest), JSON.stringify(parts));
  }
  assert(!equalDigests(computeKeyedDigest(new Uint8Array(3), ["a", "b"]), digest));
});

Deno.test("equalDigests() compares whole digests, and takes different lengths for different", () => {
  assert(equalDigests(new Uint8Array([1, 2]), new Uint8Array([1, 2])));
  assert(!equalDigests(new Uint8Array([1, 2]), new Uint8Array([1, 3])));
  assert(!equalDigests(new Uint8Array([1, 2]), new Uint8Array([1, 2, 0])));
});
