import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { classifyPassword, findPasswordProblem, hashNewPassword } from "../../lib/check/account_findings.ts";

const PARTS = "AAECAwQFBgcICQoLDA0ODw$JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU";

Deno.test("classifyPassword() distinguishes hashes, clear text and what cannot be used", () => {
  assertEquals(classifyPassword(`$scrypt$ln=17,r=8,p=1$${PARTS}`), { kind: "hash" });
  assertEquals(classifyPassword(`$argon2id$v=19$m=65536,t=3,p=4$${PARTS}`), { kind: "hash" });
  assertEquals(classifyPassword(`$scrypt$ln=14,r=8,p=1$${PARTS}`), {
    kind: "hash",
    rehash: "scrypt with ln=14,r=8 is less than ln=17,r=8",
  });
  for (const text of ["12345", "", "$", "pass$word$", "2b$12$abc"]) {
    assertEquals(classifyPassword(text), { kind: "clearText" }, text);
  }
  assertEquals(classifyPassword("$6$salt$digest"), {
    kind: "unsound",
    reason: "Cannot read the password hash: its scheme is not scrypt, argon2id or bcrypt",
  });
  assertEquals(classifyPassword(`$argon2i$v=19$m=65536,t=3,p=4$${PARTS}`), {
    kind: "unsound",
    reason: "Cannot read the password hash: argon2i is not accepted, only argon2id",
  });
});

Deno.test("findPasswordProblem() refuses what clients cannot send and what nobody types", () => {
  for (const password of ["1", " a b ", "pässwörd€ 😀", "x".repeat(512), "€".repeat(170), "$scrypt$"]) {
    assertEquals(findPasswordProblem(password), undefined, password);
  }
  const refused = [
    ["", "is empty"],
    ["a\tb", "has control characters, which not every client can send"],
    ["a\x7f", "has control characters, which not every client can send"],
    ["a\0", "has control characters, which not every client can send"],
    ["a\u0085", "has control characters, which not every client can send"],
    ["a\ufffd", "is not UTF-8"],
    ["x".repeat(513), "is 513 bytes long, more than 512"],
    ["€".repeat(171), "is 513 bytes long, more than 512"],
  ] as const;
  for (const [password, problem] of refused) assertEquals(findPasswordProblem(password), problem, password);
});

Deno.test("hashNewPassword() makes a hash as good as any, and only of a good password", async () => {
  const text = await hashNewPassword("12345");
  assertMatch(text, /^\$scrypt\$ln=17,r=8,p=1\$/);
  assertEquals(classifyPassword(text), { kind: "hash" });
  const { message } = await assertRejects(() => hashNewPassword("sesame\n"), TypeError, "Cannot hash the password: it");
  assert(!message.includes("sesame"));
});
