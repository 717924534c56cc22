/**
 * Named risks: every setting that makes a server less safe than it is by default has an id, and holds only when it was
 * accepted by that id. This table is the one source of their texts.
 *
 * @module
 */

/** What a risk means. */
export interface Risk {
  /** What is set, in a few words. */
  readonly title: string;
  /** What can happen. */
  readonly danger: string;
  /** What to do instead. */
  readonly instead: string;
}

/** Id of a risk. */
export type RiskId =
  | "anonymous-write"
  | "clear-text-control"
  | "clear-text-data"
  | "plaintext-password"
  | "foreign-data-address"
  | "privileged-data-port"
  | "proxy-from-anywhere"
  | "clear-text-store"
  | "clear-text-state"
  | "admin-beyond-loopback"
  | "clear-text-hook"
  | "clear-text-directory"
  | "root-directory-home"
  | "home-writable-by-others"
  | "secret-in-home"
  | "key-readable-by-others"
  | "password-readable-by-others"
  | "excess-permissions"
  | "no-close-notify";

/** Every risk by its id. */
export const RISKS: Readonly<Record<RiskId, Risk>> = {
  "anonymous-write": {
    title: "anybody may write",
    danger:
      "Whoever reaches the server can store, replace or delete files without a password: to fill the disk, to pass on " +
      "stolen or illegal files under your name, or to plant files that others will open.",
    instead:
      "Give writers a user and a password. If it has to be anybody, allow only storing (w), in one folder that nobody reads.",
  },
  "clear-text-control": {
    title: "commands may cross the network in clear",
    danger: "Anybody on the way reads user names and passwords, and can put in commands of their own.",
    instead:
      "Use tls.policy required or control. For one old device, run a second server for it on a network of its own.",
  },
  "clear-text-data": {
    title: "files and listings may cross the network in clear",
    danger: "Anybody on the way reads and changes what is sent, or cuts it short without being noticed.",
    instead: "Use tls.policy required.",
  },
  "plaintext-password": {
    title: "a password, or the secret of one-time codes, is in the file in clear",
    danger:
      "Whoever sees the file, a backup of it or its history can log in, here and wherever the password is used again.",
    instead: "Put a hash there: ftpsd hash-password. A secret of codes has a file of its own: ftpsd user totp.",
  },
  "foreign-data-address": {
    title: "data connections may go to, or come from, other hosts than the client",
    danger:
      "In active mode a client can make the server connect to, and send bytes to, any host it reaches (FTP bounce, " +
      "RFC 2577 §2). In passive mode whoever finds the port before the client does gets its file, or stores one of his own " +
      "in its place (port stealing, RFC 2577 §3); tls.sessionReuse require or certificates of clients keep others out.",
    instead: "Leave active.foreignAddresses and passive.foreignAddresses false; clients behind NAT use passive mode.",
  },
  "privileged-data-port": {
    title: "data connections may go to ports below 1024",
    danger: "A client can make the server talk to system services of its host, such as mail (RFC 2577 §3).",
    instead: "Leave active.privilegedPorts false.",
  },
  "proxy-from-anywhere": {
    title: "nearly anybody is believed to be a balancer",
    danger:
      "Whoever reaches the port can claim any address by a PROXY header: to get around limits and bans, to have others " +
      "banned, to take the data connections of another client, and to write whatever address into the log.",
    instead: "List in proxyProtocol the addresses of the balancers, and let a firewall keep others from the port.",
  },
  "clear-text-store": {
    title: "files cross the network to an object store in clear",
    danger: "Anybody on the way to the store reads files, and changes them without being noticed.",
    instead: "Use an endpoint with https:, with stores.*.ca for a CA of your own.",
  },
  "clear-text-state": {
    title: "the database of the state is spoken to in clear",
    danger:
      "Anybody on the way reads who logs in from where, and can lift bans, take places and learn hashes of passwords.",
    instead: "Leave sslmode out of its URL, with state.ca for a CA of your own.",
  },
  "admin-beyond-loopback": {
    title: "the admin listener is reached from other hosts in clear",
    danger:
      "Anybody on the way reads the token, and with it sees who is connected, ends sessions, lifts bans and stops the server.",
    instead: "Set admin.tls, or leave admin.host on the loopback interface and come through a tunnel of ssh.",
  },
  "clear-text-hook": {
    title: "events are told to a hook in clear",
    danger:
      "Anybody on the way reads who stores which files, and can keep that from the receiver. On one host, any program that takes " +
      "the port before the receiver does.",
    instead: "Use a URL with https:, with hooks.*.ca for a CA of your own.",
  },
  "clear-text-directory": {
    title: "passwords go to a directory or a hook in clear",
    danger:
      "Anybody on the way reads the passwords of all who log in, and can let in whom they like. On one host, any program that takes " +
      "the port before the directory or the hook does.",
    instead: "Use ldaps: or startTls, and https: for a hook, with accounts[].ca for a CA of your own.",
  },
  "root-directory-home": {
    title: "a home is the root of the file system",
    danger: "The user sees all files of the host that the server may read, configuration and keys among them.",
    instead: "Give a folder made for the purpose as home.",
  },
  "home-writable-by-others": {
    title: "others on this host may write in a home",
    danger:
      "A local user can swap folders and links below the home at the moment of an operation, and so lead it out of the home.",
    instead: "Let only the server's own user write there: chmod o-w.",
  },
  "secret-in-home": {
    title: "a home holds a file of the server itself",
    danger:
      "Users can fetch the configuration with its hashes, the key, a password, the log of transfers or the state; who may write " +
      "can change them, and so lift a ban or a quota.",
    instead: "Keep homes apart from the folder of the configuration, keys, logs and the state.",
  },
  "key-readable-by-others": {
    title: "a private key, or the key of a store, can be read by others on this host",
    danger:
      "Whoever has the key of the certificate can pose as this server, and so learn passwords; whoever has the key of a " +
      "store can do with its files what the server can.",
    instead: "chmod 600 the key, owned by the server's user.",
  },
  "password-readable-by-others": {
    title: "a password in clear can be read by others on this host",
    danger: "Every local user can log in with it.",
    instead: "chmod 600 the password file, or better put a hash into it: ftpsd hash-password.",
  },
  "excess-permissions": {
    title: "Deno was given more permissions than this configuration needs",
    danger: "A flaw in the server or in a library reaches whatever was granted: other files, programs, hosts.",
    instead: "Start with the line that ftpsd permissions prints.",
  },
  "no-close-notify": {
    title: "uploads may end without TLS close_notify",
    danger: "Somebody on the way can cut an upload short, and it still counts as complete.",
    instead: "Leave tls.requireCloseNotify true; all common clients send it.",
  },
};

/** Every id. */
export const RISK_IDS: readonly RiskId[] = Object.keys(RISKS) as RiskId[];

/** A risk that was accepted. */
export interface AcceptedRisk {
  /** Which. */
  readonly risk: RiskId;
  /** Why. */
  readonly reason: string;
  /** Last day of the acceptance, UTC; absent: for ever. */
  readonly until?: Date;
}

/** Returns whether an acceptance holds, its last day included. */
export function holdsOn({ until }: AcceptedRisk, now: Date): boolean {
  return until === undefined || now.getTime() < until.getTime() + DAY_MS;
}

const DAY_MS = 24 * 60 * 60 * 1000;
