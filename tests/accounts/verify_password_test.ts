import { assert, assertRejects } from "@std/assert";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { verifyPassword } from "../../lib/accounts/verify_password.ts";

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
