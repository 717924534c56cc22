/**
 * The sub-commands, one row each: help, completions and the manual page are made of them.
 *
 * @module
 */

import { RISK_IDS } from "../settings/risks.ts";
import { ADMIN_ROWS } from "./admin_commands.ts";
import { SHORT_COMMANDS } from "./command_names.ts";
import type { CommandRow } from "./command_row.ts";
import { OPTION_GROUPS, type OptionRow, SERVE_OPTIONS } from "./option_table.ts";

/** Shells that there are completions for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Shell that there are completions for. */
export type Shell = typeof SHELLS[number];

/** Forms of what `ftpsd check` prints. */
export const CHECK_FORMATS = ["text", "json"] as const;

/** Options of `ftpsd check`, beside those of `serve`. */
export const CHECK_OPTIONS: readonly OptionRow[] = [
  { name: "format", value: "FORMAT", choices: CHECK_FORMATS, help: "text or json (default: text)" },
  { name: "print", help: "show the effective settings, secrets blanked" },
  { name: "explain", value: "ID", choices: RISK_IDS, help: "explain a risk" },
];

/** What `ftpsd init` does about a service. */
export const INIT_SERVICES = ["unit", "install", "no"] as const;

/** Options of `ftpsd init`. */
export const INIT_OPTIONS: readonly OptionRow[] = [
  { name: "share", value: "DIR", help: "folder to share (default: files, beside the configuration)" },
  { name: "user", value: "NAME", help: "who may log in, and write too (default: user)" },
  { name: "password-file", value: "FILE", help: "file with the password, or its hash (default: one is made)" },
  { name: "anybody", help: "no user: anybody may read" },
  { name: "from", value: "WHERE", help: "host, network, or the name of the server on the internet (default: network)" },
  { name: "port", value: "PORT", help: "port (default: 2121)" },
  { name: "certfile", value: "FILE", help: "certificate chain, PEM (default: one is made)" },
  { name: "keyfile", value: "FILE", help: "its private key, PEM" },
  { name: "acme", help: "certificate of Let's Encrypt, whose terms you agree to; with --from NAME" },
  {
    name: "service",
    value: "HOW",
    choices: INIT_SERVICES,
    help: "write a systemd unit beside the configuration, install it, or neither (default: unit)",
  },
  { name: "yes", letter: "y", help: "ask nothing: the default holds where no option says more" },
  { name: "force", help: "overwrite a configuration and a unit that are there" },
];

/** Options of `ftpsd doctor`. */
export const DOCTOR_OPTIONS: readonly OptionRow[] = [
  { name: "implicit", help: "TLS from the first byte, as on port 990" },
  { name: "user", value: "NAME", help: "log in, to look at data connections and files, too" },
  { name: "password-file", value: "FILE", help: "file with the password (default: asks for it)" },
  { name: "insecure", help: "log in even to a server that cannot prove who it is" },
  { name: "anonymous", help: "try what anonymous may do" },
  { name: "no-upload", help: "store no files" },
  { name: "folder", value: "PATH", help: "folder on the server to store files in; they are removed again" },
  { name: "ca", value: "FILE", help: "PEM of the authority, or of the certificate, to trust" },
  { name: "name", value: "NAME", help: "name that the certificate has to be for (default: HOST)" },
  { name: "timeout", value: "SECONDS", help: "longest wait for one thing, 1 to 300 (default: 10)" },
  { name: "json", help: "print JSON" },
  { name: "self", help: "look at the listeners of a configuration, from their own host" },
  { name: "config", letter: "c", value: "FILE", help: "the configuration, with --self" },
];

/** Options of `ftpsd permissions`, beside those of `serve`. */
export const PERMISSIONS_OPTIONS: readonly OptionRow[] = [
  { name: "systemd", help: "print a systemd unit that holds the line" },
  { name: "compose", help: "print a compose file that holds it" },
  { name: "compile", help: "print the line that builds an executable file" },
];

/** Options of `ftpsd cert`. */
export const CERT_OPTIONS: readonly OptionRow[] = [
  { name: "out", value: "DIR", help: "folder to write to (default: certs)" },
  {
    name: "name",
    value: "NAME",
    repeatable: true,
    help: "DNS name or IP address of the server, beside those of loopback; repeatable",
  },
  { name: "days", value: "N", help: "days of validity, 1 to 3650 (default: 365)" },
];

/** Options of `ftpsd cert acme`. */
export const CERT_ACME_OPTIONS: readonly OptionRow[] = [
  { name: "config", letter: "c", value: "FILE", help: "the configuration file, with tls.acme" },
  { name: "staging", help: "Let's Encrypt's CA for trials (default, where the file has Let's Encrypt)" },
  { name: "directory", value: "URL", help: "another CA, by its ACME directory" },
  {
    name: "domain",
    value: "NAME",
    repeatable: true,
    help: "name to try, in the place of those of the file; repeatable",
  },
  { name: "http-host", value: "ADDRESS", help: "address to listen on while the CA asks (default: 0.0.0.0)" },
  { name: "http-port", value: "PORT", help: "port to listen on while the CA asks (default: 80)" },
  { name: "ca", value: "FILE", help: "PEM of the authority of the CA's own server" },
];

/** What `ftpsd cert` does beside that. */
export const CERT_ACTIONS = ["acme"] as const;

/** What `ftpsd state` does. */
export const STATE_ACTIONS = ["init", "upgrade", "status"] as const;

/** What `ftpsd user` does. */
export const USER_ACTIONS = ["add", "set", "remove", "list", "totp"] as const;

/** Where accounts are that it works on. */
export const USER_PLACES = ["file", "postgres"] as const;

/** Options of `ftpsd user`. */
export const USER_OPTIONS: readonly OptionRow[] = [
  { name: "config", letter: "c", value: "FILE", help: "the configuration file" },
  {
    name: "in",
    value: "PLACE",
    choices: USER_PLACES,
    help: "the file, or the table of PostgreSQL (default: the first of accounts)",
  },
  { name: "home", value: "DIR", help: "folder that is the user's root, or with --store a path there" },
  { name: "store", value: "NAME", help: "store of the configuration that the home is in" },
  { name: "permissions", value: "LETTERS", help: "what the user may do; of elradfmwMT" },
  { name: "group", value: "NAME", repeatable: true, help: "group of the user, in place of those before; repeatable" },
  { name: "password-file", value: "FILE", help: "file with the password, or its hash; without it add asks" },
  { name: "ask-password", help: "with set: ask for a new password" },
  { name: "disabled", help: "the user cannot log in" },
  { name: "enabled", help: "the user can log in" },
  { name: "remove", help: "with totp: no codes any more" },
];

/** All sub-commands; the first one is meant where none is named. */
export const COMMAND_ROWS: readonly CommandRow[] = [
  {
    name: "serve",
    usage: "[serve] [DIR] [options]",
    summary: "share a folder, or what a configuration file says",
    about: "Without options, anybody on this host may read DIR, over TLS with a certificate that is made in memory. " +
      "With --config, the file says who has which folder, and options go before what it says. SIGTERM and SIGINT let " +
      "running transfers end within 10 seconds (shutdown.grace), a second one ends them at once. SIGHUP reads the " +
      "configuration again. SIGUSR2 logs who is connected and what is being transferred.",
    options: OPTION_GROUPS,
    operand: "DIR",
    examples: [
      { line: "ftpsd ~/photos", means: "anybody on this host may read, over TLS" },
      { line: "ftpsd inbox -i 0.0.0.0 -w -u scanner --password-file secret.txt", means: "one user, who may write" },
      { line: "ftpsd -c ftpsd.yaml", means: "as the configuration file says" },
    ],
  },
  {
    name: "init",
    usage: "init [DIR] [options]",
    summary: "set up a server: five questions, each with a default",
    about: "Asks what to share, with whom, from where, with which certificate, and whether as a service; then writes " +
      "ftpsd.yaml with comments into DIR, makes what is missing, checks it, and prints what to type next. An option answers " +
      "a question, and --yes all others. It overwrites nothing without --force. It needs --allow-read, and --allow-write " +
      "for DIR. Nothing depends on it: the file is one that can be written by hand.",
    options: [{ title: "Options", options: INIT_OPTIONS }],
    isRare: true,
    operand: "DIR",
    examples: [
      { line: "ftpsd init /etc/ftpsd", means: "asks" },
      { line: "ftpsd init --yes --from ftp.example.org --user scanner", means: "asks nothing" },
    ],
  },
  {
    name: "check",
    usage: "check [DIR] [options of serve] [options]",
    summary: "tell all that is wrong, risky or doubtful",
    about: "Reports everything that is wrong, risky or doubtful about a configuration. The exit status is 0 when the " +
      "server would start.",
    options: [{ title: "Options", options: CHECK_OPTIONS }],
    takesServeOptions: true,
    operand: "DIR",
    examples: [
      { line: "ftpsd check -c ftpsd.yaml", means: "everything about that file" },
      { line: "ftpsd check --explain anonymous-write", means: "what can happen, and what to do instead" },
    ],
  },
  {
    name: "doctor",
    usage: "doctor HOST[:PORT] [options]",
    summary: "look at a server as its clients do, and tell what is wrong",
    about: "Connects to an FTP server, this one or any other, and tells what is wrong about TLS, certificate, login, " +
      "addresses and ports, and what to do about it. With --user it stores some small files, fetches them, and removes " +
      "them. It connects to HOST alone: deno run --allow-net=HOST is enough. With --self --config FILE it looks at the " +
      "listeners of a configuration from their own host. The exit status is 0 when nothing is wrong, and 1 when a " +
      "finding is an error.",
    options: [{ title: "Options", options: DOCTOR_OPTIONS }],
    operand: "HOST",
    examples: [
      { line: "ftpsd doctor ftp.example.org", means: "what can be seen without a login" },
      { line: "ftpsd doctor ftp.example.org:2121 --user alice", means: "all of it; asks for the password" },
      { line: "ftpsd doctor --self -c ftpsd.yaml", means: "on the server itself" },
    ],
  },
  {
    name: "permissions",
    usage: "permissions [DIR] [options of serve] [options]",
    summary: "print the narrowest line that starts it, or a unit",
    about: "Prints the deno run line that gives a configuration all the permissions that it needs, and no more.",
    options: [{ title: "Options", options: PERMISSIONS_OPTIONS }],
    takesServeOptions: true,
    operand: "DIR",
    examples: [
      { line: "ftpsd permissions -c ftpsd.yaml", means: "the line" },
      { line: "ftpsd permissions -c /etc/ftpsd.yaml --systemd", means: "a unit with the same permissions" },
    ],
  },
  {
    name: "hash-password",
    usage: "hash-password",
    summary: "make the hash of a password",
    about: "Asks for a password, or reads it from standard input, and prints its hash for the configuration file or " +
      "--password-file.",
    options: [],
    examples: [
      { line: "ftpsd hash-password", means: "asks twice" },
      { line: "ftpsd hash-password < secret.txt", means: "reads one line" },
    ],
  },
  {
    name: "cert",
    usage: "cert [acme] [options]",
    summary: "make a self-signed certificate, or try whether a CA gives one",
    about:
      "Makes a self-signed certificate for development: server.crt and server.key. It overwrites nothing. cert acme tries " +
      "once whether a CA gives a certificate by ACME, as tls.acme of a configuration says, and tells what is wrong if not. It " +
      "asks the CA for trials where that is Let's Encrypt, and touches nothing that is stored.",
    options: [
      { title: "Options", options: CERT_OPTIONS },
      { title: "Options of cert acme", options: CERT_ACME_OPTIONS },
    ],
    operand: CERT_ACTIONS,
    examples: [
      { line: "ftpsd cert", means: "for this host alone, in certs/" },
      { line: "ftpsd cert --name ftp.example.org --days 90", means: "for that name, too" },
      { line: "ftpsd cert acme -c ftpsd.yaml", means: "whether the CA would give one" },
    ],
  },
  {
    name: "quota",
    usage: "quota scan [NAME…] --config FILE",
    summary: "count anew what accounts and groups have stored",
    about:
      "Counts the files of accounts and groups that have a quota, where files were changed behind the server's back: of " +
      'all, or of NAMEs: users, "anonymous", or "group NAME". While a server runs it counts before the next upload, once none ' +
      "is under way. The counts have to be in a file or a database: with state.type memory each start counts by itself.",
    options: [],
    isRare: true,
    takesServeOptions: true,
    operand: ["scan"],
    takesNames: true,
    examples: [
      { line: "ftpsd quota scan -c ftpsd.yaml", means: "everybody" },
      { line: "ftpsd quota scan alice 'group partners' -c ftpsd.yaml", means: "a user and a group" },
    ],
  },
  {
    name: "state",
    usage: `state ${STATE_ACTIONS.join("|")} [options of serve]`,
    summary: "make, upgrade or show the state in a database",
    about:
      "For state.type postgres: init makes the schema, upgrade brings it to the version of this program while nodes " +
      "run, and status tells which nodes there are.",
    options: [],
    isRare: true,
    takesServeOptions: true,
    operand: STATE_ACTIONS,
    examples: [
      { line: "ftpsd state init -c ftpsd.yaml", means: "once, before the first node starts" },
      { line: "ftpsd state upgrade -c ftpsd.yaml", means: "before nodes with a newer ftpsd start" },
    ],
  },
  {
    name: "user",
    usage: `user ${USER_ACTIONS.join("|")} [NAME] --config FILE [options]`,
    summary: "add, change, remove or list users, and their one-time codes",
    about:
      "Changes users in the configuration file, and leaves all else there as it is, comments too; or accounts in the " +
      "table of PostgreSQL. add asks for the password, or reads it from standard input. A change of the file needs " +
      "--allow-write for its folder, and a running server takes it on SIGHUP; a change of the table holds at once on all " +
      "nodes, and who is removed or disabled there is logged out. totp makes the secret of one-time codes: it shows it as a " +
      "QR code for an authenticator app, asks for a code of it, and keeps it in a file beside the configuration, or in the " +
      "table. The code is typed behind the password from then on.",
    options: [{ title: "Options", options: USER_OPTIONS }],
    isRare: true,
    operand: USER_ACTIONS,
    takesNames: true,
    examples: [
      { line: "ftpsd user add alice --home /srv/ftp/alice -c ftpsd.yaml", means: "asks for her password" },
      { line: "ftpsd user set alice --permissions elrw --disabled -c ftpsd.yaml", means: "and nothing else" },
      { line: "ftpsd user totp alice -c ftpsd.yaml", means: "codes of an app behind her password" },
      { line: "ftpsd user list -c ftpsd.yaml", means: "those of the file and the table" },
    ],
  },
  ...ADMIN_ROWS,
  {
    name: "completions",
    usage: `completions ${SHELLS.join("|")}`,
    summary: "print the completions of a shell",
    about: "Prints a script that lets a shell complete commands, options and their values.",
    options: [],
    isRare: true,
    operand: SHELLS,
    examples: [
      { line: "source <(ftpsd completions bash)", means: "in ~/.bashrc; the same with zsh" },
      { line: "ftpsd completions fish > ~/.config/fish/completions/ftpsd.fish", means: "once" },
    ],
  },
];

/** Finds a sub-command by its name. */
export function findCommandRow(name: string): CommandRow | undefined {
  return COMMAND_ROWS.find((row) => row.name === name);
}

/** Names of the sub-commands, and `help`, which explains them. */
export const COMMAND_NAMES: readonly string[] = ["serve", ...SHORT_COMMANDS];

const HELP_OPTION: OptionRow = { name: "help", letter: "h", help: "show the help of the command" };

/** All options that a sub-command takes. */
export function optionsOf({ options, takesServeOptions, name }: CommandRow): readonly OptionRow[] {
  const own = options.flatMap((group) => group.options);
  if (name === "serve") return own;
  const others = SERVE_OPTIONS.filter(({ name }) => name !== "help" && name !== "version");
  return [...own, HELP_OPTION, ...takesServeOptions ? others : []];
}
