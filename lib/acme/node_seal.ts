/**
 * Texts that nodes share by a database which is not trusted with them.
 *
 * @module
 */

const NONCE_BYTES = 12;
const AES = "AES-GCM";
const IS_EXTRACTABLE = false;

/** Encrypts with a key that comes from a file which all nodes have. Without that file nobody reads a text, nor makes one. */
export class NodeSeal {
  readonly #key: Promise<CryptoKey>;

  /** @param secret What the file holds, at least 32 characters. */
  constructor(secret: string) {
    this.#key = deriveKey(secret);
    this.#key.catch(() => {}); // reported where it is used
  }

  /** Encrypts a text that nothing but its name can be opened under. */
  async close(name: string, text: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const parameters = { name: AES, iv, additionalData: encode(name) };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(parameters, await this.#key, encode(text)));
    const value = new Uint8Array(NONCE_BYTES + sealed.length);
    value.set(iv);
    value.set(sealed, NONCE_BYTES);
    return value.toBase64();
  }

  /** Decrypts it; `undefined` for what another secret, or nobody, has encrypted. */
  async open(name: string, value: string): Promise<string | undefined> {
    const key = await this.#key;
    try {
      const bytes = Uint8Array.fromBase64(value);
      const parameters = { name: AES, iv: bytes.subarray(0, NONCE_BYTES), additionalData: encode(name) };
      return new TextDecoder().decode(await crypto.subtle.decrypt(parameters, key, bytes.subarray(NONCE_BYTES)));
    } catch {
      return undefined;
    }
  }
}

async function deriveKey(secret: string): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", encode(secret.trim()), "HKDF", IS_EXTRACTABLE, ["deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: encode("ftpsd"), info: encode("tls.acme of several nodes") };
  return await crypto.subtle.deriveKey(hkdf, base, { name: AES, length: 256 }, IS_EXTRACTABLE, ["encrypt", "decrypt"]);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
