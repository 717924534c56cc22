import { assert, assertEquals, assertThrows } from "@std/assert";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { findRehashReason, parseStoredHash } from "../../lib/accounts/stored_hash.ts";

const PARTS = "AAECAwQFBgcICQoLDA0ODw$JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU";
const BCRYPT_PARTS = "..CA.uOD/eaGAOmJB.yMBuE5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

Deno.test("parseStoredHash() reads each scheme", () => {
  const scrypt = parseStoredHash(`$scrypt$ln=17,r=8,p=1$${PARTS}`);
  assert("hash" in scrypt);
  assertEquals(scrypt.hash.cost, { ln: 17, r: 8, p: 1 });
  const argon2 = parseStoredHash(`$argon2id$v=19$m=65536,t=3,p=4$${PARTS}`);
  assert("imported" in argon2);
  assertEquals(argon2.imported.cost.scheme, "argon2id");
  const bcrypt = parseStoredHash(`$2b$12$${BCRYPT_PARTS}`);
  assert("imported" in bcrypt);
  assertEquals(bcrypt.imported.cost.scheme, "bcrypt");
});

Deno.test("parseStoredHash() refuses other schemes and clear text, without quoting them", () => {
  const other = "Cannot read the password hash: its scheme is not scrypt, argon2id or bcrypt";
  for (const text of ["$6$salt$sesame", "$y$j9T$sesame", "$pbkdf2-sha256$sesame", "sesame", "", "$SCRYPT$sesame"]) {
    const { message } = assertThrows(() => parseStoredHash(text), SyntaxError);
    assertEquals(message, other, text);
  }
  for (const text of ["$scrypt$sesame", "$argon2i$sesame", "$2b$sesame"]) {
    const { message } = assertThrows(() => parseStoredHash(text), SyntaxError, "Cannot read the password hash: ");
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

Deno.test("findRehashReason() tells which hashes cost less than one made today", () => {
  for (const [text, reason] of STRENGTHS) assertEquals(findRehashReason(text), reason, text);
});

Deno.test("findRehashReason() has nothing against what hashPassword() makes", async () => {
  assertEquals(findRehashReason(await hashPassword("12345")), undefined);
});

Deno.test("findRehashReason() refuses what is no hash", () => {
  assertThrows(() => findRehashReason("12345"), SyntaxError);
});
