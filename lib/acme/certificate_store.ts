/**
 * What is remembered between two orders, as texts for a storage.
 *
 * @module
 */

import { isObject } from "./acme_error.ts";
import { parseJson } from "./acme_transport.ts";
import type { AcmeStorage } from "./acme_storage.ts";
import type { ObtainedCertificate, PendingOrder } from "./obtain_certificate.ts";

/** A certificate, and what it was made for. */
export interface StoredCertificate extends ObtainedCertificate {
  /** Directory of the CA. */
  readonly directory: string;
}

/** An account at a CA. */
export interface StoredAccount {
  /** PKCS #8 in base64. */
  readonly key: string;
  /** Where the CA has it; absent: it was not made yet. */
  readonly url?: string | undefined;
}

/** What has failed. */
export interface Attempts {
  /** In a row. */
  readonly failures: number;
  /** When the last one has, in milliseconds since 1970. */
  readonly failedAt: number;
  /** Not to be tried again before. */
  readonly notBefore: number;
  /** Whether the CA has asked for that wait. */
  readonly isAsked: boolean;
  /** Why, in one line. */
  readonly reason: string;
}

const CERTIFICATE = "certificate.pem";
const ORDER = "order.json";
const ATTEMPTS = "attempts.json";
const DIRECTORY_LINE = /^Directory: (\S+)$/m;

/** Remembers it. What cannot be read counts as nothing. */
export class CertificateStore {
  readonly #storage: AcmeStorage;
  readonly #directory: string;
  readonly #names: string;

  /** @param names Of the certificate that is wanted. */
  constructor(storage: AcmeStorage, directory: string, names: readonly string[]) {
    this.#storage = storage;
    this.#directory = directory;
    this.#names = names.toSorted().join(" ");
  }

  /** The certificate of the directory; `undefined` for none, and for one of another CA. */
  async certificate(): Promise<StoredCertificate | undefined> {
    const text = await this.#storage.get(CERTIFICATE);
    const certificate = text === undefined ? undefined : parseCertificate(text);
    return certificate?.directory === this.#directory ? certificate : undefined;
  }

  /** Keeps a certificate in the place of the one before. */
  async keepCertificate({ certificate, key }: ObtainedCertificate): Promise<void> {
    // Whoever wants the pair for something else takes the file as it is (RFC 7468 §2).
    const header = `Made by ftpsd; it is replaced when it is renewed.\nDirectory: ${this.#directory}\n`;
    await this.#storage.set(CERTIFICATE, `${header}${key}${certificate}`);
  }

  /** The account at the directory. */
  async account(): Promise<StoredAccount | undefined> {
    const { key, url } = await this.#read(await this.#accountName());
    if (typeof key !== "string") return undefined;
    return { key, ...typeof url === "string" && { url } };
  }

  /** Keeps the account. */
  async keepAccount(account: StoredAccount): Promise<void> {
    await this.#storage.set(await this.#accountName(), JSON.stringify({ directory: this.#directory, ...account }));
  }

  /** An order for the same names that was not ended. */
  async order(): Promise<PendingOrder | undefined> {
    const { directory, names, url, key } = await this.#read(ORDER);
    if (directory !== this.#directory || names !== this.#names) return undefined;
    return typeof url === "string" && typeof key === "string" ? { url, key } : undefined;
  }

  /** Keeps an order; `undefined`: there is none. */
  async keepOrder(order: PendingOrder | undefined): Promise<void> {
    if (order === undefined) return await this.#storage.delete(ORDER);
    const { url, key } = order;
    await this.#storage.set(ORDER, JSON.stringify({ directory: this.#directory, names: this.#names, url, key }));
  }

  /** What has failed since the last success, with these names at this directory. */
  async attempts(): Promise<Attempts | undefined> {
    const { directory, names, failures, failedAt, notBefore, isAsked, reason } = await this.#read(ATTEMPTS);
    if (directory !== this.#directory || names !== this.#names) return undefined;
    if (typeof failures !== "number" || typeof failedAt !== "number" || typeof notBefore !== "number") return undefined;
    return { failures, failedAt, notBefore, isAsked: isAsked === true, reason: String(reason) };
  }

  /** Keeps it; `undefined`: there was a success. */
  async keepAttempts(attempts: Attempts | undefined): Promise<void> {
    if (attempts === undefined) return await this.#storage.delete(ATTEMPTS);
    await this.#storage.set(
      ATTEMPTS,
      JSON.stringify({ directory: this.#directory, names: this.#names, ...attempts }),
    );
  }

  async #read(name: string): Promise<Readonly<Record<string, unknown>>> {
    const text = await this.#storage.get(name);
    const value = text === undefined ? undefined : parseJson(text);
    return isObject(value) ? value : {};
  }

  /** Each CA has an account of its own. */
  async #accountName(): Promise<string> {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(this.#directory));
    return `account-${new Uint8Array(digest).toHex().slice(0, 16)}.json`;
  }
}

/** Reads what {@linkcode CertificateStore.keepCertificate} has written. */
export function parseCertificate(text: string): StoredCertificate | undefined {
  const [, directory] = DIRECTORY_LINE.exec(text) ?? [];
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----\n/g) ?? [];
  const [key] = blocks.filter((block) => block.startsWith("-----BEGIN PRIVATE KEY-----"));
  const certificate = blocks.filter((block) => block.startsWith("-----BEGIN CERTIFICATE-----")).join("");
  return directory === undefined || key === undefined || certificate === ""
    ? undefined
    : { directory, key, certificate };
}
