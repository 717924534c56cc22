/**
 * Every key of the configuration file, with values.
 *
 * @module
 */

import { RISK_IDS } from "../../lib/settings/risks.ts";

/** A key of the file with a good value and a bad one. */
export interface KeyCase {
  readonly key: string;
  readonly good: string;
  /** What the good value becomes. */
  readonly becomes: unknown;
  /** Where it is then, unless it is where it stands in the file; `false`: nowhere. */
  readonly at?: string | false;
  readonly bad: string;
  readonly message: string;
  /** Another key that this one cannot be without. */
  readonly beside?: string;
}

const NO_TRUTH = { bad: "yes", message: '"yes" is not true or false' };
const NO_FILE = { bad: "5", message: "5 is not a file; put it in quotes" };
const NO_HOME = { bad: "5", message: "5 is not a folder, or { store: NAME, path: /folder }; put it in quotes" };
const NO_SECONDS = { bad: "1h", message: '"1h" is not a number of seconds, 0 to 2147482' };
const NO_TIME = { bad: "0", message: "0 is not a number of seconds over 0, to 2147482" };
const NO_COUNT = { bad: "-1", message: "-1 is not a whole number, 0 or more" };
const NO_TEXT = { bad: "2027", message: "2027 is not a text; put it in quotes" };
const NO_SIZE = {
  bad: "10MB",
  message: '"10MB" is not a size: bytes, or a number with KiB, MiB or GiB as 10MiB',
};
const NO_LETTERS = { bad: "elx", message: 'unknown letter "x"; use letters of elradfmwMT' };
const NO_PATH = { bad: "in/", message: '"in/" is not a path of the account such as /incoming, without . and ..' };

/** All of them; a test makes sure of that. */
export const KEYS: readonly KeyCase[] = [
  {
    key: "listen[0].host",
    good: "'::1'",
    becomes: "::1",
    bad: "localhost",
    message: '"localhost" is not a numeric IPv4 or IPv6 address, not of a link (fe80::)',
  },
  { key: "listen[0].port", good: "0", becomes: 0, bad: "65536", message: "65536 is not a port, 0 to 65535" },
  {
    key: "listen[0].tls",
    good: "implicit",
    becomes: "implicit",
    bad: "yes",
    message: '"yes" is not one of explicit, implicit',
  },
  {
    key: "listen[0].proxyProtocol",
    good: "[10.0.0.0/8, '::1']",
    becomes: ["10.0.0.0/8", "::1"],
    bad: "10.0.0.0/8",
    message: '"10.0.0.0/8" is not a list of addresses and networks',
  },
  {
    key: "tls.policy",
    good: "control",
    becomes: "control",
    bad: "strict",
    message: '"strict" is not one of required, control, optional, off',
  },
  {
    key: "tls.certificate",
    good: "certs/server.crt",
    becomes: "/etc/ftpsd/certs/server.crt",
    beside: "  key: server.key",
    ...NO_FILE,
  },
  {
    key: "tls.key",
    good: "/server.key",
    becomes: "/server.key",
    beside: "  certificate: server.crt",
    ...NO_FILE,
  },
  {
    key: "tls.minVersion",
    good: "TLSv1.3",
    becomes: "TLSv1.3",
    bad: "1.3",
    message: "1.3 is not one of TLSv1.2, TLSv1.3",
  },
  {
    key: "tls.maxVersion",
    good: "TLSv1.2",
    becomes: "TLSv1.2",
    bad: "TLSv1.1",
    message: '"TLSv1.1" is not one of TLSv1.2, TLSv1.3',
  },
  {
    key: "tls.sessionReuse",
    good: "require",
    becomes: "require",
    bad: "true",
    message: "true is not one of off, allow, require",
  },
  { key: "tls.requireCloseNotify", good: "false", becomes: false, ...NO_TRUTH },
  {
    key: "tls.clientCertificates.mode",
    good: "require",
    becomes: "require",
    beside: "    ca: ca.crt",
    bad: "required",
    message: '"required" is not one of none, request, require',
  },
  {
    key: "tls.clientCertificates.ca",
    good: "ca.crt",
    becomes: "/etc/ftpsd/ca.crt",
    ...NO_FILE,
  },
  {
    key: "passive.ports",
    good: "50000-50100",
    becomes: { from: 50000, to: 50100 },
    bad: "50100-50000",
    message: '"50100-50000" is not a range of ports such as 50000-50100, 1 to 65535',
  },
  {
    key: "passive.announced",
    good: "60000-60100",
    becomes: { from: 60000, to: 60100 },
    bad: "60000",
    message: "60000 is not a range of ports such as 50000-50100, 1 to 65535",
    beside: "  ports: 50000-50100",
  },
  {
    key: "passive.address",
    good: "ftp.example.org",
    becomes: "ftp.example.org",
    bad: "2001:db8::7",
    message: '"2001:db8::7" is not a numeric IPv4 address of a host, or its name such as ftp.example.org',
  },
  {
    key: "passive.addresses",
    good: "{ 10.0.0.5: 203.0.113.7 }",
    becomes: { "10.0.0.5": "203.0.113.7" },
    bad: "203.0.113.7",
    message: '"203.0.113.7" is not a mapping',
  },
  { key: "passive.foreignAddresses", good: "true", becomes: true, ...NO_TRUTH },
  { key: "active.enabled", good: "true", becomes: true, ...NO_TRUTH },
  { key: "active.foreignAddresses", good: "true", becomes: true, ...NO_TRUTH },
  { key: "active.privilegedPorts", good: "true", becomes: true, ...NO_TRUTH },
  { key: "banner", good: "Hello", becomes: "Hello", ...NO_TEXT },
  {
    key: "commands.disabled",
    good: "[DELE, SITE CHMOD]",
    becomes: ["DELE", "SITE CHMOD"],
    bad: "DELE",
    message: '"DELE" is not a list',
  },
  {
    key: "encoding",
    good: "cp850",
    becomes: "cp850",
    bad: "850",
    message: "850 is not the name of an encoding; put it in quotes",
  },
  { key: "times", good: "local", becomes: "local", bad: "UTC", message: '"UTC" is not one of utc, local' },
  { key: "transfer.asciiConversion", good: "false", becomes: false, ...NO_TRUTH },
  { key: "transfer.bandwidth.upload", good: "1.5KiB", becomes: 1536, ...NO_SIZE },
  { key: "transfer.bandwidth.download", good: "1000", becomes: 1000, ...NO_SIZE },
  { key: "upload.atomic", good: "true", becomes: true, ...NO_TRUTH },
  { key: "upload.overwrite", good: "false", becomes: false, ...NO_TRUTH },
  { key: "upload.sync", good: "true", becomes: true, ...NO_TRUTH },
  { key: "timeouts.idle", good: "0", becomes: 0, ...NO_SECONDS },
  { key: "timeouts.login", good: "0.5", becomes: 0.5, ...NO_SECONDS },
  { key: "timeouts.data", good: "1e3", becomes: 1000, ...NO_SECONDS },
  { key: "timeouts.passive", good: "2147482", becomes: 2147482, ...NO_SECONDS },
  { key: "timeouts.active", good: "30", becomes: 30, ...NO_SECONDS },
  { key: "timeouts.handshake", good: "10", becomes: 10, ...NO_SECONDS },
  { key: "timeouts.failedLogin", good: "3", becomes: 3, ...NO_SECONDS },
  { key: "limits.connections", good: "0", becomes: 0, ...NO_COUNT },
  { key: "limits.connectionsPerAddress", good: "4", becomes: 4, ...NO_COUNT },
  { key: "limits.connectionsBeforeLogin", good: "0", becomes: 0, ...NO_COUNT },
  { key: "limits.loginAttempts", good: "1", becomes: 1, ...NO_COUNT },
  {
    key: "limits.commandLineBytes",
    good: "64",
    becomes: 64,
    bad: "63",
    message: "63 is not a number of bytes, 64 to 1048576",
  },
  {
    key: "ban.failures",
    good: "1000",
    becomes: 1000,
    bad: "1001",
    message: "1001 is not a whole number, 0 to 1000",
  },
  { key: "ban.window", good: "0.5", becomes: 0.5, ...NO_TIME },
  { key: "ban.duration", good: "60", becomes: 60, ...NO_TIME },
  {
    key: "ban.never",
    good: "[10.0.0.1, '::1']",
    becomes: ["10.0.0.1", "::1"],
    bad: "10.0.0.1",
    message: '"10.0.0.1" is not a list of addresses',
  },
  { key: "log.format", good: "json", becomes: "json", bad: "text", message: '"text" is not one of pretty, json' },
  {
    key: "log.level",
    good: "warn",
    becomes: "warn",
    bad: "warning",
    message: '"warning" is not one of debug, info, warn, error',
  },
  { key: "log.transfers", good: "xferlog", becomes: "/etc/ftpsd/xferlog", ...NO_FILE },
  {
    key: "state.type",
    good: "sqlite",
    becomes: "sqlite",
    beside: "  file: state.db",
    bad: "postgresql",
    message: '"postgresql" is not one of memory, sqlite',
  },
  { key: "state.file", good: "state.db", becomes: "/etc/ftpsd/state.db", beside: "  type: sqlite", ...NO_FILE },
  {
    key: "workers",
    good: "3",
    becomes: 3,
    bad: "0",
    message: "0 is not auto, or a whole number, 1 to 64",
  },
  {
    key: "acceptRisks[0].risk",
    good: "clear-text-data",
    becomes: "clear-text-data",
    bad: "everything",
    message: `"everything" is not one of ${RISK_IDS.join(", ")}`,
  },
  {
    key: "acceptRisks[0].reason",
    good: "old scanner",
    becomes: "old scanner",
    bad: "''",
    message: '"" is not the reason why',
  },
  {
    key: "acceptRisks[0].until",
    good: "2028-02-29",
    becomes: new Date("2028-02-29T00:00:00Z"),
    bad: "2027-02-29",
    message: '"2027-02-29" is not a day such as 2027-01-31',
  },
  { key: "stores.x.type", good: "s3", becomes: "s3", bad: "swift", message: '"swift" is not one of s3' },
  {
    key: "stores.x.endpoint",
    good: "https://[::1]:9000/base",
    becomes: "https://[::1]:9000/base",
    bad: "https://user:word@s3.example.org",
    message: '"https://user:word@s3.example.org" is not the address of a service such as https://s3.example.org',
  },
  { key: "stores.x.region", good: "eu-1", becomes: "eu-1", bad: "''", message: '"" is not the name of a region' },
  { key: "stores.x.bucket", good: "files", becomes: "files", bad: "''", message: '"" is not the name of a bucket' },
  { key: "stores.x.prefix", good: "ftp/", becomes: "ftp/", bad: "''", message: '"" is not a prefix such as ftp/' },
  { key: "stores.x.addressing", good: "host", becomes: "host", bad: "dns", message: '"dns" is not one of path, host' },
  { key: "stores.x.accessKeyFile", good: "id", becomes: "/etc/ftpsd/id", ...NO_FILE },
  { key: "stores.x.secretKeyFile", good: "secret", becomes: "/etc/ftpsd/secret", ...NO_FILE },
  { key: "stores.x.sessionTokenFile", good: "token", becomes: "/etc/ftpsd/token", ...NO_FILE },
  { key: "stores.x.ca", good: "ca.pem", becomes: "/etc/ftpsd/ca.pem", ...NO_FILE },
  { key: "stores.x.partSize", good: "64MiB", becomes: 2 ** 26, bad: "1MiB", message: "is less than 5MiB" },
  { key: "stores.x.keepPartsFor", good: "3600", becomes: 3600, ...NO_TIME },
  {
    key: "stores.x.renameLimit",
    good: "0",
    becomes: 0,
    bad: "-1",
    message: "-1 is not a number of objects, 0 to 1000000",
  },
  {
    key: "users[0].name",
    good: "bob",
    becomes: "bob",
    bad: "007",
    message: "7 is not a user name; put it in quotes",
  },
  {
    key: "users[0].password",
    good: "$scrypt$x",
    becomes: "$scrypt$x",
    bad: "12345",
    message: "the value is not a password hash; make one with: ftpsd hash-password",
  },
  { key: "users[0].home", good: "homes/bob", becomes: "/etc/ftpsd/homes/bob", ...NO_HOME },
  { key: "groups.x.permissions", good: "elw", becomes: "elw", ...NO_LETTERS },
  { key: "groups.x.quota.bytes", good: "1GiB", becomes: 2 ** 30, ...NO_SIZE },
  { key: "groups.x.quota.files", good: "100", becomes: 100, ...NO_COUNT },
  {
    key: "users[0].groups",
    good: "[partners]",
    becomes: ["partners"],
    beside: "groups: { partners: {} }",
    bad: "partners",
    message: '"partners" is not a list',
  },
  { key: "users[0].quota.bytes", good: "10 GiB", becomes: 10 * 2 ** 30, ...NO_SIZE },
  { key: "users[0].quota.files", good: "0", becomes: 0, ...NO_COUNT },
  { key: "anonymous.quota.bytes", good: "5000", becomes: 5000, ...NO_SIZE },
  { key: "anonymous.quota.files", good: "7", becomes: 7, ...NO_COUNT },
  { key: "users[0].permissions", good: "''", becomes: "", ...NO_LETTERS },
  { key: "users[0].overrides[0].path", good: "/", becomes: "/", ...NO_PATH },
  { key: "users[0].overrides[0].permissions", good: "elw", becomes: "elw", ...NO_LETTERS },
  { key: "users[0].overrides[0].recursive", good: "true", becomes: true, ...NO_TRUTH },
  {
    key: "users[0].mounts[0].path",
    good: "/a/b",
    becomes: "/a/b",
    bad: "/",
    message: '"/" is not a path below the root such as /shared',
  },
  { key: "users[0].mounts[0].home", good: "shared", becomes: "/etc/ftpsd/shared", ...NO_HOME },
  { key: "users[0].mounts[0].permissions", good: "elr", becomes: "elr", ...NO_LETTERS },
  {
    key: "users[0].hide",
    good: "['.*', '~?']",
    becomes: [".*", "~?"],
    bad: "'.*'",
    message: '".*" is not a list of patterns',
  },
  {
    key: "users[0].deny",
    good: "['*.exe']",
    becomes: ["*.exe"],
    bad: "'*.exe'",
    message: '"*.exe" is not a list of patterns',
  },
  { key: "users[0].dropBox", good: "true", becomes: true, ...NO_TRUTH },
  { key: "users[0].messages.login", good: '"a\\nb\\n"', becomes: "a\nb", ...NO_TEXT },
  { key: "users[0].messages.quit", good: "Bye", becomes: "Bye", ...NO_TEXT },
  { key: "users[0].limits.connections", good: "4", becomes: 4, ...NO_COUNT },
  { key: "users[0].limits.bandwidth.upload", good: "1 MiB", becomes: 2 ** 20, ...NO_SIZE },
  { key: "users[0].limits.bandwidth.download", good: "2GiB", becomes: 2 ** 31, ...NO_SIZE },
  { key: "anonymous.home", good: "/srv/pub", becomes: "/srv/pub", ...NO_HOME },
  { key: "anonymous.permissions", good: "el", becomes: "el", ...NO_LETTERS },
  { key: "anonymous.overrides[0].path", good: "/a b/c", becomes: "/a b/c", ...NO_PATH },
  { key: "anonymous.overrides[0].permissions", good: "''", becomes: "", ...NO_LETTERS },
  { key: "anonymous.overrides[0].recursive", good: "false", becomes: false, ...NO_TRUTH },
  {
    key: "anonymous.mounts[0].path",
    good: "/a/b",
    becomes: "/a/b",
    bad: "/",
    message: '"/" is not a path below the root such as /shared',
  },
  { key: "anonymous.mounts[0].home", good: "shared", becomes: "/etc/ftpsd/shared", ...NO_HOME },
  { key: "anonymous.mounts[0].permissions", good: "elr", becomes: "elr", ...NO_LETTERS },
  {
    key: "anonymous.hide",
    good: "['.*', '~?']",
    becomes: [".*", "~?"],
    bad: "'.*'",
    message: '".*" is not a list of patterns',
  },
  {
    key: "anonymous.deny",
    good: "['*.exe']",
    becomes: ["*.exe"],
    bad: "'*.exe'",
    message: '"*.exe" is not a list of patterns',
  },
  { key: "anonymous.dropBox", good: "true", becomes: true, ...NO_TRUTH },
  { key: "anonymous.messages.login", good: "Hi", becomes: "Hi", ...NO_TEXT },
  { key: "anonymous.messages.quit", good: "Bye", becomes: "Bye", ...NO_TEXT },
  { key: "anonymous.forceWrite", good: "true", becomes: true, ...NO_TRUTH },
];
