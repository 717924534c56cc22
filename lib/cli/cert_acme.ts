/**
 * `ftpsd cert acme`: tries once whether a CA gives a certificate, without touching the one that is stored.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import { AcmeError } from "../acme/acme_error.ts";
import { type AcmeIssuerOptions, issueCertificate } from "../acme/acme_issuer.ts";
import { MemoryStorage } from "../acme/acme_storage.ts";
import { CertificateStore } from "../acme/certificate_store.ts";
import { ChallengeListener } from "../acme/challenge_listener.ts";
import type { AcmeSettings } from "../check/acme_files.ts";
import { examineCertificate } from "../check/certificate_findings.ts";
import { StartError, UsageError } from "../check/exit_error.ts";
import { readPemFile } from "../check/host_files.ts";
import { ACME_DIRECTORIES } from "../settings/forms.ts";
import { resolveConfiguration } from "../settings/validate.ts";
import { CERT_ACME_OPTIONS } from "./command_table.ts";
import { loadConfiguration } from "./load_configuration.ts";
import { parseArguments, type ParsedArguments } from "./option_table.ts";

const USAGE = "ftpsd help cert";
const TIMEOUT_MS = 120_000;

/** What is tried, and with what. */
type Trial = Pick<AcmeIssuerOptions, "directory" | "names" | "email" | "external" | "ca"> & {
  readonly host: string;
  readonly port: number;
};

/**
 * Orders a certificate and throws it away.
 *
 * @param args What follows `cert acme` on the command line.
 * @returns What was found, for the user.
 * @throws {ExitError} With status 2 for wrong options, 1 when there is no certificate to be had: why, and what to do.
 */
export async function certAcmeCommand(args: readonly string[]): Promise<string> {
  const trial = await readTrial(parseArguments(args, CERT_ACME_OPTIONS, USAGE));
  const steps: string[] = [];
  const startedAt = performance.now();
  try {
    const pair = await order(trial, (text) => steps.push(text));
    const { info, findings } = await examineCertificate({ ...pair, keyMode: undefined }, {
      now: new Date(),
      listenHosts: [],
    });
    if (info === undefined) throw new AcmeError("badAnswer", findings.map(({ message }) => message).join("; "));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    return [
      `CA: ${trial.directory}`,
      ...steps,
      `certificate for ${info.names.join(", ")}, valid to ${info.validTo.toISOString()}, after ${seconds} s`,
      "",
      "It works. The certificate was thrown away, and nothing was changed.",
    ].join("\n");
  } catch (error) {
    if (!(error instanceof AcmeError)) throw error;
    throw new StartError(`${error.message} (after: ${steps.at(-1) ?? "nothing"})`, error.hint, { cause: error });
  }
}

async function order({ host, port, ...trial }: Trial, onProgress: (text: string) => void) {
  await using listener = new ChallengeListener({ host, port });
  const store = new CertificateStore(new MemoryStorage(), trial.directory, trial.names);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await issueCertificate({
      ...trial,
      userAgent: `ftpsd/${project.version}`,
      store,
      answers: { use: (answers) => listener.use(answers) },
      onProgress,
    }, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new AcmeError("late", `no end of the order within ${TIMEOUT_MS / 1000} s`, { cause: error });
  }
}

async function readTrial({ operands, switches, values, lists }: ParsedArguments): Promise<Trial> {
  const [operand] = operands;
  if (operand !== undefined) throw new UsageError(`unknown argument ${operand}`, USAGE);
  if (switches.has("staging") && values.has("directory")) {
    throw new UsageError("--staging and --directory name two CAs", "leave out one of both");
  }
  const file = values.get("config");
  const acme = file === undefined ? acmeOfOptions(values, lists) : await acmeOfFile(file, values, lists);
  const named = switches.has("staging") ? "letsencrypt-staging" : values.get("directory");
  const isOfFile = named === undefined && acme.directory !== ACME_DIRECTORIES.letsencrypt;
  const directory = isOfFile ? acme.directory : ACME_DIRECTORIES[named ?? "letsencrypt-staging"] ?? named ?? "";
  const { domains, email, httpHost, httpPort, externalAccount } = acme;
  const caFile = values.get("ca") ?? acme.ca;
  const ca = caFile === undefined ? undefined : (await readPemFile(caFile, ["tls", "acme", "ca"])).text;
  // The account that one CA knows is nothing to another one.
  const external = externalAccount === undefined || directory !== acme.directory ? undefined : {
    keyId: externalAccount.keyId,
    key: (await readPemFile(externalAccount.keyFile, ["tls", "acme", "externalAccount", "keyFile"])).text.trim(),
  };
  return { directory, names: domains, email, ca, external, host: httpHost, port: httpPort };
}

/** Checks options as the settings that they stand for. */
function acmeOfOptions(values: ParsedArguments["values"], lists: ParsedArguments["lists"]): AcmeSettings {
  const domains = lists.get("domain") ?? [];
  if (domains.length === 0) throw new UsageError("no name to try", "--config FILE, or --domain ftp.example.org");
  const given = givenOf(values, lists);
  const { tls } = resolveConfiguration({ tls: { acme: { storage: "acme", ...given } }, anonymous: { home: "." } });
  if (tls.acme === undefined) throw new TypeError("Cannot find the settings that were given");
  return tls.acme;
}

async function acmeOfFile(
  file: string,
  values: ParsedArguments["values"],
  lists: ParsedArguments["lists"],
): Promise<AcmeSettings> {
  const args = { operands: [], switches: new Set<string>(), values: new Map([["config", file]]), lists: new Map() };
  const { configuration: { tls: { acme } } } = await loadConfiguration(args);
  if (acme === undefined) throw new UsageError(`${file} has no tls.acme`, "--domain ftp.example.org tries it without");
  const given = givenOf(values, lists);
  // Checked as if it stood in the file; the rest of it is good already.
  return { ...acme, ...Object.keys(given).length === 0 ? {} : acmeWith(acme, given) };
}

function acmeWith(acme: AcmeSettings, given: object): AcmeSettings {
  const { secretFile: _, ...rest } = acme;
  const { tls } = resolveConfiguration({ tls: { acme: { ...rest, ...given } }, anonymous: { home: "." } });
  return { ...acme, ...tls.acme };
}

function givenOf(values: ParsedArguments["values"], lists: ParsedArguments["lists"]): object {
  const [host, port, directory, domains] = [
    values.get("http-host"),
    values.get("http-port"),
    values.get("directory"),
    lists.get("domain"),
  ];
  return {
    ...host !== undefined && { httpHost: host },
    ...port !== undefined && { httpPort: Number(port) },
    ...directory !== undefined && { directory },
    ...domains !== undefined && { domains },
  };
}
