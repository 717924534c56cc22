/**
 * From a configuration to what the library takes.
 *
 * @module
 */

import type { FtpServerOptions } from "../server/options.ts";
import { type AcceptedRisk, holdsOn, type RiskId } from "../server/risks.ts";
import { VirtualAuthorizer } from "../server/virtual_authorizer.ts";
import type { CertificatePair } from "../transport/tls_context.ts";
import type { AccountConfiguration, Configuration } from "./configuration.ts";

/** What the files that a configuration names hold, PEM. */
export interface ConfigurationFiles {
  /** The server's certificate; absent: one is made in memory. */
  readonly certificate?: CertificatePair | undefined;
  /** Who signs the certificates of clients. */
  readonly clientCa?: string | undefined;
}

/**
 * Makes the server's options, without the listener for events.
 *
 * @throws {TypeError | SyntaxError | InsecureConfigurationError} What an inspection would have told.
 */
export function toServerOptions(
  configuration: Configuration,
  files: ConfigurationFiles,
  now: Date,
): FtpServerOptions {
  const { server, clientCertificates, acceptRisks } = configuration;
  const { mode } = clientCertificates;
  return {
    ...server,
    authorizer: createAuthorizer(configuration, now),
    acceptRisks: acceptedRisks(acceptRisks, now),
    tls: {
      ...server.tls,
      ...files.certificate && { certificate: files.certificate.certificate, key: files.certificate.key },
      ...mode !== "none" && files.clientCa !== undefined ? { clientCertificates: { mode, ca: files.clientCa } } : {},
    },
  };
}

function createAuthorizer(configuration: Configuration, now: Date): VirtualAuthorizer {
  const { users, anonymous } = configuration;
  const authorizer = new VirtualAuthorizer();
  for (const { name, password, home, limits, ...account } of users) {
    authorizer.addUser(name, password, home, { ...optionsOf(account), limits });
  }
  if (anonymous !== undefined) {
    const forceWrite = mayAnonymousWrite(configuration, now);
    authorizer.addAnonymous(anonymous.home, { ...optionsOf(anonymous), forceWrite });
  }
  return authorizer;
}

function optionsOf(account: Omit<AccountConfiguration, "home">): Omit<AccountConfiguration, "home"> {
  const { permissions, overrides, loginMessage, quitMessage } = account;
  return {
    permissions,
    overrides,
    ...loginMessage === undefined ? {} : { loginMessage },
    ...quitMessage === undefined ? {} : { quitMessage },
  };
}

/** Tells whether anonymous writing was asked for by name: by `forceWrite`, or by its risk. */
export function mayAnonymousWrite({ anonymous, acceptRisks }: Configuration, now: Date): boolean {
  return anonymous?.forceWrite === true || acceptedRisks(acceptRisks, now).includes("anonymous-write");
}

/** Ids of the risks whose acceptance holds now. */
export function acceptedRisks(accepted: readonly AcceptedRisk[], now: Date): RiskId[] {
  return accepted.filter((entry) => holdsOn(entry, now)).map(({ risk }) => risk);
}
