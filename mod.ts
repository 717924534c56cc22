/**
 * An FTPS server to embed: TLS on, anonymous writing off.
 *
 * @example One user and one folder
 * ```ts
 * import { FtpServer, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const authorizer = new VirtualAuthorizer();
 * const home = new MemoryFileSystem(); // or a folder of the host: "/srv/ftp"
 * authorizer.addUser("user", "12345", home, { permissions: "elradfmwMT" });
 *
 * // Explicit TLS on 127.0.0.1 with a certificate made in memory; `await server.finished` would serve until it is stopped.
 * await using server = new FtpServer({ authorizer, listen: [{ port: 0 }] });
 * await server.listen();
 * ```
 *
 * @module
 */

export { FtpServer, type FtpServerParts, type ShutdownOptions } from "./lib/server/ftp_server.ts";
export type { ConnectingClient, ListeningAddress, RefuseConnection } from "./lib/server/acceptor.ts";
export { type RunningServer, serve, type ServeOptions } from "./lib/serve/serve.ts";
export { type Remark, type ServeSettings, UnusableConfigurationError } from "./lib/serve/serve_settings.ts";
export { catchUncaughtErrors, type UncaughtErrorOptions } from "./lib/server/uncaught_errors.ts";
export type { EventStreamOptions } from "./lib/server/event_hub.ts";
export type {
  CommandChanges,
  PermittedCommand,
  SiteCommand,
  SiteReply,
  SiteReplyCode,
} from "./lib/commands/command_changes.ts";
export type {
  AccountSlot,
  ConnectionSlot,
  FailureCount,
  LoginAttempt,
  SharedRate,
  SharedState,
} from "./lib/state/state.ts";
export type { Lease, MaybePromise } from "./lib/shared_port.ts";
export type { EventKeeper, KeptEvent } from "./lib/event_keeper.ts";
export type { CallOutcome, Dependency, HookResult, Meter } from "./lib/meter.ts";
export type { Span, Trace } from "./lib/tracing.ts";
export { StateUnavailableError } from "./lib/state/state.ts";
export type { KeptOffender, OffenderStore } from "./lib/state/offenders.ts";
export type { FtpServerOptions } from "./lib/server/options.ts";
export type {
  BanOptions,
  ClientCertificateOptions,
  GivenSettings,
  ListenOptions,
  TlsOptions,
} from "./lib/settings/options.ts";
export type { PortRange } from "./lib/settings/forms.ts";
export type { SessionReuse, TlsPolicy } from "./lib/settings/settings.ts";
export { type Risk, RISK_IDS, type RiskId, RISKS } from "./lib/settings/risks.ts";
export { VirtualAuthorizer, type VirtualAuthorizerOptions } from "./lib/server/virtual_authorizer.ts";
export type {
  AccountOptions,
  AccountRuleSet,
  AccountSource,
  DelegatedPassword,
  FoundAccount,
  RefusalOptions,
} from "./lib/accounts/account_source.ts";
export { type AccountRuleOptions, AccountRules } from "./lib/accounts/account_rules.ts";
export {
  CertificateDemand,
  type CertificateDemandOptions,
  type CertificateMatch,
} from "./lib/accounts/certificate_demand.ts";
export type { CodeAttempt, LookedAtCode, SecondFactor, TotpAlgorithm } from "./lib/accounts/second_factor.ts";
export { TotpFactor, type TotpFactorOptions, type TotpParameters } from "./lib/accounts/totp_factor.ts";
export { type CodeRegister, type CodeUse, UsedCodes, type UsedCodesOptions } from "./lib/accounts/code_register.ts";
export { PasswordAuthorizer, type PasswordAuthorizerOptions } from "./lib/accounts/password_authorizer.ts";
export {
  type AnonymousOptions,
  VirtualAccounts,
  type VirtualAccountsOptions,
} from "./lib/accounts/virtual_accounts.ts";
export {
  type PasswordAttempt,
  type PasswordAttemptOptions,
  PasswordVerifier,
  type PasswordVerifierLimits,
  type PasswordVerifierOptions,
  verifyPassword,
} from "./lib/accounts/password_verifier.ts";
export { hashPassword, type PasswordHash, StoredPassword } from "./lib/accounts/password_hash.ts";
export type { Argon2Cost, BcryptCost, HashCost, ScryptCost, ScryptParameters } from "./lib/accounts/password_digest.ts";
export {
  type AccountRights,
  ALL_PERMISSIONS,
  findPermissions,
  InsecureConfigurationError,
  type PermissionLetter,
  type PermissionOverride,
  READ_PERMISSIONS,
  WRITE_PERMISSIONS,
} from "./lib/accounts/permission.ts";
export {
  type Account,
  type AccountLimits,
  type Authorizer,
  AuthorizerBusyError,
  type AuthorizerBusyErrorOptions,
  type CertificateCredentials,
  type Credentials,
  LoginRefusedError,
} from "./lib/accounts/authorizer.ts";
export type { WorkOptions, WorkPlaces } from "./lib/accounts/work_queue.ts";
export type {
  CallOptions,
  CreateOptions,
  DirectoryEntry,
  FileDigest,
  FileInfo,
  FileSystem,
  FileSystemMethod,
  FileType,
  FinishOptions,
  HashAlgorithm,
  OpenReadOptions,
  QuotaReport,
  ReadableFile,
  WritableFile,
  WriteMode,
} from "./lib/filesystem/filesystem.ts";
export { FileSystemError, type FileSystemErrorKind } from "./lib/filesystem/filesystem.ts";
export { LocalFileSystem, type LocalFileSystemOptions } from "./lib/filesystem/local/local_filesystem.ts";
export type { FileClaims } from "./lib/filesystem/file_claims.ts";
export { WriteClaims } from "./lib/filesystem/write_claims.ts";
export { MemoryFileSystem, type MemoryFileSystemOptions } from "./lib/filesystem/memory/memory_filesystem.ts";
export { ObjectFileSystem, type ObjectFileSystemOptions } from "./lib/filesystem/object/object_filesystem.ts";
export {
  ObjectSweeper,
  type ObjectSweeperOptions,
  type SweepOptions,
  type SweepResult,
  sweepStore,
} from "./lib/filesystem/object/object_sweep.ts";
export {
  type AcquirePartOptions,
  PartBuffer,
  PartBuffers,
  type PartBuffersOptions,
} from "./lib/filesystem/object/part_buffers.ts";
export { MemoryRecords, type MemoryRecordsOptions } from "./lib/state/memory_records.ts";
export type { Duties } from "./lib/state/duties.ts";
export type { ListRecordsOptions, RecordOptions, StateRecord, StateRecords } from "./lib/state/records.ts";
export { S3Store, type S3StoreOptions } from "./lib/filesystem/object/s3_store.ts";
export type { OnRequest, StoreTimeouts } from "./lib/filesystem/object/s3_requests.ts";
export {
  type CredentialSource,
  FileCredentials,
  type FileCredentialsOptions,
  type StoreCredentials,
} from "./lib/filesystem/object/s3_credentials.ts";
export {
  type Body as StoreBody,
  type CompleteOptions,
  type CopyOptions,
  type GetOptions,
  type ListedObject,
  type ListOptions,
  type ListPage,
  type ObjectInfo,
  type ObjectStore,
  type PendingMultipart,
  type PutCondition,
  type PutOptions,
  type StoreAbilities,
  StoreRefusal,
  type UploadedPart,
  type UploadName,
  type UploadsPage,
} from "./lib/filesystem/object/object_store.ts";
export { readOnly } from "./lib/filesystem/read_only.ts";
export { MountedFileSystem } from "./lib/filesystem/mounts/mounted_filesystem.ts";
export type { Mount } from "./lib/filesystem/mounts/mount_table.ts";
export { type ClosedNames, PatternFileSystem } from "./lib/filesystem/patterns/pattern_filesystem.ts";
export { DropBoxFileSystem, type DropBoxOptions } from "./lib/filesystem/drop_box/drop_box_filesystem.ts";
export {
  ConnectionError,
  type ConnectionErrorKind,
  type PeerCertificate,
  type TlsInfo,
} from "./lib/transport/connection.ts";
export type { PortSharing } from "./lib/transport/node_socket.ts";
export type { CertificateInfo } from "./lib/transport/tls_context.ts";
export type {
  EndedTransferEvent,
  EventHandler,
  EventHandlers,
  EventListener,
  ServerEvent,
  ServerEventName,
  ServerEventOf,
  ServerEvents,
  SessionEvent,
  TransferEvent,
} from "./lib/events.ts";
export type { SessionInfo, TransferInfo } from "./lib/session/session.ts";
export type { SessionSelector } from "./lib/state/session_selector.ts";
