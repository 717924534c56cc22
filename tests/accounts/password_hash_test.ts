import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import {
  findRehashReason,
  hashPassword,
  isPasswordHash,
  parsePasswordHash,
  StoredPassword,
} from "../../lib/accounts/password_hash.ts";
import { verifyPassword } from "../../lib/accounts/password_verifier.ts";

const SALT = "AAECAwQFBgcICQoLDA0ODw";
const DIGEST = "JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU";

Deno.test("hashPassword() has the default cost, a salt of 16 and a digest of 32 bytes", async () => {
  const text = await hashPassword("12345");
  assertMatch(text, /^\$scrypt\$ln=17,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
});

Deno.test("hashPassword() returns a hash that its own password fits, and no other", async () => {
  const text = await hashPassword("12345", { ln: 10, r: 4, p: 2 });
  assertEquals(parsePasswordHash(text).cost, { scheme: "scrypt", ln: 10, r: 4, p: 2 });
  assert(await verifyPassword("12345", text));
  assert(!await verifyPassword("12346", text));
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
  assertEquals(hash.cost, { scheme: "scrypt", ln: 14, r: 8, p: 1 });
  assertEquals(hash.salt, Uint8Array.from({ length: 16 }, (_, index) => index));
  assertEquals(hash.digest.toHex().slice(0, 16), "25b376840366f4d3");
  assertEquals(hash.digest.length, 32);
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

const BCRYPT_SALT = "..CA.uOD/eaGAOmJB.yMBu";
const BCRYPT_DIGEST = "E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

Deno.test("parsePasswordHash() reads cost, salt and digest of argon2id", () => {
  const text = `$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${DIGEST}`;
  const hash = parsePasswordHash(text);
  assertEquals(hash.text, text);
  assertEquals(hash.cost, { scheme: "argon2id", m: 65536, t: 3, p: 4, length: 32 });
  assertEquals(hash.salt, Uint8Array.from({ length: 16 }, (_, index) => index));
  assertEquals(hash.digest.toHex().slice(0, 16), "25b376840366f4d3");
});

Deno.test("parsePasswordHash() reads cost, salt and digest of bcrypt", () => {
  for (const variant of ["2a", "2b", "2y"]) {
    const text = `$${variant}$05$${BCRYPT_SALT}${BCRYPT_DIGEST}`;
    const hash = parsePasswordHash(text);
    assertEquals(hash.text, text);
    assertEquals(hash.cost, { scheme: "bcrypt", rounds: 5 });
    assertEquals(hash.salt, Uint8Array.from({ length: 16 }, (_, index) => index));
    assertEquals(hash.digest.length, 23);
  }
});

Deno.test("parsePasswordHash() accepts the bounds of the cost", () => {
  for (const cost of ["m=262144,t=4,p=1", "m=7168,t=146,p=1", "m=8,t=1,p=1", "m=512,t=1,p=64"]) {
    parsePasswordHash(`$argon2id$v=19$${cost}$${SALT}$${DIGEST}`);
  }
  for (const cost of ["04", "14"]) parsePasswordHash(`$2b$${cost}$${BCRYPT_SALT}${BCRYPT_DIGEST}`);
});

const ARGON2_FORM = 'it is not of the form "$argon2id$v=19$m=65536,t=3,p=4$salt$digest"';
const BCRYPT_FORM = 'it is not of the form "$2b$12$" and 53 characters of salt and digest';
const GOOD_COST = "v=19$m=65536,t=3,p=4";

/** Hashes that are refused, and why. */
const REFUSED: readonly (readonly [text: string, reason: string])[] = [
  [`$argon2i$${GOOD_COST}$${SALT}$${DIGEST}`, "argon2i is not accepted, only argon2id"],
  [`$argon2d$${GOOD_COST}$${SALT}$${DIGEST}`, "argon2d is not accepted, only argon2id"],
  [`$argon2id$m=65536,t=3,p=4$${SALT}$${DIGEST}`, "its version is 16, not 19"],
  [`$argon2id$v=16$m=65536,t=3,p=4$${SALT}$${DIGEST}`, "its version is 16, not 19"],
  [`$argon2id$v=19$m=262145,t=1,p=1$${SALT}$${DIGEST}`, "m is 262145, over 262144 KiB (256 MiB)"],
  [`$argon2id$v=19$m=999999999,t=1,p=1$${SALT}$${DIGEST}`, "m is 999999999, over"],
  [`$argon2id$v=19$m=262144,t=5,p=1$${SALT}$${DIGEST}`, "m=262144,t=5 is over m·t = 1048576 KiB (1 GiB)"],
  [`$argon2id$v=19$m=8,t=999999999,p=1$${SALT}$${DIGEST}`, "m=8,t=999999999 is over"],
  [`$argon2id$v=19$m=31,t=1,p=4$${SALT}$${DIGEST}`, "m is 31, less than 8·p = 32"],
  [`$argon2id$v=19$m=65536,t=1,p=65$${SALT}$${DIGEST}`, "p is 65, not from 1 to 64"],
  [`$argon2id$v=19$m=9999999999,t=1,p=1$${SALT}$${DIGEST}`, ARGON2_FORM],
  [`$argon2id$v=19$m=65536,t=0,p=1$${SALT}$${DIGEST}`, ARGON2_FORM],
  [`$argon2id$v=19$m=065536,t=1,p=1$${SALT}$${DIGEST}`, ARGON2_FORM],
  [`$argon2id$v=19$t=3,m=65536,p=4$${SALT}$${DIGEST}`, ARGON2_FORM],
  [`$argon2id$v=19$m=65536,t=3,p=4,data=AAAA$${SALT}$${DIGEST}`, ARGON2_FORM],
  [`$argon2id$${GOOD_COST}$${SALT}`, ARGON2_FORM],
  [`$argon2id$${GOOD_COST}$AAECAwQFB$${DIGEST}`, ARGON2_FORM],
  [`$argon2id$${GOOD_COST}$${SALT}$AAECAwQFBgcICQoLDA0O`, ARGON2_FORM],
  [`$argon2id$${GOOD_COST}$${SALT}$${DIGEST}\n`, ARGON2_FORM],
  [`$argon2id$${GOOD_COST}$${SALT}$${DIGEST.slice(0, -1)}V`, "its salt or digest is not base64 without padding"],
  [`$argon2$${GOOD_COST}$${SALT}$${DIGEST}`, ARGON2_FORM],
  [`$2b$15$${BCRYPT_SALT}${BCRYPT_DIGEST}`, "its cost is 15, not from 4 to 14"],
  [`$2b$99$${BCRYPT_SALT}${BCRYPT_DIGEST}`, "its cost is 99, not from 4 to 14"],
  [`$2b$03$${BCRYPT_SALT}${BCRYPT_DIGEST}`, "its cost is 3, not from 4 to 14"],
  [`$2x$05$${BCRYPT_SALT}${BCRYPT_DIGEST}`, '"$2x$" marks a faulty bcrypt; hash the password again'],
  [`$2$05$${BCRYPT_SALT}${BCRYPT_DIGEST}`, BCRYPT_FORM],
  [`$2c$05$${BCRYPT_SALT}${BCRYPT_DIGEST}`, BCRYPT_FORM],
  [`$2b$5$${BCRYPT_SALT}${BCRYPT_DIGEST}`, BCRYPT_FORM],
  [`$2b$05$${BCRYPT_SALT}${BCRYPT_DIGEST}.`, BCRYPT_FORM],
  [`$2b$05$${BCRYPT_SALT}${BCRYPT_DIGEST.slice(1)}`, BCRYPT_FORM],
  [`$2b$05$${BCRYPT_SALT}${BCRYPT_DIGEST.slice(1)}+`, BCRYPT_FORM],
  [`$2b$05$${BCRYPT_SALT}${BCRYPT_DIGEST}\n`, BCRYPT_FORM],
];

Deno.test("parsePasswordHash() refuses other variants and forms and absurd costs, without quoting the text", () => {
  for (const [text, reason] of REFUSED) {
    const { message } = assertThrows(() => parsePasswordHash(text), SyntaxError, "Cannot read the password hash: ");
    assert(message.includes(reason), `${text}: ${message}`);
    assert(![SALT, DIGEST, BCRYPT_SALT, BCRYPT_DIGEST].some((secret) => message.includes(secret)), message);
  }
});

const PARTS = `${SALT}$${DIGEST}`;
const BCRYPT_PARTS = `${BCRYPT_SALT}${BCRYPT_DIGEST}`;

Deno.test("parsePasswordHash() refuses other schemes and clear text, without quoting them", () => {
  const other = "Cannot read the password hash: its scheme is not scrypt, argon2id or bcrypt";
  for (const text of ["$6$salt$sesame", "$y$j9T$sesame", "$pbkdf2-sha256$sesame", "sesame", "", "$SCRYPT$sesame"]) {
    const { message } = assertThrows(() => parsePasswordHash(text), SyntaxError);
    assertEquals(message, other, text);
  }
  for (const text of ["$scrypt$sesame", "$argon2i$sesame", "$2b$sesame"]) {
    const { message } = assertThrows(() => parsePasswordHash(text), SyntaxError, "Cannot read the password hash: ");
    assert(!message.includes("sesame"), message);
  }
});

/** Parameters, and why they are too little; nothing: they are enough. */
const STRENGTHS: readonly (readonly [text: string, reason?: string])[] = [
  [`$scrypt$ln=17,r=8,p=1$${PARTS}`],
  [`$scrypt$ln=18,r=4,p=1$${PARTS}`],
  [`$scrypt$ln=20,r=8,p=1$${PARTS}`],
  [`$scrypt$ln=16,r=8,p=1$${PARTS}`, "scrypt with ln=16,r=8 is less than ln=17,r=8"],
  [`$scrypt$ln=14,r=8,p=16$${PARTS}`, "scrypt with ln=14,r=8 is less than ln=17,r=8"],
  [`$argon2id$v=19$m=19456,t=2,p=1$${PARTS}`],
  [`$argon2id$v=19$m=47104,t=1,p=1$${PARTS}`],
  [`$argon2id$v=19$m=12288,t=3,p=1$${PARTS}`],
  [`$argon2id$v=19$m=9216,t=4,p=1$${PARTS}`],
  [`$argon2id$v=19$m=7168,t=5,p=1$${PARTS}`],
  [`$argon2id$v=19$m=65536,t=3,p=4$${PARTS}`],
  [`$argon2id$v=19$m=47103,t=1,p=1$${PARTS}`, "argon2id with m=47103,t=1 is less than m=19456,t=2"],
  [`$argon2id$v=19$m=4096,t=3,p=1$${PARTS}`, "argon2id with m=4096,t=3 is less than m=19456,t=2"],
  [`$argon2id$v=19$m=7167,t=100,p=1$${PARTS}`, "argon2id with m=7167,t=100 is less than m=19456,t=2"],
  [`$2b$10$${BCRYPT_PARTS}`],
  [`$2y$12$${BCRYPT_PARTS}`],
  [`$2a$09$${BCRYPT_PARTS}`, "bcrypt with cost 9 is less than 10"],
];

Deno.test("findRehashReason() says which hashes cost less than one made today", () => {
  for (const [text, reason] of STRENGTHS) assertEquals(findRehashReason(text), reason, text);
});

Deno.test("findRehashReason() has nothing against what hashPassword() makes", async () => {
  assertEquals(findRehashReason(await hashPassword("12345")), undefined);
});

Deno.test("findRehashReason() refuses what is no hash", () => {
  assertThrows(() => findRehashReason("12345"), SyntaxError);
});

Deno.test("new StoredPassword() keeps a hash, and clear text for fitsClearText() only", async () => {
  const text = await hashPassword("12345", { ln: 10 });
  const hashed = new StoredPassword(text);
  assertEquals(hashed.hash?.text, text);
  for (const password of ["12345", text]) assert(!hashed.fitsClearText(password));
  const clear = new StoredPassword("12345");
  assertEquals(clear.hash, undefined);
  assert(clear.fitsClearText("12345"));
  for (const password of ["", "1234", "12345 "]) assert(!clear.fitsClearText(password));
});

Deno.test("new StoredPassword() refuses an empty password and unsound hashes", () => {
  assertThrows(() => new StoredPassword(""), TypeError, "Cannot keep the password: it is empty");
  for (const text of ["$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=1$a$b", "$scrypt$ln=99,r=8,p=1$a$b"]) {
    assertThrows(() => new StoredPassword(text), SyntaxError, "Cannot read the password hash");
  }
});
