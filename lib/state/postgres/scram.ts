/**
 * The client's part of SCRAM-SHA-256 (RFC 5802, RFC 7677), by which PostgreSQL checks passwords without seeing them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";

/** The name of the mechanism. */
export const SCRAM_SHA_256 = "SCRAM-SHA-256";

/** No channel binding: "n,,". */
const GS2_HEADER = "n,,";
const GS2_HEADER_BASE64 = btoa(GS2_HEADER);
const KEY_BYTES = 32;
/** A server that asks for more wants to keep this process busy. PostgreSQL asks for 4096. */
const MAX_ITERATIONS = 1_000_000;

/** One exchange; its methods are called in the order in which they stand. */
export class ScramExchange {
  readonly #password: string;
  readonly #nonce: string;
  #serverSignature: Uint8Array = new Uint8Array();

  /** @param nonce For tests. */
  constructor(password: string, nonce: string = randomBytes(18).toString("base64")) {
    this.#password = password.normalize("NFKC");
    this.#nonce = nonce;
  }

  /** The first message. The server takes the name from the connection, not from here. */
  get clientFirst(): string {
    return `${GS2_HEADER}${this.#clientFirstBare}`;
  }

  /**
   * Answers the server's first message.
   *
   * @throws {Error} When that is not one.
   */
  clientFinal(serverFirst: string): string {
    const { r: nonce = "", s: salt = "", i = "" } = attributesOf(serverFirst);
    const iterations = Number(i);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length || salt === "") throw refused();
    if (!Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) throw refused();
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, "base64"), iterations, KEY_BYTES, "sha256");
    const clientKey = hmac(salted, "Client Key");
    const withoutProof = `c=${GS2_HEADER_BASE64},r=${nonce}`;
    const authMessage = `${this.#clientFirstBare},${serverFirst},${withoutProof}`;
    const signature = hmac(createHash("sha256").update(clientKey).digest(), authMessage);
    this.#serverSignature = hmac(hmac(salted, "Server Key"), authMessage);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    return `${withoutProof},p=${Buffer.from(proof).toString("base64")}`;
  }

  /**
   * Checks the server's last message: it knows the password, too.
   *
   * @throws {Error} When it does not.
   */
  verify(serverFinal: string): void {
    const given = Buffer.from(attributesOf(serverFinal).v ?? "", "base64");
    const isEqual = given.length === this.#serverSignature.length && timingSafeEqual(given, this.#serverSignature);
    if (!isEqual || given.length === 0) throw refused();
  }

  get #clientFirstBare(): string {
    return `n=,r=${this.#nonce}`;
  }
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

function attributesOf(message: string): Partial<Record<string, string>> {
  return Object.fromEntries(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}

function refused(): Error {
  return new Error("The database has not shown that it knows the password");
}
