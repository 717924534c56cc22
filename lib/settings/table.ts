/**
 * Every setting, one row each: where it is, its form, its default, the option of the command line that means it, what it is
 * for, and whether a reload applies it. What is checked of files, options and the library's callers is made of this, and so are
 * the types of settings, the JSON Schema, the help, the completions, the manual and the page about the configuration.
 *
 * @module
 */

import * as v from "valibot";
import { DEFAULT_MESSAGES } from "../accounts/authorizer.ts";
import { READ_PERMISSIONS } from "../accounts/permission.ts";
import { TOTP_ALGORITHMS } from "../accounts/second_factor.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../logger.ts";
import {
  accountUrl,
  acmeDirectory,
  address,
  addressRange,
  addressTable,
  alternativeName,
  announcedAddress,
  bucketName,
  bytes,
  certificateNames,
  choice,
  clientText,
  codeSecret,
  count,
  day,
  emailAddress,
  fingerprint,
  type Form,
  greeting,
  home,
  hostPath,
  httpUrl,
  lastDayOrMoment,
  ldapAttribute,
  ldapFilter,
  ldapUrl,
  list,
  listenAddress,
  mapping,
  mountPath,
  namedMappings,
  namePatterns,
  pem,
  permissions,
  port,
  portRange,
  seconds,
  secondsOverZero,
  secret,
  secretList,
  statement,
  template,
  text,
  timeZone,
  truth,
  virtualPath,
  weeklyHours,
  wholeNumber,
  workers,
} from "./forms.ts";
import { RISK_IDS } from "./risks.ts";

/** An option of the command line that means a setting. */
export interface Flag {
  /** Long name, without dashes. Settings with the same one are set together. */
  readonly name: string;
  /** Letter, pyftpdlib's where it has one. */
  readonly letter?: string;
  /** Name of the value in the help; absent: a switch. `FILE` is completed with what there is. */
  readonly value?: string;
  /** What a switch sets. @default {true} */
  readonly sets?: unknown;
  /** Title of its group in the help. */
  readonly group: string;
  /** One line for the help, without the default. */
  readonly help: string;
  /** What the help calls the default, where its value says little. */
  readonly without?: string;
  /** What to type instead of a value that is wrong. */
  readonly example?: string;
  /** Whether the short help shows it. */
  readonly isCommon?: true;
}

/** What a row may say beside form and text. */
export interface RowOptions {
  readonly flag?: Flag;
  /** Whether each change waits for a restart; a sentence says which do. */
  readonly restart?: true | string;
  /** Name of the type of a group in TypeScript. */
  readonly typeName?: string;
}

const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
/** Most failures of an address that are kept in mind. */
const MAX_FAILURES = 1000;

const listener = named(
  "ListenOptions",
  "One address to listen on.",
  mapping({
    host: setting(listenAddress, "Address to listen on; `0.0.0.0` is all of IPv4, `::` all there are.", {
      default: "127.0.0.1",
      flag: {
        name: "interface",
        letter: "i",
        value: "ADDRESS",
        group: "Where to listen",
        help: "address to listen on",
        example: "0.0.0.0 for all of IPv4, :: for all",
        isCommon: true,
      },
    }),
    port: setting(port, "Port, 0 for any.", {
      default: 2121,
      flag: {
        name: "port",
        letter: "p",
        value: "PORT",
        group: "Where to listen",
        help: "port, 0 for any",
        isCommon: true,
      },
    }),
    tls: setting(
      choice(["explicit", "implicit"]),
      "When TLS starts: after AUTH TLS (RFC 4217), or with the first byte.",
      { default: "explicit" },
    ),
    proxyProtocol: setting(
      v.pipe(
        list(addressRange, "a list of addresses and networks"),
        v.minLength(1, "has no entry; give the addresses of the balancers"),
      ),
      "Addresses and networks of balancers that say by the PROXY protocol, version 1 or 2, on whose behalf they connect: to this " +
        "port, and to the passive ports of its sessions. Whoever connects from elsewhere, or without that, is refused.",
    ),
  }),
);

const bandwidth = mapping({
  upload: setting(bytes, "Bytes a second from clients, 0 for no limit.", { default: 0 }),
  download: setting(bytes, "Bytes a second to clients, 0 for no limit.", { default: 0 }),
});

const passive = mapping({
  ports: setting(portRange, "Ports of passive data connections, both ends included; without it any port.", {
    restart: true,
    flag: {
      name: "range",
      letter: "r",
      value: "FROM-TO",
      group: "Where to listen",
      help: "ports of passive mode (default: any)",
      example: "50000-50100",
      isCommon: true,
    },
  }),
  announced: setting(
    portRange,
    "Ports that clients are told in place of `ports`, one for one, where a router or a balancer leads these to those.",
    { restart: true },
  ),
  address: setting(
    announcedAddress,
    "Address that PASV announces, where the server is behind a NAT router. A name is resolved anew each minute.",
    {
      flag: {
        name: "nat-address",
        letter: "n",
        value: "ADDRESS",
        group: "Where to listen",
        help: "IPv4 address or name that PASV announces, behind NAT",
        example: "203.0.113.7",
      },
    },
  ),
  addresses: setting(
    addressTable,
    "The same by the local address that the client has reached; goes before `address`.",
    { default: {} },
  ),
  foreignAddresses: setting(
    truth,
    "Whether from other hosts than the client, as from a NAT router with several addresses: the risk " +
      "`foreign-data-address`.",
    {
      default: false,
      flag: {
        name: "permit-foreign-addresses",
        group: "Limits",
        help: "data connections from, and in active mode to, other hosts",
      },
    },
  ),
});

const active = mapping({
  enabled: setting(truth, "Whether PORT and EPRT are allowed.", {
    default: false,
    flag: { name: "active", group: "Limits", help: "allow active mode: PORT and EPRT" },
  }),
  foreignAddresses: setting(truth, "Whether to other hosts than the client: the risk `foreign-data-address`.", {
    default: false,
    flag: { name: "permit-foreign-addresses", group: "Limits", help: "" },
  }),
  privilegedPorts: setting(truth, "Whether to ports below 1024: the risk `privileged-data-port`.", {
    default: false,
    flag: { name: "permit-privileged-ports", group: "Limits", help: "in active mode, to ports below 1024" },
  }),
});

const transfer = mapping({
  asciiConversion: setting(truth, "Whether TYPE A converts line ends.", { default: true }),
  bandwidth: group(bandwidth, "Bytes a second of each session."),
});

const upload = mapping({
  atomic: setting(
    truth,
    "Whether a file appears only when it is complete; then none can be resumed. Until then it has a hidden name, " +
      "`.ftpsd-XXXXXXXX.part`, that clients neither see nor use. What a killed server leaves of that is removed " +
      "after a day, when the next upload into the folder begins.",
    { default: false },
  ),
  overwrite: setting(
    truth,
    "Whether STOR and RNTO may take a name from a file that has it. If not they get 550, and what is there can only " +
      "be continued at its end, with the right to append. Of an upload that was interrupted nothing is there with " +
      "`atomic`, so that it can be sent again.",
    { default: true },
  ),
  sync: setting(
    truth,
    "Whether a file and its name are on stable storage before 226 is sent.",
    { default: false },
  ),
});

const timeouts = mapping({
  idle: setting(seconds, "Silence on the control connection while no data flows.", {
    default: 300,
    flag: { name: "timeout", value: "SECONDS", group: "Limits", help: "idle timeout of the control connection" },
  }),
  login: setting(seconds, "From the connection to the login.", { default: 60 }),
  data: setting(seconds, "No byte moved on a data connection.", { default: 60 }),
  passive: setting(seconds, "From PASV or EPSV to the client's data connection.", { default: 30 }),
  active: setting(seconds, "To establish an active data connection.", { default: 30 }),
  handshake: setting(seconds, "For a TLS handshake.", { default: 10 }),
  failedLogin: setting(seconds, "Before a failed login is answered.", { default: 3 }),
});

const limits = mapping({
  connections: setting(count, "Control connections at once.", {
    default: 512,
    flag: { name: "max-cons", value: "N", group: "Limits", help: "connections at once" },
  }),
  connectionsPerAddress: setting(count, "The same from one address; of IPv6 from one /64.", {
    default: 0,
    flag: {
      name: "max-cons-per-ip",
      value: "N",
      group: "Limits",
      help: "the same from one address",
      without: "no limit",
    },
  }),
  connectionsBeforeLogin: setting(
    count,
    "The same before a login. Who never logs in takes no place from users then. Without it, half of `connections`.",
  ),
  loginAttempts: setting(count, "Failed logins before the connection is closed.", {
    default: 3,
    flag: { name: "max-login-attempts", value: "N", group: "Limits", help: "failed logins before the end" },
  }),
  commandLineBytes: setting(wholeNumber(64, 2 ** 20, "a number of bytes"), "Length of a command line in bytes.", {
    default: 4096,
  }),
});

const ban = mapping({
  failures: setting(
    wholeNumber(0, MAX_FAILURES, "a whole number"),
    "Failed logins from one address (of IPv6 one /64) that ban it; 0 for never.",
    { default: 10 },
  ),
  window: setting(secondsOverZero, "Time in seconds within which they count.", { default: 600 }),
  duration: setting(secondsOverZero, "Time of the ban in seconds.", { default: 900 }),
  never: setting(list(address, "a list of addresses"), "Addresses that are never banned.", { default: [] }),
});

/** A certificate that is ordered from a CA. */
const acme = mapping({
  domains: required(certificateNames, "Names that the certificate is for; each has to lead to this server.", {
    flag: {
      name: "acme",
      value: "NAMES",
      group: "TLS",
      help: "names, with commas, to get a certificate for (ACME, port 80)",
      example: "ftp.example.org",
    },
  }),
  storage: required(
    hostPath("a folder"),
    "Folder for the certificate, its key and the account, which is made with mode 700. Others must have no rights on it.",
    {
      flag: {
        name: "acme-storage",
        value: "DIR",
        group: "TLS",
        help: "folder for it and its key, mode 700",
        without: "acme",
      },
    },
  ),
  directory: setting(acmeDirectory, "The CA: the address of its ACME directory, or a name for Let's Encrypt's.", {
    default: "letsencrypt",
    flag: {
      name: "acme-directory",
      value: "URL",
      group: "TLS",
      help: "the CA, or letsencrypt-staging to try it",
    },
  }),
  email: setting(emailAddress, "Where the CA can reach somebody."),
  challenge: setting(choice(["http-01"]), "How names are proven: the CA asks this server on port 80.", {
    default: "http-01",
  }),
  httpHost: setting(listenAddress, "Address to listen on while the CA asks.", { default: "0.0.0.0" }),
  httpPort: setting(
    port,
    "Port to listen on while the CA asks, which it does on port 80: another one needs something that forwards.",
    { default: 80 },
  ),
  ca: setting(
    hostPath("a file"),
    "Who signs the certificate of the CA's own server, beside those that Deno trusts, PEM.",
  ),
  externalAccount: setting(
    mapping({
      keyId: required(text("an id"), "Id of the account at the CA."),
      keyFile: required(hostPath("a file"), "File with its key for HMAC, in base64url."),
    }),
    "An account that the CA knows already, where it wants one (External Account Binding).",
  ),
  secretFile: setting(
    hostPath("a file"),
    "With `state.type: postgres`: file with a secret that all nodes have, of 32 characters or more. What they share of the certificate " +
      "and its key is encrypted with it.",
  ),
});

/** What a file can say of TLS, and no program. */
const ACME_ROWS = {
  acme: setting(
    acme,
    "A certificate that is ordered from a CA by ACME, and renewed, in the place of `certificate` and `key`; see " +
      "[certificates.md](certificates.md).",
    { restart: true },
  ),
};

/**
 * Where to listen, and TLS.
 *
 * @param content How certificates and keys are given: by a file as paths, by a program as PEM.
 * @param more Rows of TLS besides.
 */
function listenRows<More extends v.ObjectEntries>(content: Form<string>, more: More) {
  const tls = mapping({
    policy: setting(
      choice(["required", "control", "optional", "off"], { typeText: "TlsPolicy" }),
      "Where TLS is demanded: on all connections, on control connections, nowhere; `off` does not even offer it.",
      {
        default: "required",
        restart: "From or to `off` waits for a restart.",
        flag: { name: "tls", value: "POLICY", group: "TLS", help: "required, control, optional or off" },
      },
    ),
    certificate: setting(
      content,
      "Certificate chain in PEM, the server's own first. Without it a self-signed one is made in memory at each start.",
      {
        restart: "The one in use stays until a restart where a reload gives none.",
        flag: {
          name: "certfile",
          value: "FILE",
          group: "TLS",
          help: "certificate chain, PEM (default: one made in memory)",
        },
      },
    ),
    key: setting(content, "Private key of the certificate in PEM.", {
      flag: { name: "keyfile", value: "FILE", group: "TLS", help: "its private key, PEM" },
    }),
    ...more,
    minVersion: setting(choice(TLS_VERSIONS), "Oldest version that is spoken.", { default: "TLSv1.2", restart: true }),
    maxVersion: setting(choice(TLS_VERSIONS), "Newest version that is spoken.", { default: "TLSv1.3", restart: true }),
    sessionReuse: setting(
      choice(["off", "allow", "require"], { typeText: "SessionReuse" }),
      "Whether a data connection must resume a TLS session: `require` refuses those that do not. `off` and `allow` leave it to " +
        "the client. `require` proves that the peer has a session with this server, not that it is this one; its address is " +
        "checked always.",
      {
        default: "allow",
        restart: "With several event loops, `require` waits for a restart.",
        flag: {
          name: "tls-session-reuse",
          value: "MODE",
          group: "TLS",
          help: "require: data must resume; off, allow: may",
        },
      },
    ),
    requireCloseNotify: setting(truth, "Whether an upload that ends without close_notify is incomplete (426).", {
      default: true,
    }),
    clientCertificates: group(
      mapping({
        mode: setting(
          choice(["none", "request", "require"]),
          "Whether clients are asked for one, or must have it; one that is not good is refused in both modes.",
          { default: "none" },
        ),
        ca: setting(
          content,
          "Certificates in PEM that clients' certificates have to lead up to. A client's own may be among them: it is let in " +
            "then, and can vouch for nobody else unless it is a CA.",
        ),
        crl: setting(
          content,
          "Lists of revoked certificates, each signed by one of `ca`: in PEM, or a file in DER. With it a certificate is good only " +
            "while its CA has a list there that is not overdue.",
        ),
      }),
      "Certificates of clients.",
      { typeName: "ClientCertificateOptions" },
    ),
  });
  return {
    listen: setting(
      v.pipe(list(listener), v.minLength(1, "has no entry; give at least one address")),
      "Addresses to listen on.",
      { default: [{}], restart: true },
    ),
    tls: group(tls, "TLS of control and data connections.", { typeName: "TlsOptions" }),
  };
}

/** What all servers have between their TLS and their commands. */
const CONNECTION_ROWS = {
  passive: group(passive, "Passive mode: clients make the data connections."),
  active: group(active, "Active mode: the server makes the data connections."),
  banner: setting(greeting, "Greeting.", {
    default: "ftpsd ready.",
    flag: { name: "banner", value: "TEXT", group: "Output", help: "greeting" },
  }),
  encoding: setting(
    text("the name of an encoding"),
    "Encoding of names for clients from before UTF-8, such as `cp850` or `shift_jis`; those that ask for UTF-8 get it. It has " +
      "to hold ASCII. Names that it cannot express are not listed.",
    {
      default: "utf-8",
      restart: true,
      flag: { name: "encoding", value: "NAME", group: "Output", help: "encoding of names for old clients" },
    },
  ),
};

/** The rest of what all servers have. */
const TRANSFER_ROWS = {
  times: setting(choice(["utc", "local"]), "Zone of the times in listings.", {
    default: "utc",
    flag: {
      name: "use-localtime",
      sets: "local",
      group: "Output",
      help: "show local times in listings (default: UTC)",
    },
  }),
  transfer: group(transfer, "Transfers."),
  upload: group(upload, "Uploads."),
  timeouts: group(timeouts, "Longest waits in seconds, fractions allowed; 0 for no limit."),
  limits: group(
    v.pipe(
      limits,
      v.transform(({ connectionsBeforeLogin, ...others }) => ({
        ...others,
        connectionsBeforeLogin: connectionsBeforeLogin ?? Math.ceil(others.connections / 2),
      })),
    ),
    "Limits; 0 for none.",
  ),
  ban: group(ban, "Bans of addresses from which passwords are guessed.", { typeName: "BanOptions" }),
};

const overrides = list(mapping({
  path: required(virtualPath, "Path in the home, which need not exist."),
  permissions: required(permissions, "Letters that hold there instead of the account's; none to close it."),
  recursive: setting(truth, "Whether they hold for all that is below, too, and not only for the files in it.", {
    default: false,
  }),
}));

const mounts = list(mapping({
  path: required(
    mountPath,
    "Path in the home. The folders that lead there need not exist; what the home has there is hidden.",
  ),
  home: required(home, "Folder that is there, or a path in a store."),
  permissions: setting(permissions, "Letters that hold there and below; without them those that hold at the path."),
}));

/** What an account sees and leaves, beside its home. */
const FILE_ROWS = {
  mounts: setting(
    mounts,
    "Other folders, or paths in stores, that are in the home. Nothing can be renamed from one to another.",
    {
      default: [],
    },
  ),
  hide: setting(
    namePatterns,
    "Patterns of names, such as `.*`, that are not listed and not reached, with all that is below, nor can be made. `*` stands " +
      "for any characters, `?` for one, `[a-z]` for one of a set. Upper and lower case are the same.",
    { default: [] },
  ),
  deny: setting(
    namePatterns,
    "The same of names, such as `*.exe`, that cannot be stored, made or renamed to; what has one can be read and removed.",
    { default: [] },
  ),
  dropBox: setting(
    truth,
    "Whether files can be stored and nothing else: not listed, read, resumed, overwritten, renamed or removed. A file whose " +
      "name is taken gets another, and nothing tells. `permissions` and `overrides` are not given then.",
    { default: false },
  ),
};

const messages = mapping({
  login: setting(clientText, "Reply to a login.", { default: DEFAULT_MESSAGES.login }),
  quit: setting(clientText, "Reply to QUIT.", { default: DEFAULT_MESSAGES.quit }),
});

const quota = mapping({
  bytes: setting(bytes, "Bytes, 0 for no limit.", { default: 0 }),
  files: setting(count, "Files, 0 for no limit. Directories do not count.", { default: 0 }),
});

const certificateMatch = v.pipe(
  mapping({
    fingerprint: setting(fingerprint, "SHA-256 of a certificate."),
    subject: setting(text("a subject"), "Subject, such as `C=DE, CN=alice`, as the log has it."),
    san: setting(
      alternativeName,
      "Alternative name with its kind, such as `email:alice@example.org`, `dns:`, `uri:` or `upn:`.",
    ),
  }),
  v.check((entry) => Object.keys(entry).length > 0, "names no certificate; give fingerprint, subject or san"),
);

/** When, from where and with which certificates an account is used. */
const RULE_ROWS = {
  expires: setting(
    lastDayOrMoment,
    "Last day on which the account is used, in UTC; or the moment of its end, with an offset or `Z`. Sessions end with it.",
  ),
  addresses: setting(
    v.pipe(
      list(addressRange, "a list of addresses and networks"),
      v.minLength(1, "has no entry; give 0.0.0.0/0 and ::/0 for all"),
    ),
    "Addresses and networks that logins come from, such as `203.0.113.0/24`; from elsewhere the password is wrong.",
  ),
  hours: setting(
    v.pipe(list(weeklyHours, "a list of hours"), v.minLength(1, "has no entry; give 00:00-24:00 for all")),
    "When the account is used, such as `Mo-Fr 08:00-18:00`, by the clock on the wall; without days each day. A span that ends " +
      "earlier than it begins ends on the next day. Sessions end with it.",
  ),
  certificates: setting(
    mapping({
      login: required(
        choice(["alone", "withPassword"]),
        "`alone`: who shows one of them needs no password; others log in with theirs. `withPassword`: nobody logs in without " +
          "one of them, and the password is needed besides.",
      ),
      match: required(
        v.pipe(list(certificateMatch), v.minLength(1, "has no entry; give at least one certificate")),
        "Which they are; one entry has to fit, with all that it says. `{name}` in it is the name of the user.",
      ),
    }),
    "The user's certificates, of those that `tls.clientCertificates` lets in.",
  ),
  timezone: setting(timeZone, "Time zone of `hours`, such as `Europe/Berlin`; without it UTC."),
};

/** What a user says by itself, or by its groups: no default, which would hide that it says nothing. */
const TEMPLATE_ROWS = {
  permissions: setting(
    permissions,
    `What may be done; without it, and without a group that says it, \`${READ_PERMISSIONS}\`.`,
  ),
  messages: group(
    mapping({
      login: setting(clientText, `Reply to a login; without it "${DEFAULT_MESSAGES.login}"`),
      quit: setting(clientText, `Reply to QUIT; without it "${DEFAULT_MESSAGES.quit}"`),
    }),
    "Texts for the user.",
  ),
  limits: group(
    mapping({
      connections: setting(count, "Sessions at once, 0 for no limit; without it none."),
      bandwidth: group(
        mapping({
          upload: setting(bytes, "Bytes a second from clients, 0 for no limit; without it none."),
          download: setting(bytes, "Bytes a second to clients, 0 for no limit; without it none."),
        }),
        "Bytes a second over all sessions of a user.",
      ),
    }),
    "Limits of each user.",
  ),
  ...RULE_ROWS,
};

const groupNames = list(text("the name of a group"));

const accountGroup = mapping({
  ...TEMPLATE_ROWS,
  quota: group(quota, "Most that all its members together may store, beside their own quotas."),
});

const totp = mapping({
  secretFile: setting(
    hostPath("a file"),
    "Of users of the file: file with the secret in base32, as `ftpsd user totp` makes it with mode 600.",
  ),
  secret: setting(
    codeSecret,
    "The secret itself, of accounts that are not in the file; in the file it is the risk `plaintext-password`.",
  ),
  algorithm: setting(choice(TOTP_ALGORITHMS), "Hash function; many apps know the default only.", { default: "SHA1" }),
  digits: setting(wholeNumber(6, 8, "a number of digits"), "Digits of a code.", { default: 6 }),
  period: setting(wholeNumber(15, 300, "a number of seconds"), "Seconds for which a code is shown.", { default: 30 }),
  remember: setting(
    seconds,
    "How long the same password and code count for more logins from the same address, so that clients can open several " +
      "sessions; 0: each needs a code of its own.",
    { default: 3600 },
  ),
}, { isSecret: true });

const user = mapping({
  name: required(text("a user name"), "User name."),
  password: required(
    secret("a password hash; make one with: ftpsd hash-password"),
    "Hash of the password. Clear text is the risk `plaintext-password`.",
  ),
  home: required(home, "Folder that is the user's root, or a path in a store."),
  passwordChanged: setting(
    day,
    "Day on which the password was changed last, in UTC; `ftpsd user` and SITE PSWD write it. From it `passwords.changeEvery` counts.",
  ),
  enabled: setting(truth, "Whether the user may log in.", { default: true }),
  groups: setting(
    groupNames,
    "Groups that the user is in, by their names in `groups`. What the user does not say, the first of them says that does.",
    { default: [] },
  ),
  ...TEMPLATE_ROWS,
  overrides: setting(overrides, "Other permissions in parts of the home; the deepest path that holds wins.", {
    default: [],
  }),
  ...FILE_ROWS,
  totp: setting(
    totp,
    "The codes of an authenticator app (RFC 6238), which the user types behind the password, in one line with it.",
  ),
  quota: group(quota, "Most that the user may store."),
}, { isSecret: true });

const anonymous = mapping({
  home: required(home, "Folder that everybody may read, or a path in a store."),
  permissions: setting(permissions, "What everybody may do; what writes needs `forceWrite`.", {
    default: READ_PERMISSIONS,
  }),
  overrides: setting(overrides, "Other permissions in parts of the home.", { default: [] }),
  ...FILE_ROWS,
  messages: group(messages, "Texts for anonymous users."),
  quota: group(quota, "Most that all anonymous users together may store."),
  forceWrite: setting(truth, "Lets everybody write, where `permissions` say so: the risk `anonymous-write`.", {
    default: false,
  }),
});

/** A group of a directory and what it means here. */
const directoryGroup = mapping({
  dn: required(
    text("the name of a group such as cn=partners,ou=groups,dc=example,dc=org"),
    "Its distinguished name there.",
  ),
  group: required(text("the name of a group"), "Which of `groups` its members are in."),
});

/** Where accounts come from. */
const accountSource = mapping({
  type: required(
    choice(["file", "postgres", "http", "ldap"]),
    "`file`: `users` and `anonymous` of this file. `postgres`: a table of a database, see " +
      "[accounts.md](accounts.md#accounts-in-postgresql). `http`: a program of your own that is asked, see " +
      "[accounts.md](accounts.md#accounts-from-a-program-of-your-own). `ldap`: a directory, Active Directory too, see " +
      "[accounts.md](accounts.md#accounts-in-a-directory).",
  ),
  urlFile: setting(
    hostPath("a file"),
    "Of `postgres`: file with the URL of its database; without it that of `state`, which has to be of type `postgres`.",
  ),
  ca: setting(
    hostPath("a file"),
    "Who signs the certificate of that database or hook, beside those that Deno trusts, or that of the directory, instead of them, PEM.",
  ),
  query: setting(
    statement,
    "Of `postgres`: what gives the row of the name `$1`, with the columns `password`, `settings`, and perhaps `name` and `enabled`. " +
      "Without it the table `ftpsd.account` is asked.",
  ),
  homes: setting(
    hostPath("a folder"),
    "Of `postgres`, `http`, and `ldap` with `homeAttribute`: folder below which the homes of its accounts are. Without it those of " +
      "`postgres` and `http` can only be in stores.",
  ),
  url: setting(
    accountUrl,
    "Of `http`: where a POST goes for each login. Of `ldap`: the directory. `http:`, and `ldap:` without `startTls`, are the risk " +
      "`clear-text-directory`, on the loopback address, too.",
  ),
  urls: setting(
    list(ldapUrl),
    "Of `ldap`: several directories with the same content, asked in this order, instead of `url`.",
  ),
  tokenFile: setting(
    hostPath("a file"),
    "Of `http`: file with the token that the hook knows the server by, one word. It is read for each login.",
  ),
  timeout: setting(
    secondsOverZero,
    "Of `http` and `ldap`: longest time of an answer, in seconds; 5 where it is not given. Of several directories each gets as long.",
  ),
  remember: setting(
    seconds,
    "Of `http` and `ldap`: how long a login with the same password is not asked again after a success, in seconds; 60 where it is not " +
      "given, 0 for never. As long may a change there wait.",
  ),
  startTls: setting(truth, "Of `ldap`: whether TLS begins on the connection to `ldap:`, before anything else is said."),
  bindDn: setting(
    text("the name of an entry"),
    "Of `ldap`: the account that searches; without it nobody has to log in for that.",
  ),
  bindPasswordFile: setting(
    hostPath("a file"),
    "Of `ldap`: file with its password, on the first line. It is read when it logs in.",
  ),
  userDn: setting(
    template("the name of an entry with {name}, such as uid={name},ou=people,dc=example,dc=org"),
    "Of `ldap`: the entry of a user, where names tell it. In Active Directory, `{name}@example.org`, with `searchBase`.",
  ),
  searchBase: setting(text("the name of an entry"), "Of `ldap`: the entry below which those of users are searched."),
  searchFilter: setting(
    ldapFilter,
    "Of `ldap`: what finds the entry of a user, and only that, below `searchBase`.",
  ),
  nameAttribute: setting(
    ldapAttribute,
    "Of `ldap`: attribute with the name of the account here, however it was typed; `uid` where it is not given.",
  ),
  groupBase: setting(
    text("the name of an entry"),
    "Of `ldap`: the entry below which groups are searched. Without it those count that the `memberOf` of a user names.",
  ),
  groupFilter: setting(
    ldapFilter,
    "Of `ldap`: what finds the groups of a user, with `{dn}` for its entry and `{name}` for its name; `(member={dn})` where it is " +
      "not given.",
  ),
  groups: setting(list(directoryGroup), "Of `ldap`: what groups of the directory mean here; others mean nothing."),
  home: setting(
    hostPath("a folder such as /srv/ftp/{name}"),
    "Of `ldap`: the home of each user, with `{name}` for its name. It has to be there.",
  ),
  homeAttribute: setting(
    ldapAttribute,
    "Of `ldap`: attribute with the home of a user, below `homes`. Users without it have `home`, if that is given.",
  ),
  permissions: setting(permissions, "Of `ldap`: what its users may do; without it that of their groups, or `elr`."),
});

/** S3 takes no smaller part but the last. */
const MIN_PART_BYTES = 5 * 2 ** 20;
/** What a part may have at most; it is held in memory until it has been sent. */
const MAX_PART_BYTES = 256 * 2 ** 20;

const store = mapping({
  type: required(choice(["s3"]), "Its interface: that of Amazon S3, which Ceph, MinIO and others have, too."),
  endpoint: required(httpUrl, "Its address. `http:` is the risk `clear-text-store`."),
  region: setting(text("the name of a region"), "Region that requests are signed for.", { default: "us-east-1" }),
  bucket: required(bucketName, "Bucket, which has to exist."),
  prefix: setting(
    text("a prefix such as ftp/"),
    "Beginning of all keys, a folder in the bucket; without it the whole bucket.",
  ),
  addressing: setting(
    choice(["path", "host"]),
    "Where the name of the bucket is: in the path, or in front of the host. Without it as Amazon wants it for endpoints of " +
      "`amazonaws.com`, else in the path.",
  ),
  accessKeyFile: required(hostPath("a file"), "File with the id of the access key, read anew when it changes."),
  secretKeyFile: required(hostPath("a file"), "File with the secret of the access key, read anew when it changes."),
  sessionTokenFile: setting(
    hostPath("a file"),
    "File with the session token of a temporary key, read anew when it changes.",
  ),
  ca: setting(
    hostPath("a file"),
    "Certificates in PEM that its certificate may lead up to, beside those that Deno trusts.",
  ),
  partSize: setting(
    v.pipe(bytes, v.minValue(MIN_PART_BYTES, "is less than 5MiB"), v.maxValue(MAX_PART_BYTES, "is more than 256MiB")),
    "Size of the parts of an upload, 5MiB to 256MiB; it grows for files of more than 10,000 of them.",
    { default: "8MiB" },
  ),
  keepPartsFor: setting(
    secondsOverZero,
    "How long the parts of an upload that was cut are kept, in seconds, so that it can go on.",
    { default: 86_400 },
  ),
  renameLimit: setting(
    wholeNumber(0, 1_000_000, "a number of objects"),
    "Most objects in a folder that is renamed: each is copied.",
    {
      default: 1000,
    },
  ),
});

/** What each hook has. */
const HOOK_ROWS = {
  url: required(
    httpUrl,
    "Where a POST goes for each event. `http:` is the risk `clear-text-hook`, on the loopback address, too.",
  ),
  tokenFile: required(
    hostPath("a file"),
    "File with the key of the signatures: `whsec_` and base64, or any other word, of 24 bytes or more. It is read at each attempt.",
  ),
  ca: setting(hostPath("a file"), "Who signs the certificate of the receiver, beside those that Deno trusts, PEM."),
  timeout: setting(secondsOverZero, "Longest time of an attempt, in seconds.", { default: 10 }),
};

const hook = mapping({
  ...HOOK_ROWS,
  required: setting(
    truth,
    "Whether 226 waits until the event is in the queue: without room there the client gets 451, though the file has come. If not, " +
      "such an event is lost, which the log says.",
    { default: true },
  ),
});

const otherHook = v.pipe(mapping(HOOK_ROWS), v.transform((given) => ({ ...given, required: false })));

const hooks = mapping({
  fileReceived: setting(hook, "Told of each file that was received whole."),
  fileSent: setting(otherHook, "The same of files that were sent whole."),
  transferIncomplete: setting(otherHook, "The same of transfers that were cut."),
  loginSucceeded: setting(otherHook, "The same of logins."),
  loginFailed: setting(otherHook, "The same of logins that were refused."),
  banned: setting(otherHook, "The same of addresses that were banned."),
  queue: required(
    hostPath("a file"),
    "File of SQLite in which events wait, which is made with mode 600 where it is not there. Each server needs its own.",
  ),
  maxWaiting: setting(
    wholeNumber(1, 10_000_000, "a number of events"),
    "Most events that wait for each hook; some 500 bytes each.",
    { default: 100_000 },
  ),
  keepFor: setting(
    seconds,
    "How long an event is tried, in seconds; then it is given up, which the log says. 0 for ever.",
    { default: 259_200 },
  ),
});

const acceptedRisk = mapping({
  risk: required(
    choice(RISK_IDS, { form: "an id of [risks.md](risks.md)" }),
    "Which; `ftpsd check --explain ID` tells what it means.",
  ),
  reason: required(text("the reason why"), "Why it is accepted."),
  until: setting(day, "Last day of the acceptance, in UTC. Without it the acceptance does not end."),
});

/** What `FtpServer` takes: all that is data. */
export const SERVER_SETTINGS = mapping({ ...listenRows(pem, {}), ...CONNECTION_ROWS, ...TRANSFER_ROWS });

/** The rows of the configuration file. */
const ROWS = mapping({
  ...listenRows(hostPath("a file"), ACME_ROWS),
  ...CONNECTION_ROWS,
  commands: group(
    mapping({
      disabled: setting(
        list(text("the name of a command")),
        "Commands that nobody may use, such as `DELE` or `SITE CHMOD`; each with its other spellings.",
        { default: [] },
      ),
    }),
    "Commands.",
  ),
  ...TRANSFER_ROWS,
  log: group(
    mapping({
      format: setting(choice(LOG_FORMATS), "For people, or one JSON object a line for programs.", {
        default: "pretty",
        flag: { name: "log-format", value: "FORMAT", group: "Output", help: "pretty or json" },
      }),
      level: setting(choice(LOG_LEVELS), "Least urgent lines that are written.", { default: "info" }),
      transfers: setting(hostPath("a file"), "File for a line about each transfer."),
    }),
    "The log, on standard error.",
    { restart: true },
  ),
  state: group(
    mapping({
      type: setting(
        choice(["memory", "sqlite", "postgres"]),
        "Where: in memory, so that it ends with the process; in a file of SQLite, which one server has; or in PostgreSQL, which several nodes have.",
        { default: "memory" },
      ),
      file: setting(hostPath("a file"), "The file of SQLite, which is made with mode 600 where it is not there."),
      urlFile: setting(
        hostPath("a file"),
        "File with the URL of the database, such as `postgres://ftpsd:secret@db.example.org/ftpsd`. TLS is verified; `?sslmode=disable` is a risk.",
      ),
      directUrlFile: setting(
        hostPath("a file"),
        "Where `urlFile` leads to a pooler: the same for the database itself, since notifications do not come through a pool.",
      ),
      ca: setting(hostPath("a file"), "Who signs the certificate of the database, beside those that Deno trusts, PEM."),
      node: setting(text("a name"), "Name of this node, for people.", { default: "node" }),
      leaseSeconds: setting(
        wholeNumber(3, 300, "a number of seconds"),
        "What a node holds is free for the others so many seconds after it was heard last; sooner, it stops to write what they may have.",
        { default: 6 },
      ),
    }),
    "What the server remembers beyond a session: failed logins and bans, quotas, what it knows of objects in a store.",
    { restart: true },
  ),
  workers: setting(
    workers,
    "Event loops that serve side by side. `auto`: on Linux one for each processor, 8 at most, where Deno permits to read the program; elsewhere 1.",
    {
      default: "auto",
      restart: true,
      flag: {
        name: "workers",
        value: "N",
        group: "Limits",
        help: "event loops side by side, or auto: one a processor",
      },
    },
  ),
  metrics: setting(
    mapping({
      host: setting(listenAddress, "Address to listen on.", { default: "127.0.0.1" }),
      port: setting(port, "Port, 0 for any.", { default: 9121 }),
    }),
    "Where Prometheus finds `/metrics`, and balancers `/healthz` and `/readyz`, over HTTP and without a password: nothing there " +
      "names a user, a client or a file.",
    { restart: true },
  ),
  admin: setting(
    mapping({
      host: setting(listenAddress, "Address to listen on.", { default: "127.0.0.1" }),
      port: setting(port, "Port, 0 for any.", { default: 8021 }),
      tls: setting(truth, "Whether it speaks TLS, with the certificate of `tls.certificate`.", { default: false }),
      unix: setting(
        hostPath("a socket"),
        "Unix socket in place of address and port, which only the user of the server can reach.",
      ),
      tokenFile: setting(
        hostPath("a file"),
        "File with the token that whoever asks has to know, at least 32 characters. Only a Unix socket may be without.",
      ),
      hosts: setting(
        list(text("the name of a host")),
        "Names under which browsers find it, beside addresses, `localhost` and the names of the certificate.",
        { default: [] },
      ),
    }),
    "Where the admin page, its API and the metrics are; without it nowhere. Beyond the loopback interface without TLS it is the " +
      "risk `admin-beyond-loopback`.",
    { restart: "Only the token changes by a reload." },
  ),
  hooks: setting(hooks, "Programs elsewhere that are told of events over HTTP, see [hooks.md](hooks.md).", {
    restart: "The first hook, and another `queue`, wait for a restart.",
  }),
  shutdown: group(
    mapping({
      drain: setting(
        seconds,
        "How long first balancers that look whether somebody is here (`proxyProtocol`) are told that this node stops, in seconds; " +
          "who comes meanwhile is served. At least the time in which they notice; 0 for none.",
        { default: 0 },
      ),
      grace: setting(
        seconds,
        "How long running transfers may go on after that, in seconds; then they are cut. Sessions without one end at once.",
        { default: 10 },
      ),
    }),
    "The end, after SIGTERM or SIGINT.",
  ),
  acceptRisks: setting(
    list(acceptedRisk),
    "Risks that are accepted, by name. The server does not start with others.",
    { default: [] },
  ),
  stores: setting(namedMappings(store, "stores, each under its name"), "Object stores that homes can be in, by name.", {
    default: {},
  }),
  accounts: setting(
    v.pipe(list(accountSource), v.minLength(1, "has no entry; give at least one source")),
    "Where accounts come from, asked in this order: the first that knows a name decides.",
    { default: [{ type: "file" }], restart: true },
  ),
  groups: setting(namedMappings(accountGroup, "groups, each under its name"), "Groups of users, by name.", {
    default: {},
  }),
  passwords: group(
    mapping({
      changeEvery: setting(
        wholeNumber(0, 36_500, "a number of days"),
        "Days after which the reply to a login, and the log, say that the password is old; nobody is kept out. 0 for never.",
        { default: 0 },
      ),
      change: setting(
        truth,
        "Whether users may change their own password, by SITE PSWD over TLS: in this file, which the server has to be permitted to " +
          "write then, and in the table of PostgreSQL.",
        { default: false },
      ),
      minLength: setting(
        wholeNumber(8, 128, "a number of characters"),
        "Characters that a password has at least to which a user changes it.",
        { default: 12 },
      ),
    }),
    "Passwords of users.",
  ),
  users: setting(secretList(user), "Users, each with a password.", { default: [] }),
  anonymous: setting(anonymous, "The account of everybody, with any password."),
});

/** A user, as the file and other sources of accounts describe one. */
export const USER = user;

/** What decides about a user beside the password. */
export const USER_CONDITIONS = mapping({
  groups: setting(groupNames, "See `users`.", { default: [] }),
  totp: setting(totp, "See `users`."),
  ...RULE_ROWS,
});

/** The whole configuration file. */
export const CONFIGURATION = v.pipe(ROWS, v.transform(withTemplates));

type Given = v.InferOutput<typeof ROWS>;
/** A user before its groups have said what it does not. */
export type GivenUser = Given["users"][number];
type GivenGroup = Given["groups"][string];
/** What a user or a group may say. */
type Template = Pick<GivenGroup, keyof typeof TEMPLATE_ROWS>;

/** A user with all that there is to say. */
type CompleteUser = Omit<GivenUser, "permissions" | "messages" | "limits"> & {
  readonly permissions: string;
  readonly messages: { readonly login: string; readonly quit: string };
  readonly limits: {
    readonly connections: number;
    readonly bandwidth: { readonly upload: number; readonly download: number };
  };
};

/** Users with what their groups say. */
function withTemplates(given: Given): Omit<Given, "users"> & { readonly users: readonly CompleteUser[] } {
  return { ...given, users: given.users.map((user) => withGroups(user, given.groups)) };
}

/** Finds what the first of a user and its groups says that says it. */
type FirstOf<Told> = <Value>(read: (told: Told) => Value | undefined) => Value | undefined;

function firstOf<Told>(
  user: Told & { readonly groups: readonly string[] },
  groups: Readonly<Record<string, Told>>,
): FirstOf<Told> {
  const told = [user, ...user.groups.flatMap((name) => Object.hasOwn(groups, name) ? [groups[name]] : [])];
  return (read) => told.map((it) => it && read(it)).find((value) => value !== undefined);
}

/** A user with what it says, else what the first of its groups says that says it, each key by itself; else the default. */
export function withGroups(user: GivenUser, groups: Given["groups"]): CompleteUser {
  const first = firstOf<Template>(user, groups);
  return {
    ...user,
    permissions: first(({ permissions }) => permissions) ?? READ_PERMISSIONS,
    messages: {
      login: first(({ messages }) => messages.login) ?? DEFAULT_MESSAGES.login,
      quit: first(({ messages }) => messages.quit) ?? DEFAULT_MESSAGES.quit,
    },
    limits: {
      connections: first(({ limits }) => limits.connections) ?? 0,
      bandwidth: {
        upload: first(({ limits }) => limits.bandwidth.upload) ?? 0,
        download: first(({ limits }) => limits.bandwidth.download) ?? 0,
      },
    },
    ...rulesWithGroups(user, groups),
  };
}

/** The same of what decides before the password. */
export function rulesWithGroups(user: v.InferOutput<typeof USER_CONDITIONS>, groups: Given["groups"]): UserRules {
  const first = firstOf<UserRules>(user, groups);
  const rules = RULE_KEYS.map((key) => [key, first((told) => told[key])] as const);
  return Object.fromEntries(rules.filter(([, value]) => value !== undefined));
}

/** When and from where an account is used. */
export type UserRules = Pick<GivenGroup, keyof typeof RULE_ROWS>;

/** Keys of {@linkcode UserRules}. */
export const RULE_KEYS = [
  "expires",
  "addresses",
  "hours",
  "timezone",
  "certificates",
] as const satisfies (keyof UserRules)[];

/** A configuration as it results: every default in place, paths absolute. */
export type Configuration = v.InferOutput<typeof CONFIGURATION>;

/** A store of a configuration. */
export type StoreSettings = Configuration["stores"][string];

/** A source of accounts of a configuration. */
export type AccountSourceSettings = Configuration["accounts"][number];

/** A user of a configuration. */
export type UserSettings = Configuration["users"][number];

/** The anonymous account of a configuration. */
export type AnonymousSettings = NonNullable<Configuration["anonymous"]>;

/** A setting that must be there. */
function required<Input, Output>(
  form: Form<Input, Output>,
  description: string,
  row: RowOptions = {},
): Form<Input, Output> {
  return v.pipe(form, v.description(description), v.metadata({ ...row }));
}

/** A setting that may be left out, and what holds then, as the file would say it. */
function setting<Input, Output>(
  form: Form<Input, Output>,
  description: string,
  options: RowOptions & { readonly default: NoInfer<Input> },
): v.OptionalSchema<Form<Input, Output>, Input>;
function setting<Input, Output>(
  form: Form<Input, Output>,
  description: string,
  options?: RowOptions,
): v.ExactOptionalSchema<Form<Input, Output>, undefined>;
function setting<Input, Output>(
  form: Form<Input, Output>,
  description: string,
  { default: fallback, ...row }: RowOptions & { readonly default?: Input } = {},
): unknown {
  const described = v.pipe(form, v.description(description), v.metadata({ ...row }));
  return v.optional(described, fallback);
}

/** Settings about the same thing, all of which may be left out. */
function group<Input, Output>(
  form: Form<Input, Output>,
  description: string,
  row: RowOptions = {},
): v.OptionalSchema<Form<Input, Output>, Input> {
  const described: Form<Input, Output> = v.pipe(form, v.description(description), v.metadata({ ...row }));
  return v.optional(described, {} as Input);
}

/** Gives the entries of a list a name in TypeScript. */
function named<Input, Output>(typeName: string, description: string, form: Form<Input, Output>): Form<Input, Output> {
  return v.pipe(form, v.description(description), v.metadata({ typeName }));
}
