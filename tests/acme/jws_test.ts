import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createHash, createHmac, createPublicKey, verify } from "node:crypto";
import {
  bindExternalAccount,
  createAccountKey,
  isExternalKey,
  keyAuthorization,
  readAccountKey,
  signRequest,
} from "../../lib/acme/jws.ts";

function decode(part: string): Record<string, unknown> {
  return JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
}

Deno.test("signRequest() signs what RFC 7515 says, with the key of the account", async () => {
  const key = await readAccountKey(await createAccountKey());
  const jws = await signRequest(key, { nonce: "n", url: "https://ca/x", kid: "https://ca/1" }, { a: 1 });
  assertEquals(decode(jws.protected), { alg: "ES256", nonce: "n", url: "https://ca/x", kid: "https://ca/1" });
  assertEquals(decode(jws.payload), { a: 1 });
  const publicKey = createPublicKey({ key: { ...key.jwk }, format: "jwk" });
  const signature = Uint8Array.fromBase64(jws.signature, { alphabet: "base64url" });
  const input = new TextEncoder().encode(`${jws.protected}.${jws.payload}`);
  assert(verify("sha256", input, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature));
  assertEquals((await signRequest(key, {}, undefined)).payload, ""); // POST-as-GET
});

Deno.test("keyAuthorization() ends with the thumbprint of RFC 7638", async () => {
  const key = await readAccountKey(await createAccountKey());
  const { x, y } = key.jwk;
  const thumbprint = createHash("sha256").update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).digest(
    "base64url",
  );
  assertEquals(await keyAuthorization(key, "token"), `token.${thumbprint}`);
});

Deno.test("bindExternalAccount() signs the key of the account with that of the CA", async () => {
  const { jwk } = await readAccountKey(await createAccountKey());
  const secret = new Uint8Array(32).fill(0xfb); // base64 and base64url differ
  const url = "https://ca/new-account";
  for (const text of [secret.toBase64({ alphabet: "base64url" }), secret.toBase64(), `${secret.toBase64()}\n`]) {
    const jws = await bindExternalAccount({ keyId: "kid-1", key: text }, jwk, url);
    assertEquals(decode(jws.protected), { alg: "HS256", kid: "kid-1", url });
    assertEquals(decode(jws.payload), { ...jwk });
    const hmac = createHmac("sha256", secret).update(`${jws.protected}.${jws.payload}`).digest("base64url");
    assertEquals(jws.signature, hmac);
  }
});

Deno.test("isExternalKey() refuses what is no base64url, and no error shows it", async () => {
  assert(isExternalKey("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"));
  for (const text of ["", "a.b", "a=b=c", "päß"]) assert(!isExternalKey(text), text);
  const { jwk } = await readAccountKey(await createAccountKey());
  const error = await assertRejects(() => bindExternalAccount({ keyId: "k", key: "no.key" }, jwk, ""), TypeError);
  assertMatch(error.message, /^Cannot use the key of the external account/);
  assert(!error.message.includes("no.key"));
});

Deno.test("readAccountKey() refuses what is no key", async () => {
  await assertRejects(() => readAccountKey("AAAA"), TypeError, "Cannot read the key of the account");
});
