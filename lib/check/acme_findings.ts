/**
 * `tls.acme` as far as this host shows: its folder, what is stored there, and the files that it names. No CA is asked. Loaded where a
 * configuration has it.
 *
 * @module
 */

import { findFolderFlaw, FolderStorage } from "../acme/acme_storage.ts";
import { CertificateStore } from "../acme/certificate_store.ts";
import { isExternalKey } from "../acme/jws.ts";
import { renewalTime } from "../acme/renewal_times.ts";
import type { AcmeFiles } from "../server/configured_options.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import { describeThrown } from "../thrown.ts";
import type { AcmeSettings } from "./acme_files.ts";
import { examineCertificate } from "./certificate_findings.ts";
import { shellWord } from "./exit_error.ts";
import { readForCheck } from "./host_files.ts";
import { findReadableSecret } from "./readable_secret.ts";

/** What was found. */
export interface AcmeInspection {
  readonly findings: readonly Finding[];
  readonly acme: AcmeFiles;
}

const AT = ["tls", "acme"];
const MIN_SECRET_LENGTH = 32;
/** Part of its life in which a certificate should long be another one. */
const LATE_PART = 1 / 6;

/** Looks at it; what Deno does not permit to read is passed over. */
export async function inspectAcme(acme: AcmeSettings, now: Date): Promise<AcmeInspection> {
  const findings: Finding[] = [];
  const { ca, externalAccount, secretFile } = acme;
  const authority = await readForCheck(ca, [...AT, "ca"], findings);
  if (authority !== undefined && !authority.text.includes("-----BEGIN CERTIFICATE-----")) {
    findings.push(errorAt([...AT, "ca"], `${ca} holds no certificate in PEM`));
  }
  const keyPath = [...AT, "externalAccount", "keyFile"];
  const external = await readForCheck(externalAccount?.keyFile, keyPath, findings);
  if (externalAccount !== undefined && external !== undefined) {
    const { keyFile } = externalAccount;
    findings.push(...findReadableSecret(keyFile, external.mode, keyPath));
    if (!isExternalKey(external.text)) findings.push(errorAt(keyPath, `${keyFile} holds no key in base64url`));
  }
  const secret = await readForCheck(secretFile, [...AT, "secretFile"], findings);
  if (secretFile !== undefined && secret !== undefined) {
    findings.push(...findReadableSecret(secretFile, secret.mode, [...AT, "secretFile"]));
    if (secret.text.trim().length < MIN_SECRET_LENGTH) {
      const message = `${secretFile} holds no secret of at least ${MIN_SECRET_LENGTH} characters`;
      const hint = `(umask 077; openssl rand -hex 32 > ${shellWord(secretFile)})`;
      findings.push({ ...errorAt([...AT, "secretFile"], message), hint });
    }
  }
  findings.push(...await inspectStorage(acme, now));
  return {
    findings,
    acme: {
      ...authority && { ca: authority.text },
      ...external && { externalKey: external.text.trim() },
      ...secret && { secret: secret.text.trim() },
    },
  };
}

async function inspectStorage({ storage, directory, domains }: AcmeSettings, now: Date): Promise<Finding[]> {
  const path = [...AT, "storage"];
  if ((await Deno.permissions.query({ name: "read", path: storage })).state !== "granted") return [];
  const flaw = await findFolderFlaw(storage);
  if (flaw !== undefined) return [{ ...errorAt(path, flaw), hint: `chmod 700 ${shellWord(storage)}` }];
  const store = new CertificateStore(new FolderStorage(storage), directory, domains);
  try {
    return [...await inspectStored(store, domains, now)];
  } catch (error) {
    return [errorAt(path, error instanceof Error ? error.message : describeThrown(error))];
  }
}

async function inspectStored(store: CertificateStore, domains: readonly string[], now: Date): Promise<Finding[]> {
  const [pair, attempts] = await Promise.all([store.certificate(), store.attempts()]);
  const failed = attempts &&
    `the last attempt has failed (${attempts.failures} in a row): ${attempts.reason}; the next one is not before ` +
      new Date(attempts.notBefore).toISOString();
  const warn = (message: string): Finding => ({ severity: "warning", path: AT, message });
  if (pair === undefined) {
    return failed === undefined ? [] : [warn(failed)];
  }
  const { info, findings } = await examineCertificate({ ...pair, keyMode: undefined }, { now, listenHosts: [] });
  if (info === undefined) return findings.map(({ message }) => warn(`the stored certificate is of no use: ${message}`));
  const life = info.validTo.getTime() - info.validFrom.getTime();
  const left = info.validTo.getTime() - now.getTime();
  const missing = domains.filter((name) => !info.names.includes(name));
  return [
    ...missing.length === 0
      ? []
      : [warn(`the stored certificate is not for ${missing.join(", ")}; another one is ordered`)],
    ...left < 0
      ? [warn(`the stored certificate has expired on ${info.validTo.toISOString()}; another one is ordered`)]
      : [],
    ...left >= 0 && left < life * LATE_PART
      ? [
        warn(
          `expires on ${info.validTo.toISOString()}, and should have been renewed on ${
            new Date(renewalTime(info)).toISOString()
          }`,
        ),
      ]
      : [],
    ...failed === undefined ? [] : [warn(failed)],
  ];
}
