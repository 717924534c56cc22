/**
 * A CA with an account of ours: from settings and a store to certificates.
 *
 * @module
 */

import { AcmeClient } from "./acme_client.ts";
import { AcmeError } from "./acme_error.ts";
import { AcmeTransport } from "./acme_transport.ts";
import type { CertificateStore } from "./certificate_store.ts";
import { createAccountKey, type ExternalAccount, readAccountKey } from "./jws.ts";
import { type ChallengeAnswers, obtainCertificate, type ObtainedCertificate } from "./obtain_certificate.ts";

/** What it works with. */
export interface AcmeIssuerOptions {
  /** Address of the directory. */
  readonly directory: string;
  readonly names: readonly string[];
  readonly email?: string | undefined;
  readonly external?: ExternalAccount | undefined;
  /** Authorities in PEM that the CA's own certificate may lead up to, beside those that Deno trusts. */
  readonly ca?: string | undefined;
  readonly userAgent: string;
  readonly store: CertificateStore;
  readonly answers: ChallengeAnswers;
  /** Told how far it has come, in a few words. */
  readonly onProgress: (text: string) => void;
}

/**
 * Orders a certificate, with the stored account or a new one.
 *
 * @throws {AcmeError} When there is none to be had.
 * @throws The reason of the signal.
 */
export async function issueCertificate(options: AcmeIssuerOptions, signal: AbortSignal): Promise<ObtainedCertificate> {
  const { directory, names, email, external, ca, userAgent, store, answers, onProgress } = options;
  using transport = new AcmeTransport({ ca, userAgent });
  const account = await store.account() ?? { key: await createAccountKey() };
  const client = new AcmeClient(transport, directory, { key: await readAccountKey(account.key), url: account.url });
  if (account.url === undefined) {
    onProgress(`making an account at ${new URL(directory).host}`);
    await store.keepAccount(account); // before the CA has it: an account whose key is lost is of no use
    await store.keepAccount({ ...account, url: await client.register({ email, external }, signal) });
  }
  try {
    const pending = await store.order();
    const keep = (order: Parameters<CertificateStore["keepOrder"]>[0]) => store.keepOrder(order);
    return await obtainCertificate(client, { names, answers, signal, pending, keep, onProgress });
  } catch (error) {
    // The next attempt makes another one of the same key.
    if (error instanceof AcmeError && error.type === "accountDoesNotExist") {
      await store.keepAccount({ key: account.key });
    }
    throw error;
  }
}
