import { assert, assertEquals, assertThrows } from "@std/assert";
import { isImportedHash, parseImportedHash } from "../../lib/accounts/imported_hash.ts";

const SALT = "AAECAwQFBgcICQoLDA0ODw";
const DIGEST = "JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU";
const BCRYPT_SALT = "..CA.uOD/eaGAOmJB.yMBu";
const BCRYPT_DIGEST = "E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

Deno.test("parseImportedHash() reads cost, salt and digest of argon2id", () => {
  const text = `$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${DIGEST}`;
  const hash = parseImportedHash(text);
  assertEquals(hash.text, text);
  assertEquals(hash.cost, { scheme: "argon2id", m: 65536, t: 3, p: 4, length: 32 });
  assertEquals(hash.salt, Uint8Array.from({ length: 16 }, (_, index) => index));
  assertEquals(hash.digest.toHex().slice(0, 16), "25b376840366f4d3");
});

Deno.test("parseImportedHash() reads cost, salt and digest of bcrypt", () => {
  for (const variant of ["2a", "2b", "2y"]) {
    const text = `$${variant}$05$${BCRYPT_SALT}${BCRYPT_DIGEST}`;
    const hash = parseImportedHash(text);
    assertEquals(hash.text, text);
    assertEquals(hash.cost, { scheme: "bcrypt", rounds: 5 });
    assertEquals(hash.salt, Uint8Array.from({ length: 16 }, (_, index) => index));
    assertEquals(hash.digest.length, 23);
  }
});

Deno.test("parseImportedHash() accepts the bounds of the cost", () => {
  for (const cost of ["m=262144,t=4,p=1", "m=7168,t=146,p=1", "m=8,t=1,p=1", "m=512,t=1,p=64"]) {
    parseImportedHash(`$argon2id$v=19$${cost}$${SALT}$${DIGEST}`);
  }
  for (const cost of ["04", "14"]) parseImportedHash(`$2b$${cost}$${BCRYPT_SALT}${BCRYPT_DIGEST}`);
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

Deno.test("parseImportedHash() refuses other variants and forms and absurd costs, without quoting the text", () => {
  for (const [text, reason] of REFUSED) {
    const { message } = assertThrows(() => parseImportedHash(text), SyntaxError, "Cannot read the password hash: ");
    assert(message.includes(reason), `${text}: ${message}`);
    assert(![SALT, DIGEST, BCRYPT_SALT, BCRYPT_DIGEST].some((secret) => message.includes(secret)), message);
  }
});

Deno.test("isImportedHash() tells argon2 and bcrypt of any variant from other schemes", () => {
  for (const text of ["$argon2id$", "$argon2i$v=19", "$argon2$", "$2$", "$2a$", "$2b$12$x", "$2x$", "$2y$"]) {
    assert(isImportedHash(text), text);
  }
  for (const text of ["$scrypt$", "$2", "2b$12$", "$20$", "$2abc$", "$5$salt$x", "$6$", "$y$", ""]) {
    assert(!isImportedHash(text), text);
  }
});
