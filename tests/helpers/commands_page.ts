/**
 * The page about the commands.
 *
 * @module
 */

import type { CommandSpec } from "../../lib/commands/command.ts";
import { COMMANDS } from "../../lib/commands/table.ts";

const INTRODUCTION = `# Commands

<!-- Made of lib/commands/table.ts by \`deno task docs\`. -->

Every command that the server knows; any other is answered by 500. A command is refused by the first rule that it breaks, in
this order: known, argument (501), TLS (550), login (530), sequence (503), protection of data connections (550, 521),
capability of the file system (502), path inside the home (550), permission (550).

- **TLS**: the command needs a protected control connection where \`tls.policy\` is \`required\` or \`control\`.
- **Login**: a user must be logged in.
- **Permission**: the letter that the user must have for the path.
- **During a transfer**: what happens to the command while a transfer runs. It is answered at once where that can do no
  harm; otherwise it waits, and nothing is lost.`;

const OUTRO = `## What is not there

- **MODE Z** (compression) is refused with 504. What a peer sends in it can grow a thousandfold, lengths and offsets of REST
  and SIZE would no longer be those of the wire, and clients are known to cut such transfers over TLS. Compress files, not
  transfers.
- **MODE B, MODE C, STRU R, STRU P**, and types other than ASCII and image are refused with 504, as by every server in use.
- **CCC** is refused with 534: it would lay open the commands behind it.
- **SMNT**, and the commands of RFC 1639 (LPRT, LPSV), are unknown: EPSV and EPRT have taken their place.`;

/** Writes the page, in Markdown that is not formatted yet. */
export function makeCommandsPage(): string {
  const header = "| command | RFC | TLS | login | permission | during a transfer | what it does |";
  const rows = COMMANDS.map((row) => `| ${cells(row).map(escapeCell).join(" | ")} |`);
  const features = COMMANDS.filter((row) => row.features !== undefined).map((row) => `\`${row.verb}\``);
  return [
    INTRODUCTION,
    [header, "| --- | --- | --- | --- | --- | --- | --- |", ...rows].join("\n"),
    `FEAT has a line of its own for what ${
      features.join(", ")
    } can do, as far as the settings and the file system offer it.`,
    OUTRO,
  ].join("\n\n");
}

function cells(row: CommandSpec): string[] {
  const names = [row.verb, ...row.aliases ?? []].map((name) => `\`${name}\``).join(", ");
  const [, syntax = "", does = ""] = /^(.*?) \((.*)\)$/.exec(row.help) ?? [];
  return [
    names,
    row.rfc,
    row.beforeTls ? "" : "needed",
    loginRule(row),
    permissionRule(row),
    transferRule(row),
    `\`${syntax}\`: ${does}${notes(row)}`,
  ];
}

function loginRule({ beforeLogin }: CommandSpec): string {
  if (beforeLogin === undefined) return "needed";
  return beforeLogin === true ? "" : "needed with an argument";
}

function permissionRule({ permission, furtherCommands, verb }: CommandSpec): string {
  if (permission === undefined) return "";
  if (furtherCommands === undefined) return `\`${permission}\``;
  return `\`${permission}\`, ${FURTHER[verb] ?? ""}`;
}

/** What {@linkcode CommandSpec.furtherCommands} ask for, in words. */
const FURTHER: Readonly<Record<string, string>> = {
  MDTM: "and `T` to set the time",
  MFF: "and `M` to set the mode",
};

function transferRule({ duringTransfer, interruptsTransfer }: CommandSpec): string {
  if (interruptsTransfer) return "ends it";
  return duringTransfer ? "at once" : "waits";
}

function notes(row: CommandSpec): string {
  const found: readonly (string | false | undefined)[] = [
    row.dataConnection === "prepares" && "prepares a data connection",
    row.dataConnection === "uses" && "uses the data connection",
    row.longRunning && "ABOR ends it",
    row.needs !== undefined && `needs \`${row.needs}()\` of the file system`,
    row.secret && "the argument is never logged",
  ];
  const text = found.filter((note) => typeof note === "string").join("; ");
  return text === "" ? "" : ` (${text})`;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
