import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import {
  computeKeyedDigest,
  deriveDigest,
  deriveHere,
  deriveImportedDigest,
  deriveInWorker,
  equalDigests,
  LIBRARY,
  makeTask,
} from "../../lib/accounts/password_digest.ts";
import { parsePasswordHash } from "../../lib/accounts/password_hash.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const MODULE = new URL("../../lib/accounts/password_digest.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const SALT = new Uint8Array(16);
const CHEAP = { scheme: "bcrypt", rounds: 4 } as const;

/** From the tests of argon2's reference implementation, of crypt_blowfish, and from Python's argon2-cffi and bcrypt. */
const VECTORS: readonly (readonly [password: string, hash: string])[] = [
  ["password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"],
  [
    "correct horse",
    "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$0AuQxA+RjPiJeA19Op7DwrFxnfh9xeTU2T6mFj2wThc",
  ],
  [
    "pässwörd€ 😀",
    "$argon2id$v=19$m=1024,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$" +
    "533uRDlERORGnIMlsPLuea5ZMQmIQ5opWrU7Ud4bNAEl4aQ7L/MSfre1dZbB6Q3Wc/8+YRj63U1AqDCua/QgDw",
  ],
  ["x".repeat(300), "$argon2id$v=19$m=2048,t=1,p=2$AAECAwQFBgc$3cV7P4P0QuFGvCexIum0Cg"],
  ["U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"],
  ["U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"],
  [
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
    "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
  ],
  ["correct horse", "$2a$05$AZQFrWPkv7RJUIUgEFlN7.HERDKQI8wmzj/0vhBl08DoSZZFvvKEK"],
  ["correct horse", "$2b$05$ADDsHBzVA.GQ2qWoG73rou24zDmmGp6I6cszwArb.APJNJaIgXRQ."],
  ["pässwörd€ 😀", "$2y$04$ExcPnAVKeu6MDbRISeJC.umf8BVwh573Onq27NXHZQOtFPg/ZPFie"],
  ["y".repeat(72), "$2b$04$iaNSqFhEQq/eRqlSimEYT.6/eceOjt/t03KDICkW0wrEZ7Z3dxmLK"],
];

function parseImported(text: string) {
  const { cost, ...rest } = parsePasswordHash(text);
  assert(cost.scheme !== "scrypt");
  return { cost, ...rest };
}

Deno.test("deriveDigest() returns the test vector of RFC 7914 §12", async () => {
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

Deno.test("deriveImportedDigest() returns what other implementations give", async () => {
  for (const [password, text] of VECTORS) {
    const { cost, salt, digest } = parseImported(text);
    assertEquals((await deriveImportedDigest(password, cost, salt)).toHex(), digest.toHex(), text);
  }
});

Deno.test("deriveHere() returns the same as a worker", async () => {
  for (const [password, text] of VECTORS.slice(1, 5)) {
    const { cost, salt } = parseImported(text);
    const task = makeTask(password, cost, salt);
    assertEquals((await deriveHere(task)).toHex(), (await deriveInWorker(task))?.toHex(), text);
  }
});

Deno.test("deriveImportedDigest() computes something for an empty password, which the library refuses", async () => {
  const argon2 = { scheme: "argon2id", m: 1024, t: 1, p: 1, length: 32 } as const;
  assertEquals((await deriveImportedDigest("", argon2, SALT)).length, 32);
  assertEquals((await deriveImportedDigest("", CHEAP, SALT)).length, 23);
});

Deno.test("deriveImportedDigest() leaves the event loop free", async () => {
  await deriveHere(makeTask("x", CHEAP, SALT)); // So that importing the library gives the loop no time to turn.
  let done = false;
  const digest = deriveImportedDigest("x", { scheme: "bcrypt", rounds: 11 }, SALT).finally(() => done = true);
  let turns = 0;
  for (; !done; turns++) await new Promise((resolve) => setTimeout(resolve, 0));
  await digest;
  assertGreater(turns, 10);
});

Deno.test("deriveInWorker() reports when the library cannot be imported", async () => {
  const task = makeTask("x", CHEAP, SALT);
  assertEquals(await deriveInWorker(task, "data:application/javascript,throw new Error()"), undefined);
});

Deno.test("deriveInWorker() passes a failure of the library on, without the password", async () => {
  const task = makeTask("open sesame", CHEAP, SALT.subarray(1));
  const { message } = await assertRejects(
    () => deriveInWorker(task),
    Error,
    "Cannot compute the digest of a password: Error: Salt should be 16 bytes long",
  );
  assert(!message.includes("sesame"));
});

Deno.test("LIBRARY is the version that the import map pins", () => {
  assertEquals(LIBRARY, project.imports["hash-wasm"]);
});

Deno.test("deriveInWorker() takes no permission", async () => {
  await using folder = await TemporaryFolder.create();
  const program = `${folder.path}/derive.ts`;
  await Deno.writeTextFile(
    program,
    `import { deriveInWorker, makeTask } from ${JSON.stringify(MODULE.href)};
     const digest = await deriveInWorker(makeTask("x", ${JSON.stringify(CHEAP)}, new Uint8Array(16)));
     console.log(digest?.length);`,
  );
  const args = ["run", "--no-prompt", "--no-check", "--config", CONFIG, program];
  assertEquals(await requireProgram(Deno.execPath(), args, { env: { NO_COLOR: "1" } }), "24\n");
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
