/**
 * Whether a server can be made of its options: what the constructor of `FtpServer` and `reconfigure()` refuse.
 *
 * @module
 */

import { changedCommands } from "../commands/command_changes.ts";
import type { CommandTable } from "../commands/command_table.ts";
import type { Settings } from "../settings/settings.ts";
import { type CertificatePair, readPair } from "../transport/certificate_pair.ts";
import { ClientCertificates } from "../transport/client_certificates.ts";
import { findOptionContradictions } from "../settings/contradictions.ts";
import { formatWhere } from "../settings/finding.ts";
import { MemoryState } from "../state/memory_state.ts";
import type { FtpServerOptions } from "./options.ts";
import { resolveSettings } from "./resolve_settings.ts";
import { findSettingRisks, insecureSetting } from "../settings/setting_risks.ts";

/** Options that can be used, in the form in which they are. */
export interface CheckedOptions {
  readonly settings: Settings;
  readonly commands: CommandTable;
}

/**
 * Checks everything about options that can be told before something is opened.
 *
 * @throws {RangeError} When a value is out of its range, or a change of the commands cannot be made.
 * @throws {TypeError} When two options contradict each other, or a PEM text cannot be used.
 * @throws {InsecureConfigurationError} When an option is a risk that `acceptRisks` does not name.
 */
export function checkOptions(options: FtpServerOptions): CheckedOptions {
  const settings = resolveSettings(options);
  const [contradiction] = findOptionContradictions(options);
  if (contradiction !== undefined) {
    throw new TypeError(`Cannot use ${formatWhere(contradiction)}: ${contradiction.message}`);
  }
  const accepted = options.acceptRisks ?? [];
  const unaccepted = findSettingRisks(settings).find(({ risk }) => !accepted.includes(risk));
  if (unaccepted !== undefined) throw insecureSetting(unaccepted);
  const commands = changedCommands(options.commands ?? {});
  void new MemoryState({ limits: settings.limits, ban: options.ban ?? {} });
  const pair = givenPair(options);
  if (pair !== undefined) void readPair(pair);
  if (options.tls?.clientCertificates !== undefined) void new ClientCertificates(options.tls.clientCertificates);
  return { settings, commands };
}

/**
 * Returns the certificate that the options give; `undefined` when one is to be made.
 *
 * @throws {TypeError} When they give half of it.
 */
export function givenPair({ tls: { certificate, key } = {} }: FtpServerOptions): CertificatePair | undefined {
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate === undefined && key === undefined) return undefined;
  throw new TypeError("Cannot use TLS: certificate and key must be given together");
}
