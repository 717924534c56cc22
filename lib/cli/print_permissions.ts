/**
 * `ftpsd permissions`: the narrowest line that starts a configuration, alone or in a systemd unit or a compose file, or
 * that builds an executable file for it.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import {
  findPermissionNeeds,
  formatPermissionFlags,
  type PermissionNeeds,
  PROGRAM_FOLDER,
} from "../check/permissions.ts";
import { PERMISSIONS_OPTIONS } from "./command_table.ts";
import { formatComposeFile, formatSystemdUnit } from "./service_files.ts";
import { shellWord, UsageError } from "../check/exit_error.ts";
import { inspectDatabases } from "../check/state_database.ts";
import { loadConfiguration } from "./load_configuration.ts";
import { parseArguments, SERVE_OPTIONS } from "./option_table.ts";

/** The program as it is published: what a container can have. */
export const PUBLISHED = `jsr:${project.name}@${project.version}/cli`;
/** Where packages of the system put Deno. */
const SYSTEM_DENO = "/usr/bin/deno";

const FORMS = PERMISSIONS_OPTIONS.map(({ name }) => name);

/** Makes the text to print. */
export async function permissionsCommand(args: readonly string[]): Promise<string> {
  const parsed = parseArguments(args, [...SERVE_OPTIONS, ...PERMISSIONS_OPTIONS], "ftpsd permissions --help");
  const [form, ...others] = FORMS.filter((name) => parsed.switches.has(name));
  if (others.length > 0) {
    throw new UsageError(`--${form} and --${others[0]} together`, "ftpsd permissions, once for each");
  }
  const own = args.filter((argument) => !FORMS.some((name) => argument.split("=")[0] === `--${name}`));
  const { configuration, file } = await loadConfiguration(parsed);
  // What is published, or built in, is no file that workers would have to read.
  const isElsewhere = form === "compose" || form === "compile";
  const databases = await inspectDatabases(configuration);
  const needs = findPermissionNeeds(configuration, file, isElsewhere ? undefined : PROGRAM_FOLDER, databases);
  switch (form) {
    case "systemd": {
      requireFullPath(file);
      const usesDeno = !Deno.build.standalone;
      const command = usesDeno
        ? [SYSTEM_DENO, ...runArguments(needs, program()), "serve", ...own]
        : [Deno.execPath(), "serve", ...own];
      return formatSystemdUnit(configuration, { needs, command, usesDeno });
    }
    case "compose":
      requireFullPath(file);
      return formatComposeFile(configuration, { needs, command: [...runArguments(needs, PUBLISHED), "serve", ...own] });
    case "compile":
      return [
        "deno",
        "compile",
        "--exclude-unused-npm",
        "--no-prompt",
        ...formatPermissionFlags(needs),
        "--output=ftpsd",
      ]
        .concat(program()).map(shellWord).join(" ");
    default:
      return ["deno", ...runArguments(needs, program()), ...own].map(shellWord).join(" ");
  }
}

/** Words behind `deno` that run a program with what a configuration needs. */
export function runArguments(needs: PermissionNeeds, program: string): string[] {
  return ["run", "--no-prompt", ...formatPermissionFlags(needs), program];
}

/** Words that run ftpsd as it runs now, with flags of Deno where that is not in it. */
export function ownCommand(flags: readonly string[]): string {
  if (Deno.build.standalone) return shellWord(Deno.execPath());
  return ["deno", "run", ...flags, program()].map(shellWord).join(" ");
}

/** The program that runs now: of a checkout, or the published one. What an executable file holds is not for others. */
function program(): string {
  const isCheckout = import.meta.url.startsWith("file:") && !Deno.build.standalone;
  return isCheckout ? fileURLToPath(new URL("../../main.ts", import.meta.url)) : PUBLISHED;
}

/** A service does not start in the folder where this was typed. */
function requireFullPath(file: string | undefined): void {
  if (file === undefined) throw new UsageError("a service needs a file (--config)", "--config /etc/ftpsd.yaml");
  if (!isAbsolute(file)) throw new UsageError(`${file} is not a full path (--config)`, "--config /etc/ftpsd.yaml");
}
