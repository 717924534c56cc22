/**
 * The configuration file: every key, its form, its default, and what it is for. The JSON Schema and the page about the
 * configuration in `docs/` are made of this.
 *
 * @module
 */

import * as v from "valibot";
import { MAX_FAILURES } from "../state/login_throttle.ts";
import { READ_PERMISSIONS } from "../accounts/permission.ts";
import { DEFAULT_WORKERS } from "./worker_count.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../logger.ts";
import { RISK_IDS } from "../settings/risks.ts";
import {
  address,
  bytes,
  choice,
  clientText,
  count,
  day,
  type Form,
  ipv4Address,
  list,
  listenAddress,
  mapping,
  permissions,
  port,
  portRange,
  seconds,
  secondsOverZero,
  secret,
  table,
  text,
  truth,
  virtualPath,
  wholeNumber,
  workers,
} from "./value_forms.ts";

const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

const listener = mapping({
  host: optional(listenAddress, "Address to listen on; `0.0.0.0` is all of IPv4, `::` all there are.", {
    default: "127.0.0.1",
  }),
  port: optional(port, "Port, 0 for any.", { default: 2121 }),
  tls: optional(
    choice(["explicit", "implicit"]),
    "When TLS starts: after AUTH TLS, or with the first byte.",
    { default: "explicit" },
  ),
});

const tls = mapping({
  policy: optional(
    choice(["required", "control", "optional", "off"]),
    "Where TLS is demanded: on all connections, on control connections, nowhere; `off` does not even offer it.",
    { default: "required" },
  ),
  certificate: optional(
    text("a file"),
    "Certificate chain in PEM, the server's own first. Without it a self-signed one is made in memory at each start.",
  ),
  key: optional(text("a file"), "Private key of the certificate in PEM."),
  minVersion: optional(choice(TLS_VERSIONS), "Oldest version that is spoken.", { default: "TLSv1.2" }),
  maxVersion: optional(choice(TLS_VERSIONS), "Newest version that is spoken.", { default: "TLSv1.3" }),
  sessionReuse: optional(
    choice(["off", "allow", "require"]),
    "Whether a data connection must resume a TLS session: `require` refuses those that do not. `off` and `allow` leave it to " +
      "the client.",
    { default: "allow" },
  ),
  requireCloseNotify: optional(truth, "Whether an upload that ends without close_notify is incomplete.", {
    default: true,
  }),
  clientCertificates: optional(
    mapping({
      mode: optional(
        choice(["none", "request", "require"]),
        "Whether clients are asked for one, or must have it.",
        { default: "none" },
      ),
      ca: optional(text("a file"), "Certificates of those who sign them, PEM."),
    }),
    "Certificates of clients.",
  ),
});

const bandwidth = mapping({
  upload: optional(bytes, "Bytes a second from clients, 0 for no limit.", { default: 0 }),
  download: optional(bytes, "Bytes a second to clients, 0 for no limit.", { default: 0 }),
});

const overrides = list(mapping({
  path: required(virtualPath, "Path in the home, which need not exist."),
  permissions: required(permissions, "Letters that hold there instead of the account's; none to close it."),
  recursive: optional(truth, "Whether they hold for all that is below, too, and not only for the files in it.", {
    default: false,
  }),
}));

const messages = mapping({
  login: optional(clientText(), "Reply to a login.", { default: "Login successful." }),
  quit: optional(clientText(), "Reply to QUIT.", { default: "Goodbye." }),
});

const user = mapping({
  name: required(text("a user name"), "User name."),
  password: required(
    secret("a password hash; make one with: ftpsd hash-password"),
    "Hash of the password. Clear text is the risk `plaintext-password`.",
  ),
  home: required(text("a folder"), "Folder that is the user's root."),
  permissions: optional(permissions, "What the user may do.", { default: READ_PERMISSIONS }),
  overrides: optional(overrides, "Other permissions in parts of the home; the deepest path that holds wins."),
  messages: optional(messages, "Texts for the user."),
  limits: optional(
    mapping({
      connections: optional(count, "Sessions at once, 0 for no limit.", { default: 0 }),
      bandwidth: optional(bandwidth, "Bytes a second over all sessions."),
    }),
    "Limits of the user.",
  ),
});

const anonymous = mapping({
  home: required(text("a folder"), "Folder that everybody may read."),
  permissions: optional(permissions, "What everybody may do; what writes needs `forceWrite`.", {
    default: READ_PERMISSIONS,
  }),
  overrides: optional(overrides, "Other permissions in parts of the home."),
  messages: optional(messages, "Texts for anonymous users."),
  forceWrite: optional(truth, "Lets everybody write, where `permissions` say so: the risk `anonymous-write`.", {
    default: false,
  }),
});

const acceptedRisk = mapping({
  risk: required(
    choice(RISK_IDS, { form: "an id of [risks.md](risks.md)" }),
    "Which; `ftpsd check --explain ID` tells what it means.",
  ),
  reason: required(text("the reason why"), "Why it is accepted."),
  until: optional(day, "Last day of the acceptance, in UTC. Without it the acceptance does not end."),
});

const timeouts = mapping({
  idle: optional(seconds, "Silence on the control connection while no data flows.", { default: 300 }),
  login: optional(seconds, "From the connection to the login.", { default: 60 }),
  data: optional(seconds, "No byte moved on a data connection.", { default: 60 }),
  passive: optional(seconds, "From PASV or EPSV to the client's data connection.", { default: 30 }),
  active: optional(seconds, "To establish an active data connection.", { default: 30 }),
  handshake: optional(seconds, "For a TLS handshake.", { default: 10 }),
  failedLogin: optional(seconds, "Before a failed login is answered.", { default: 3 }),
});

const limits = mapping({
  connections: optional(count, "Control connections at once.", { default: 512 }),
  connectionsPerAddress: optional(count, "The same from one address; of IPv6 from one /64.", { default: 0 }),
  connectionsBeforeLogin: optional(
    count,
    "The same before a login. Who never logs in takes no place from users then. Without it, half of `connections`.",
  ),
  loginAttempts: optional(count, "Failed logins before the connection is closed.", { default: 3 }),
  commandLineBytes: optional(wholeNumber(64, 2 ** 20, "a number of bytes"), "Length of a command line.", {
    default: 4096,
  }),
});

/** The whole file. */
export const CONFIGURATION_SCHEMA = mapping({
  listen: optional(
    v.pipe(list(listener), v.minLength(1, "has no entry; give at least one address")),
    "Addresses to listen on.",
    { default: [{ host: "127.0.0.1", port: 2121, tls: "explicit" }] },
  ),
  tls: optional(tls, "TLS of control and data connections."),
  passive: optional(
    mapping({
      ports: optional(portRange, "Ports of passive data connections, FROM-TO; without it any port."),
      address: optional(ipv4Address, "Address that PASV announces, where a NAT router stands before the server."),
      addresses: optional(
        table(address, ipv4Address, "local addresses, each with a numeric IPv4 address of a host"),
        "The same by the local address that the client has reached; goes before `address`.",
      ),
      foreignAddresses: optional(
        truth,
        "Whether from other hosts than the client, as from a NAT router with several addresses: the risk " +
          "`foreign-data-address`.",
        { default: false },
      ),
    }),
    "Passive mode: clients make the data connections.",
  ),
  active: optional(
    mapping({
      enabled: optional(truth, "Whether PORT and EPRT are allowed.", { default: false }),
      foreignAddresses: optional(
        truth,
        "Whether to other hosts than the client: the risk `foreign-data-address`.",
        { default: false },
      ),
      privilegedPorts: optional(truth, "Whether to ports below 1024: the risk `privileged-data-port`.", {
        default: false,
      }),
    }),
    "Active mode: the server makes the data connections.",
  ),
  banner: optional(clientText(), "Greeting.", { default: "ftpsd ready." }),
  encoding: optional(
    text("the name of an encoding"),
    "Encoding of names for clients from before UTF-8, such as `cp850` or `shift_jis`; those that ask for UTF-8 get it.",
    { default: "utf-8" },
  ),
  commands: optional(
    mapping({
      disabled: optional(
        list(text("the name of a command")),
        "Commands that nobody may use, such as `DELE` or `SITE CHMOD`; each with its other spellings.",
        { default: [] },
      ),
    }),
    "Commands.",
  ),
  times: optional(choice(["utc", "local"]), "Zone of the times in listings.", { default: "utc" }),
  transfer: optional(
    mapping({
      asciiConversion: optional(truth, "Whether TYPE A converts line ends.", { default: true }),
      bandwidth: optional(bandwidth, "Bytes a second of each session."),
    }),
    "Transfers.",
  ),
  upload: optional(
    mapping({
      atomic: optional(
        truth,
        "Whether a file appears only when it is complete; then none can be resumed. Until then it has a hidden name, " +
          "`.ftpsd-XXXXXXXX.part`, that clients neither see nor use. What a killed server leaves of that is removed " +
          "after a day, when the next upload into the folder begins.",
        { default: false },
      ),
      overwrite: optional(
        truth,
        "Whether STOR and RNTO may take a name from a file that has it. If not they get 550, and what is there can only " +
          "be continued at its end, with the right to append. Of an upload that was interrupted nothing is there with " +
          "`atomic`, so that it can be sent again.",
        { default: true },
      ),
      sync: optional(
        truth,
        "Whether a file and its name are on stable storage before the client is told that it arrived.",
        { default: false },
      ),
    }),
    "Uploads.",
  ),
  timeouts: optional(timeouts, "Longest waits; 0 for no limit."),
  limits: optional(limits, "Limits; 0 for none."),
  ban: optional(
    mapping({
      failures: optional(
        wholeNumber(0, MAX_FAILURES, "a whole number"),
        "Failed logins from one address (of IPv6 one /64) that ban it; 0 for never.",
        {
          default: 10,
        },
      ),
      window: optional(secondsOverZero, "Time within which they count.", { default: 600 }),
      duration: optional(secondsOverZero, "Time of the ban.", { default: 900 }),
      never: optional(list(address, "a list of addresses"), "Addresses that are never banned.", { default: [] }),
    }),
    "Bans of addresses from which passwords are guessed.",
  ),
  log: optional(
    mapping({
      format: optional(choice(LOG_FORMATS), "For people, or one JSON object a line for programs.", {
        default: "pretty",
      }),
      level: optional(choice(LOG_LEVELS), "Least urgent lines that are written.", { default: "info" }),
      transfers: optional(text("a file"), "File for a line about each transfer."),
    }),
    "The log, on standard error.",
  ),
  workers: optional(
    workers,
    "Event loops that serve side by side. `auto`: on Linux one for each processor, 8 at most, where Deno permits to read the program; elsewhere 1.",
    { default: DEFAULT_WORKERS },
  ),
  acceptRisks: optional(
    list(acceptedRisk),
    "Risks that are accepted, by name. The server does not start with others.",
    { default: [] },
  ),
  users: optional(list(user), "Users, each with a password."),
  anonymous: optional(anonymous, "The account of everybody, with any password."),
});

/** The file as it is read: every key optional that may be left out, values in their final form. */
export type ConfigurationFile = v.InferOutput<typeof CONFIGURATION_SCHEMA>;

/** A key that must be there. */
function required<Input, Output>(form: Form<Input, Output>, description: string): Form<Input, Output> {
  return v.pipe(form, v.description(description));
}

/** A key that may be left out, and what holds then, as it would stand in the file. */
function optional<Input, Output>(
  form: Form<Input, Output>,
  description: string,
  metadata: { readonly default?: unknown } = {},
): v.ExactOptionalSchema<Form<Input, Output>, undefined> {
  return v.exactOptional(v.pipe(form, v.description(description), v.metadata({ ...metadata })));
}
