/**
 * The sub-commands that speak with a running server: rows of the table of sub-commands, and their options.
 *
 * @module
 */

import type { ADMIN_COMMANDS } from "./command_names.ts";
import type { CommandRow } from "./command_row.ts";
import type { OptionGroup, OptionRow } from "./option_table.ts";

/** Name of such a sub-command. */
export type AdminCommandName = typeof ADMIN_COMMANDS[number];

const PLACE_OPTIONS: readonly OptionRow[] = [
  { name: "config", letter: "c", value: "FILE", help: "the server's configuration file, whose admin is asked" },
  { name: "url", value: "URL", help: "the admin listener: https://HOST:PORT, or unix:/PATH" },
  { name: "token-file", value: "FILE", help: "file with the token, with --url" },
  { name: "ca", value: "FILE", help: "certificate, of the server or who issued it, to trust" },
];
const JSON_OPTION: OptionRow = { name: "json", help: "print JSON, for programs" };
const PLACE: OptionGroup = { title: "Where the server is", options: PLACE_OPTIONS };
const OUTPUT: OptionGroup = { title: "Output", options: [JSON_OPTION] };

const NEEDS = "Needs --allow-net for the admin listener (for a socket --allow-net=unix:PATH, and --allow-read and " +
  "--allow-write for PATH), and --allow-read for the files that are named. The token is read from a file, never from the " +
  "command line.";

/** The rows, in the order of the help. */
export const ADMIN_ROWS: readonly (CommandRow & { readonly name: AdminCommandName })[] = [
  {
    name: "status",
    usage: "status --config FILE [options]",
    summary: "tell how a running server is",
    about:
      `Readiness, version, uptime, sessions, throughput of the last ten seconds, days that the certificate has left, ` +
      `accepted risks, nodes, quotas that are used by 90 % or more, and bans. The exit status is 0 when clients should be ` +
      `sent there, 1 when not, or when it does not answer. ${NEEDS}`,
    options: [PLACE, OUTPUT],
    isRare: true,
    examples: [
      { line: "ftpsd status -c ftpsd.yaml", means: "of the server with this configuration" },
      {
        line: "ftpsd status --url https://ftp.example.org:8021 --token-file token",
        means: "of another host",
      },
    ],
  },
  {
    name: "who",
    usage: "who --config FILE [options]",
    summary: "list who is connected, and what is transferred",
    about:
      `Who is connected to this node: id, user, address, TLS, for how long, and the file that is being transferred ` +
      `with its bytes and its rate since it began. ${NEEDS}`,
    options: [PLACE, OUTPUT],
    isRare: true,
    examples: [
      { line: "ftpsd who -c ftpsd.yaml", means: "a table" },
      { line: "ftpsd who -c ftpsd.yaml --json", means: "the same for programs" },
    ],
  },
  {
    name: "top",
    usage: "top --config FILE [options]",
    summary: "watch sessions and transfers live",
    about:
      `A table each second, the fastest transfer first; q ends it. Where the output is no terminal it is printed ` +
      `once. ${NEEDS}`,
    options: [PLACE],
    isRare: true,
    examples: [{ line: "ftpsd top -c ftpsd.yaml", means: "until q is pressed" }],
  },
  {
    name: "kick",
    usage: "kick SESSION|--user NAME|--address ADDRESS --config FILE",
    summary: "end sessions of a running server",
    about:
      `What they do is cut, and their clients get 421. SESSION is the id that ftpsd who shows; --user and --address ` +
      `end all of an account, or of an address (IPv6: of its /64), on all nodes. They may come again: ftpsd ban, or ftpsd ` +
      `user set --disabled, keeps them out. ${NEEDS}`,
    options: [{
      title: "Whose",
      options: [
        { name: "user", value: "NAME", help: "sessions that have logged in as this user" },
        { name: "address", value: "ADDRESS", help: "sessions from this address" },
      ],
    }, PLACE],
    isRare: true,
    operand: [],
    takesNames: true,
    examples: [
      { line: "ftpsd kick --user alice -c ftpsd.yaml", means: "all sessions of alice" },
      { line: "ftpsd kick --address 192.0.2.7 -c ftpsd.yaml", means: "all from there" },
    ],
  },
  {
    name: "ban",
    usage: "ban ADDRESS [--for SECONDS] --config FILE",
    summary: "ban an address from a running server",
    about:
      `It gets 421 when it connects, on all nodes; of IPv6 the /64 of ADDRESS is banned. Sessions that it has go on ` +
      `until ftpsd kick --address. A ban that it has is replaced. ${NEEDS}`,
    options: [{
      title: "How long",
      options: [{ name: "for", value: "SECONDS", help: "seconds from now (default: ban.duration of the server)" }],
    }, PLACE],
    isRare: true,
    operand: [],
    takesNames: true,
    examples: [{ line: "ftpsd ban 192.0.2.7 --for 86400 -c ftpsd.yaml", means: "for a day" }],
  },
  {
    name: "unban",
    usage: "unban ADDRESS --config FILE",
    summary: "lift a ban of a running server",
    about:
      `Lets an address in again that is banned; ftpsd status lists them, and ADDRESS may be written as there, with ` +
      `/64. ${NEEDS}`,
    options: [PLACE],
    isRare: true,
    operand: [],
    takesNames: true,
    examples: [{ line: "ftpsd unban 2001:db8::/64 -c ftpsd.yaml", means: "as ftpsd status shows it" }],
  },
  {
    name: "reload",
    usage: "reload --config FILE",
    summary: "let a running server read its configuration again",
    about:
      `As SIGHUP does, but it tells what waits for a restart, or what is wrong: nothing has changed then. ${NEEDS}`,
    options: [PLACE],
    isRare: true,
    examples: [{ line: "ftpsd reload -c ftpsd.yaml", means: "after a change of that file" }],
  },
  {
    name: "drain",
    usage: "drain --config FILE",
    summary: "let a running server stop in its own time",
    about: `As SIGTERM does, in the times of shutdown in the configuration: balancers are told first, then running ` +
      `transfers may end. It does not ask back, as systemctl stop does not, and does not wait for the end. ${NEEDS}`,
    options: [PLACE],
    isRare: true,
    examples: [{ line: "ftpsd drain -c ftpsd.yaml", means: "before the host is updated" }],
  },
];

/**
 * The options of one of them.
 *
 * @throws {TypeError} When there is no such sub-command.
 */
export function adminOptionsOf(name: AdminCommandName): readonly OptionRow[] {
  const row = ADMIN_ROWS.find((row) => row.name === name);
  if (row === undefined) throw new TypeError(`there is no command ${name}`);
  return [...row.options.flatMap(({ options }) => options)];
}
