/**
 * Options of a server, and whether one can be made of them: what the constructor of `FtpServer` and `reconfigure()` refuse, and
 * what stays until a restart.
 *
 * @module
 */

import type { Authorizer } from "../accounts/authorizer.ts";
import { changedCommands, type CommandChanges } from "../commands/command_changes.ts";
import type { CommandTable } from "../commands/command_table.ts";
import type { EventHandlers, EventListener } from "../events.ts";
import { restartPaths } from "../settings/flags.ts";
import { valueAt, withValue } from "../settings/key_path.ts";
import type { GivenSettings } from "../settings/options.ts";
import type { RiskId } from "../settings/risks.ts";
import { findSettingRisks, insecureSetting } from "../settings/setting_risks.ts";
import type { Settings } from "../settings/settings.ts";
import { SERVER_SETTINGS } from "../settings/table.ts";
import { deepFreeze, resolveSettings } from "../settings/validate.ts";
import { type CertificatePair, readPair } from "../transport/certificate_pair.ts";
import { type ClientCertificatePolicy, readAuthorities } from "../transport/client_certificates.ts";
import { RevocationLists } from "../transport/revocation_list.ts";
import type { RefuseConnection } from "./acceptor.ts";

/** Options of `FtpServer`: its settings, and what only a program can give. */
export interface FtpServerOptions extends GivenSettings {
  /** Decides about logins. */
  readonly authorizer: Authorizer;
  /**
   * Ids of the risks that are accepted, such as `"clear-text-control"`; see `RISKS`. What is risky and not accepted makes
   * the constructor throw.
   *
   * @default {[]}
   */
  readonly acceptRisks?: readonly RiskId[];
  /** Commands that are left out, added, or watched. */
  readonly commands?: CommandChanges;
  /**
   * Asked about each client before it is greeted. A text refuses it: with 421, or where TLS is implicit without a word. An
   * answer that takes longer than the login may, or a throw, refuses it, too.
   */
  readonly refuseConnection?: RefuseConnection;
  /** Told of each event. Must not throw. */
  readonly onEvent?: EventListener;
  /** Told of the events that they are named after. */
  readonly on?: EventHandlers;
  /**
   * Whether `dialogue` events are made: one for each line of the protocol dialogue, secrets masked.
   *
   * @default {false}
   */
  readonly dialogue?: boolean;
  /** Aborting it shuts the server down at once. */
  readonly signal?: AbortSignal;
}

/** Options that can be used, in the form in which they are. */
export interface CheckedOptions {
  readonly settings: Settings;
  readonly commands: CommandTable;
}

/**
 * Checks everything about options that can be known before something is opened.
 *
 * @throws {RangeError} When a value is out of its range, or a change of the commands cannot be made.
 * @throws {TypeError} When a key is unknown, two options contradict each other, or a PEM text cannot be used.
 * @throws {InsecureConfigurationError} When an option is a risk that `acceptRisks` does not name.
 */
export function checkOptions(options: FtpServerOptions): CheckedOptions {
  const { authorizer: _, acceptRisks = [], commands = {}, refuseConnection: _r, onEvent: _e, on: _o, ...others } =
    options;
  const { dialogue: _d, signal: _s, ...given } = others;
  const settings = resolveSettings(given);
  const unaccepted = findSettingRisks(settings).find(({ risk }) => !acceptRisks.includes(risk));
  if (unaccepted !== undefined) throw insecureSetting(unaccepted);
  const pair = pairOf(settings);
  if (pair !== undefined) void readPair(pair);
  const { ca, crl } = settings.tls.clientCertificates;
  if (ca !== undefined) void readAuthorities(ca);
  if (ca !== undefined && crl !== undefined) void new RevocationLists(crl, ca);
  return { settings, commands: changedCommands(commands) };
}

/** The certificate that the settings have; `undefined` when one is to be made. */
export function pairOf({ tls: { certificate, key } }: Settings): CertificatePair | undefined {
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

/** Who signs the certificates of clients; `undefined` where none are asked for. */
export function clientCertificatesOf({ tls }: Settings): ClientCertificatePolicy | undefined {
  const { mode, ca, crl } = tls.clientCertificates;
  return mode === "none" || ca === undefined ? undefined : { mode, ca, crl };
}

const FIXED = restartPaths(SERVER_SETTINGS);

/** Returns the settings that hold when a server that runs with some is given others. */
export function withFixedSettings(running: Settings, next: Settings): Settings {
  const kept = FIXED.reduce((settings, path) => withValue(settings, path, valueAt(running, path)), next);
  return deepFreeze({ ...kept, tls: fixedTls(running.tls, kept.tls) });
}

/** Without a certificate in the new settings the one in use stays. Where there is no TLS, none of it changes. */
function fixedTls(running: Settings["tls"], next: Settings["tls"]): Settings["tls"] {
  if ((running.policy === "off") !== (next.policy === "off")) return running;
  const { certificate, key } = running;
  if (next.certificate !== undefined || certificate === undefined || key === undefined) return next;
  return { ...next, certificate, key };
}
