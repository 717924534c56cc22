import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { UsedCodes } from "../../lib/accounts/code_register.ts";
import { TotpFactor, type TotpFactorOptions } from "../../lib/accounts/totp_factor.ts";
import { Secret } from "otpauth";
import { CODE_SECRET, codeAt } from "../helpers/codes.ts";

/** RFC 6238 appendix B: seconds, algorithm, code. */
const VECTORS = [
  [59, "SHA1", "94287082"],
  [59, "SHA256", "46119246"],
  [59, "SHA512", "90693936"],
  [1111111109, "SHA1", "07081804"],
  [1111111109, "SHA256", "68084774"],
  [1111111109, "SHA512", "25091201"],
  [1111111111, "SHA1", "14050471"],
  [1111111111, "SHA256", "67062674"],
  [1111111111, "SHA512", "99943326"],
  [1234567890, "SHA1", "89005924"],
  [1234567890, "SHA256", "91819424"],
  [1234567890, "SHA512", "93441116"],
  [2000000000, "SHA1", "69279037"],
  [2000000000, "SHA256", "90698825"],
  [2000000000, "SHA512", "38618901"],
  [20000000000, "SHA1", "65353130"],
  [20000000000, "SHA256", "77737706"],
  [20000000000, "SHA512", "47863826"],
] as const;
const BYTES = { SHA1: 20, SHA256: 32, SHA512: 64 };
const NOW = 1_700_000_010_000;

function secretOf(bytes: number): string {
  return Secret.fromUTF8("1234567890".repeat(7).slice(0, bytes)).base32;
}

/** A register whose process has begun long ago. */
function oldRegister(): UsedCodes {
  return new UsedCodes({ now: () => 0 });
}

/** Whether a code is right, with the right password. */
async function confirms(code: string, options: Partial<TotpFactorOptions> = {}, username = "alice"): Promise<boolean> {
  const factor = new TotpFactor({ secret: CODE_SECRET, register: oldRegister(), now: () => NOW, ...options });
  const attempt = { username, passwordHash: "$x", given: `secret${code}`, remoteHost: "192.0.2.1" };
  return await (await factor.look(attempt)).confirm();
}

Deno.test("TotpFactor knows the codes of RFC 6238", async () => {
  for (const [seconds, algorithm, code] of VECTORS) {
    const options = { secret: secretOf(BYTES[algorithm]), algorithm, digits: 8, now: () => seconds * 1000 };
    const register = new UsedCodes({ now: () => -1e12 });
    assert(await confirms(code, { ...options, register }), `${seconds} ${algorithm}`);
    assert(await confirms(code.slice(2), { ...options, register, digits: 6 }, "bob"));
    const other = `${code.slice(0, -1)}${(Number(code.at(-1)) + 1) % 10}`;
    assert(!await confirms(other, options));
  }
});

Deno.test("TotpFactor takes codes of clocks that are wrong by a period, and no others", async () => {
  const taken = [];
  for (const steps of [-2, -1, 0, 1, 2]) taken.push(await confirms(codeAt(NOW, steps)));
  assertEquals(taken, [false, true, true, true, false]);
});

Deno.test("TotpFactor takes nothing that is no code", async () => {
  const code = codeAt(NOW);
  const full = Array.from(code, (digit) => String.fromCharCode(0xff10 + Number(digit))).join("");
  for (const given of ["", "0", code.slice(1), ` ${code.slice(1)}`, `${code} `, full, "-".repeat(6), "abcdef"]) {
    assert(!await confirms(given), JSON.stringify(given));
  }
});

Deno.test("TotpFactor uses a code up only when it is confirmed, once for an account", async () => {
  const register = oldRegister();
  const factor = new TotpFactor({ secret: CODE_SECRET, remember: 0, register, now: () => NOW });
  const look = (username: string) =>
    factor.look({ username, passwordHash: "", given: `secret${codeAt(NOW)}`, remoteHost: "192.0.2.1" });
  for (let times = 0; times < 5; times++) await look("alice"); // with wrong passwords
  assert(await (await look("alice")).confirm());
  assert(!(await (await look("alice")).confirm()));
  assert(await (await look("bob")).confirm());
});

Deno.test("TotpFactor recalls the same password and code of the same address block for as long as is set", async () => {
  const clock = { now: 0 };
  const register = new UsedCodes({ now: () => 0, monotonicNow: () => clock.now });
  const factor = new TotpFactor({ secret: CODE_SECRET, remember: 60, register, now: () => NOW });
  const attempt = { username: "alice", passwordHash: "$x", given: `secret${codeAt(NOW)}`, remoteHost: "2001:db8::1" };
  const recalls = async (change: Partial<typeof attempt> = {}) =>
    (await factor.look({ ...attempt, ...change })).isRecalled;
  assert(!await recalls());
  assert(await (await factor.look(attempt)).confirm());
  assertEquals([await recalls(), await recalls({ remoteHost: "2001:db8::2" })], [true, true]);
  for (
    const change of [
      { remoteHost: "2001:db8:1::1" },
      { passwordHash: "$y" },
      { username: "bob" },
      { given: `other${codeAt(NOW)}` },
      { given: `secret${codeAt(NOW, 1)}` },
    ]
  ) assert(!await recalls(change), JSON.stringify(change));
  clock.now = 59_999;
  assert(await recalls());
  clock.now = 60_000;
  assert(!await recalls());
  assert(!(await (await factor.look(attempt)).confirm()));
});

Deno.test("TotpFactor says that nobody can tell where the register is out of reach", async () => {
  const away = () => Promise.reject(new Error("no connection"));
  for (const register of [{ recalls: () => false, use: away }, { recalls: away, use: () => true }]) {
    const error = await assertRejects(() => confirms(codeAt(NOW), { register }), AuthorizerBusyError);
    assert(!error.countsAsFailure);
  }
});

Deno.test("TotpFactor refuses secrets that are none, and does not show them", () => {
  for (const secret of ["", "GEZDGNBVGY3TQOJQ", "geheim!!geheim!!geheim!!geheim!!", "1".repeat(32)]) {
    const error = assertThrows(() => new TotpFactor({ secret }), RangeError);
    assert(!(secret !== "" && error.message.includes(secret)));
  }
});
