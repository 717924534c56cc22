/**
 * What an ACME client signs: JSON Web Signatures of an account key (RFC 8555 §6.2, RFC 7515), its thumbprint (RFC 7638), and
 * the binding of an account that a CA knows already (RFC 8555 §7.3.4).
 *
 * @module
 */

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HMAC = { name: "HMAC", hash: "SHA-256" } as const;
const IS_EXTRACTABLE = true;

/** The public part of an account key, its members in the order of RFC 7638 §3. */
export interface AccountJwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

/** The key of an account. */
export interface AccountKey {
  readonly jwk: AccountJwk;
  readonly privateKey: CryptoKey;
}

/** A signed request, in the form that goes over the wire. */
export interface FlattenedJws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** Who signs beside the account: an id and a key that the CA has handed out. */
export interface ExternalAccount {
  readonly keyId: string;
  /** The key of the HMAC, in base64url. */
  readonly key: string;
}

/** Makes a key of ECDSA on P-256, as PKCS #8 in base64. */
export async function createAccountKey(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey(ECDSA, IS_EXTRACTABLE, ["sign", "verify"]);
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)).toBase64();
}

/**
 * Reads such a key.
 *
 * @throws {TypeError} When it is none.
 */
export async function readAccountKey(pkcs8: string): Promise<AccountKey> {
  try {
    const bytes = Uint8Array.fromBase64(pkcs8);
    const privateKey = await crypto.subtle.importKey("pkcs8", bytes, ECDSA, IS_EXTRACTABLE, ["sign"]);
    const { crv = "", kty = "", x = "", y = "" } = await crypto.subtle.exportKey("jwk", privateKey);
    return { privateKey, jwk: { crv, kty, x, y } };
  } catch (cause) {
    throw new TypeError("Cannot read the key of the account", { cause });
  }
}

/**
 * Signs a request.
 *
 * @param header What is protected, beside the algorithm: `nonce`, `url`, and `kid` or `jwk`.
 * @param payload `undefined` for POST-as-GET (RFC 8555 §6.3).
 */
export async function signRequest(
  { privateKey }: AccountKey,
  header: Readonly<Record<string, unknown>>,
  payload: unknown,
): Promise<FlattenedJws> {
  const parts = {
    protected: encode(JSON.stringify({ alg: "ES256", ...header })),
    payload: payload === undefined ? "" : encode(JSON.stringify(payload)),
  };
  // WebCrypto signs in the form that JOSE wants: both numbers, one behind the other (RFC 7518 §3.4)
  const signature = await crypto.subtle.sign(ECDSA, privateKey, signingInput(parts));
  return { ...parts, signature: toBase64Url(new Uint8Array(signature)) };
}

/**
 * Binds an account key to an external account.
 *
 * @throws {TypeError} When its key is not base64url.
 */
export async function bindExternalAccount(
  { keyId, key }: ExternalAccount,
  jwk: AccountJwk,
  url: string,
): Promise<FlattenedJws> {
  const parts = {
    protected: encode(JSON.stringify({ alg: "HS256", kid: keyId, url })),
    payload: encode(JSON.stringify(jwk)),
  };
  const hmac = await crypto.subtle.importKey("raw", decodeKey(key), HMAC, !IS_EXTRACTABLE, ["sign"]);
  const signature = await crypto.subtle.sign(HMAC, hmac, signingInput(parts));
  return { ...parts, signature: toBase64Url(new Uint8Array(signature)) };
}

/** What answers a challenge: its token, and who was asked for it (RFC 8555 §8.1). */
export async function keyAuthorization({ jwk }: AccountKey, token: string): Promise<string> {
  const { crv, kty, x, y } = jwk;
  const digest = await crypto.subtle.digest("SHA-256", bytesOf(JSON.stringify({ crv, kty, x, y })));
  return `${token}.${toBase64Url(new Uint8Array(digest))}`;
}

/** CAs hand it out in base64url, some with padding, and some in base64. */
function decodeKey(text: string): Uint8Array<ArrayBuffer> {
  try {
    const alphabet = /[+/]/.test(text) ? "base64" : "base64url";
    const bytes = Uint8Array.fromBase64(text.trim(), { alphabet });
    if (bytes.length > 0) return bytes;
  } catch {
    // said below, without the key
  }
  throw new TypeError("Cannot use the key of the external account: it is not base64url");
}

/** Returns whether a text can be the key of an external account. */
export function isExternalKey(text: string): boolean {
  try {
    return decodeKey(text).length > 0;
  } catch {
    return false;
  }
}

function signingInput({ protected: header, payload }: Omit<FlattenedJws, "signature">): Uint8Array<ArrayBuffer> {
  return bytesOf(`${header}.${payload}`);
}

function encode(text: string): string {
  return toBase64Url(bytesOf(text));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes in base64url without padding (RFC 7515 §2). */
export function toBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
