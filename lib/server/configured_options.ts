/**
 * From a configuration to what the library takes.
 *
 * @module
 */

import type { DatabaseAddress } from "../state/postgres/database_address.ts";
import { AccountChain } from "../accounts/account_chain.ts";
import type { AccountEntries, EntrySource } from "../accounts/account_entries.ts";
import type { AccountOptions, AccountSource } from "../accounts/account_source.ts";
import type { Authorizer } from "../accounts/authorizer.ts";
import { type CodeRegister, UsedCodes } from "../accounts/code_register.ts";
import { PasswordAuthorizer } from "../accounts/password_authorizer.ts";
import { ANONYMOUS } from "../accounts/permission.ts";
import { VirtualAccounts } from "../accounts/virtual_accounts.ts";
import type { PasswordStore } from "../accounts/password_store.ts";
import { type WorkPlaces, WorkQueue } from "../accounts/work_queue.ts";
import type { FileClaims } from "../filesystem/file_claims.ts";
import type { FileSystem } from "../filesystem/filesystem.ts";
import { homeOpener } from "../filesystem/local/probed_filesystem.ts";
import { WriteClaims } from "../filesystem/write_claims.ts";
import { type HomeOpener, openAccountHome } from "./account_home.ts";
import { rulesOf, secondFactorOf } from "./account_rule_set.ts";
import { DISABLED, EntryAccounts, type EntryAccountsOptions, refusedFor } from "./entry_accounts.ts";
import type { FtpServerOptions } from "./options.ts";
import { ownPasswordOf } from "./own_password.ts";
import { AccountQuotas, type AccountServices, createServices } from "./account_quotas.ts";
import { type AccountSettings, permissionsOf } from "../settings/account_rights.ts";
import { type AcceptedRisk, holdsOn, type RiskId } from "../settings/risks.ts";
import { checksPasswords, homesFolderOf } from "../settings/account_sources.ts";
import { certificateNames, createEphemeralCertificate } from "../transport/ephemeral_certificate.ts";
import type { CertificatePair } from "../transport/certificate_pair.ts";
import type { StoreHome } from "../settings/forms.ts";
import type { Settings } from "../settings/settings.ts";
import { type Configuration, SERVER_SETTINGS, type UserSettings } from "../settings/table.ts";
import { structureOf } from "../settings/unknown_keys.ts";

/** Where a database is, and who is trusted there. */
export interface DatabaseLocation {
  readonly address: DatabaseAddress;
  /** Where notifications come from; absent: the same. */
  readonly directAddress?: DatabaseAddress;
  /** Authorities beside those of the system, PEM. */
  readonly authorities: readonly string[];
}

/** What files of `tls.acme` hold. */
export interface AcmeFiles {
  /** Who signs the certificate of the CA's own server, PEM. */
  readonly ca?: string;
  /** Key of the external account. */
  readonly externalKey?: string;
  /** What nodes encrypt with. */
  readonly secret?: string;
}

/** What the files that a configuration names hold, PEM. */
export interface ConfigurationFiles {
  /** The server's certificate; absent: one is made in memory. */
  readonly certificate?:
    | CertificatePair & {
      /** Mode bits of the key's file; `undefined` where there are none. */
      readonly keyMode?: number | undefined;
    }
    | undefined;
  /** Who signs the certificates of clients. */
  readonly clientCa?: string | undefined;
  /** Which of them are revoked. */
  readonly clientCrl?: string | undefined;
  /** Where the database of the state is, and who is trusted there. */
  readonly database?: DatabaseLocation;
  /** The same of the databases that sources of accounts name, by their index in `accounts`. */
  readonly accountDatabases?: Readonly<Record<number, DatabaseLocation>>;
  /** Secrets of one-time codes, by the names of users. */
  readonly codeSecrets?: Readonly<Record<string, string>> | undefined;
  /** Who signs the certificates of hooks and directories with accounts, by their index in `accounts`. */
  readonly accountAuthorities?: Readonly<Record<number, string>> | undefined;
  /** Who knows it may ask the admin API; absent: there is none. */
  readonly adminToken?: string;
  /** Who signs the certificates of stores, beside those that Deno trusts, by the name of the store. */
  readonly storeAuthorities?: Readonly<Record<string, string>> | undefined;
  /** What files of `tls.acme` hold. */
  readonly acme?: AcmeFiles | undefined;
  /** The same of receivers, by the name of the hook. */
  readonly hookAuthorities?: Readonly<Record<string, string>> | undefined;
}

/** Opens homes in stores. */
export type StoreHomeOpener = (home: StoreHome, account: string) => FileSystem;

/** Options of {@linkcode toServerOptions}. */
export interface ToServerOptionsOptions {
  /** Opens homes; one for all configurations of a server keeps a file from being written by two across a reload. */
  readonly openHome?: HomeOpener;
  /** Where passwords wait to be checked; one for all configurations and event loops of a server bounds the memory they take. */
  readonly workPlaces?: WorkPlaces;
  /** What the files of all accounts share; absent: what nobody else has. */
  readonly services?: AccountServices;
  /** Where one-time codes are used up; absent: in memory, of these options alone. */
  readonly codes?: CodeRegister | undefined;
  /** Where new passwords of users are kept; absent: nowhere. */
  readonly passwords?: PasswordStore | undefined;
  /** Whether that is so of users of the configuration, too. @default {false} */
  readonly keepsPasswordsOfFile?: boolean | undefined;
  /** Where accounts are that are not in the configuration; absent: none of them is found. */
  readonly entries?: AccountEntries | undefined;
  /** Told why such an account cannot be used. Must not throw. */
  readonly onAccountProblem?: EntryAccountsOptions["onProblem"];
}

/**
 * Makes the server's options, without the listener for events.
 *
 * @throws {TypeError | SyntaxError | InsecureConfigurationError} What an inspection would have found.
 */
export function toServerOptions(
  configuration: Configuration,
  files: ConfigurationFiles,
  now: Date,
  options: ToServerOptionsOptions = {},
): FtpServerOptions {
  const { certificate: _certificate, key: _key, acme: _acme, clientCertificates: { mode }, ...handshake } =
    configuration.tls;
  const { certificate: pair, clientCa: ca, clientCrl: crl } = files;
  return {
    ...serverPart(configuration),
    commands: configuration.commands,
    authorizer: createAuthorizer(configuration, now, { ...options, codeSecrets: files.codeSecrets ?? {} }),
    acceptRisks: acceptedRisks(configuration.acceptRisks, now),
    tls: {
      ...handshake,
      ...pair && { certificate: pair.certificate, key: pair.key },
      ...mode !== "none" && ca !== undefined
        ? { clientCertificates: { mode, ca, ...crl !== undefined && { crl } } }
        : {},
    },
  };
}

/** Settings of a server; the others are those of whoever serves it. */
function serverPart(configuration: Configuration): Omit<Settings, "tls"> {
  const keys = Object.keys(structureOf(SERVER_SETTINGS).entries ?? {}) as (keyof Settings)[];
  return Object.fromEntries(keys.map((key) => [key, configuration[key]])) as unknown as Settings;
}

/**
 * Gives the files with a certificate made in memory, where the configuration names none and TLS is on: for servers that
 * have to show the same one.
 */
export async function withCertificate(
  { listen, tls }: Configuration,
  files: ConfigurationFiles,
): Promise<ConfigurationFiles> {
  if (files.certificate !== undefined || tls.policy === "off") return files;
  const hosts = listen.map(({ host }) => host);
  return { ...files, certificate: await createEphemeralCertificate({ names: await certificateNames(hosts) }) };
}

/** Makes places for two passwords to be checked at once; each takes 128 MiB with the default cost. */
export function createWorkPlaces(): WorkPlaces {
  return new WorkQueue({ maxRunning: 2, maxWaiting: 512 });
}

/**
 * Makes homes that see each other's uploads, so that no file is written by two at once.
 *
 * @param openStoreHome Opens those in stores; absent where there are none.
 */
export function createHomes(
  writeClaims: FileClaims = new WriteClaims(),
  openStoreHome: StoreHomeOpener = refuseStore,
): HomeOpener {
  const openFolder = homeOpener(writeClaims);
  return (home, account) => typeof home === "string" ? openFolder(home) : openStoreHome(home, account);
}

function refuseStore({ store }: StoreHome): never {
  throw new TypeError(`Cannot open a home in store ${JSON.stringify(store)}: no store was opened`);
}

function createAuthorizer(
  configuration: Configuration,
  now: Date,
  options: ToServerOptionsOptions & { readonly codeSecrets: Readonly<Record<string, string>> },
): Authorizer {
  const { openHome = createHomes(), workPlaces = createWorkPlaces(), services = createServices() } = options;
  const { codeSecrets, codes = new UsedCodes() } = options;
  const others = { openHome, workPlaces, services, codes };
  const policy = configuration.passwords;
  const ownPasswordIn = (source: number, isKept: boolean) => (user: UserSettings) =>
    ownPasswordOf(user, { policy, source, workPlaces, store: isKept ? options.passwords : undefined });
  const own = ownPasswordIn(
    configuration.accounts.findIndex(({ type }) => type === "file"),
    options.keepsPasswordsOfFile === true,
  );
  const ofFile = createFileAccounts(configuration, now, { ...others, codeSecrets, own });
  if (configuration.accounts.every(({ type }) => type === "file")) return ofFile;
  const sources = configuration.accounts.map((source, index) =>
    source.type === "file" ? decidingOnDisabled(ofFile, configuration) : createEntryAccounts(configuration, index, {
      ...options,
      ...others,
      own: ownPasswordIn(index, source.type === "postgres" && source.query === undefined),
      acceptRisks: acceptedRisks(configuration.acceptRisks, now),
    })
  );
  return new PasswordAuthorizer(new AccountChain(sources), { places: workPlaces });
}

/** The file decides about its disabled users, too: else the next source would let them in. */
function decidingOnDisabled(ofFile: VirtualAccounts, { users }: Configuration): AccountSource {
  const disabled = new Set(users.filter(({ enabled }) => !enabled).map(({ name }) => name));
  return {
    find: (name) => disabled.has(name) ? refusedFor(name, DISABLED) : ofFile.find(name),
    costs: () => ofFile.costs(),
  };
}

/** Accounts of a source that is not the file. */
function createEntryAccounts(
  configuration: Configuration,
  index: number,
  { entries, onAccountProblem = () => {}, ...options }:
    & ToServerOptionsOptions
    & Pick<EntryAccountsOptions, "openHome" | "services" | "acceptRisks" | "codes" | "own">,
): EntryAccounts {
  const settings = configuration.accounts[index];
  const homes = settings && homesFolderOf(settings);
  const source: EntrySource = checksPasswords(settings?.type)
    ? { login: (credentials, options) => entries?.login(index, credentials, options) }
    : { find: (name, options) => entries?.find(index, name, options) };
  const name = `accounts[${index}]`;
  return new EntryAccounts(source, {
    ...options,
    configuration,
    homes,
    name,
    rememberSeconds: settings?.remember,
    onProblem: onAccountProblem,
  });
}

/** What accounts of the configuration file are made with. */
interface FileAccountsOptions {
  readonly openHome: HomeOpener;
  readonly workPlaces: WorkPlaces;
  readonly services: AccountServices;
  readonly codes: CodeRegister;
  readonly codeSecrets: Readonly<Record<string, string>>;
  readonly own: NonNullable<EntryAccountsOptions["own"]>;
}

/** The users of the configuration, and anonymous. */
function createFileAccounts(
  configuration: Configuration,
  now: Date,
  { openHome, workPlaces, services, codes, codeSecrets, own }: FileAccountsOptions,
): VirtualAccounts {
  const quotas = new AccountQuotas(configuration, services);
  const sources = { openHome, quotas };
  const { users, anonymous } = configuration;
  const authorizer = new VirtualAccounts({ openHome: (home) => openHome(home, ""), places: workPlaces });
  for (const user of users) {
    const { name, password, limits, enabled } = user;
    const home = openAccountHome(user, name, sources); // of others, too: their files count under quotas
    const secret = Object.hasOwn(codeSecrets, name) ? codeSecrets[name] : user.totp?.secret;
    const factor = secondFactorOf(user, secret, codes);
    const options = { ...optionsOf(user), ...own(user), limits, rules: rulesOf(user, name), ...factor };
    if (enabled) authorizer.addUser(name, password, home, options);
  }
  if (anonymous !== undefined) {
    const forceWrite = mayAnonymousWrite(configuration, now);
    authorizer.addAnonymous(openAccountHome(anonymous, ANONYMOUS, sources), { ...optionsOf(anonymous), forceWrite });
  }
  return authorizer;
}

function optionsOf(account: AccountSettings): AccountOptions {
  const { login, quit } = account.messages;
  return { ...permissionsOf(account), loginMessage: login, quitMessage: quit };
}

/** Returns whether anonymous writing was asked for by name: by `forceWrite`, or by its risk. */
function mayAnonymousWrite({ anonymous, acceptRisks }: Configuration, now: Date): boolean {
  return anonymous?.forceWrite === true || acceptedRisks(acceptRisks, now).includes("anonymous-write");
}

/** Ids of the risks whose acceptance holds now. */
export function acceptedRisks(accepted: readonly AcceptedRisk[], now: Date): RiskId[] {
  return accepted.filter((entry) => holdsOn(entry, now)).map(({ risk }) => risk);
}
