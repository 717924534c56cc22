/**
 * `ftpsd user`: adds, changes, removes and lists users, in the configuration file or in the table of PostgreSQL.
 *
 * @module
 */

import { classifyPassword, findPasswordProblem } from "../check/account_findings.ts";
import { UsageError } from "../check/exit_error.ts";
import { readRegularFile, requirePathPermission } from "../check/host_files.ts";
import type { AccountChange } from "../serve/maintain_accounts.ts";
import type { UserChange } from "../settings/edit_users.ts";
import type { Home } from "../settings/forms.ts";
import { readConfiguration } from "../settings/read_configuration.ts";
import type { Configuration } from "../settings/table.ts";
import { USER_ACTIONS, USER_OPTIONS, USER_PLACES } from "./command_table.ts";
import { askPassword, hashOf, type PasswordInput } from "./hash_password.ts";
import { oneOf, parseArguments, type ParsedArguments } from "./option_table.ts";
import { changeUsers, type Place, placeOf, readText, resolveFrom, type Scene, USAGE, withTable } from "./user_scene.ts";

type Action = typeof USER_ACTIONS[number];
type ChangeAction = Exclude<Action, "list" | "totp">;

/**
 * Does what is asked for.
 *
 * @returns What to print.
 * @throws {ExitError} When it cannot be done; nothing has changed then.
 * @throws {ConfigurationError} When the file is wrong, or would be.
 */
export async function userCommand(args: readonly string[], input?: PasswordInput): Promise<string> {
  const parsed = parseArguments(args, USER_OPTIONS, "ftpsd user --help");
  const [action = "", name, ...others] = parsed.operands;
  if (!isAction(action)) {
    throw new UsageError(`what to do is missing, or unknown (user)`, USAGE, {
      unknownWord: { typed: action, known: USER_ACTIONS },
    });
  }
  const file = parsed.values.get("config");
  if (file === undefined) throw new UsageError("the configuration file is missing (--config)", USAGE);
  if (others.length > 0) {
    throw new UsageError("only one name can be given, and never a password (user)", "--password-file FILE");
  }
  const scene = { configuration: read(await readText(file), file), file, parsed, input };
  if (action === "list") return await list(scene, name);
  if (name === undefined) throw new UsageError(`the name of the user is missing (user ${action})`, USAGE);
  const place = placeOf(scene);
  // Loaded when needed, with what makes codes and draws them.
  if (action === "totp") return await (await import("./user_totp.ts")).changeCodes(scene, place, name);
  if (parsed.switches.has("remove")) throw new UsageError(`--remove means nothing here (user ${action})`, USAGE);
  return place === "file" ? await changeFile(scene, action, name) : await changeTable(scene, action, name);
}

/** Reads a configuration, where nobody can log in so far, too. */
function read(text: string, file: string): Configuration {
  const override = (given: object) => {
    const { accounts, users, anonymous } = given as { readonly [key: string]: unknown };
    const isEmpty = accounts === undefined && anonymous === undefined && (users === undefined || String(users) === "");
    return isEmpty ? { ...given, anonymous: { home: "/" } } : given;
  };
  return readConfiguration(text, { file, resolve: resolveFrom(file), override });
}

function isAction(word: string): word is Action {
  return (USER_ACTIONS as readonly string[]).includes(word);
}

async function changeFile(scene: Scene, action: ChangeAction, name: string): Promise<string> {
  const { file, parsed } = scene;
  await changeUsers(file, await fileChange(scene, action, name));
  const resolve = resolveFrom(file);
  const done = { add: "added", set: "changed", remove: "removed" }[action];
  const warning = parsed.values.has("home") ? await homeWarning(resolve(parsed.values.get("home") ?? ""), parsed) : [];
  return [...warning, `${done} ${name} in ${file}; a running server reads it on SIGHUP: kill -HUP PID`].join("\n");
}

async function fileChange(scene: Scene, action: ChangeAction, name: string): Promise<UserChange> {
  if (action === "remove") return { kind: "remove", name: noOptions(scene, name) };
  const { password, enabled, settings } = await readChange(scene, action);
  const patch = {
    ...password !== undefined && { password },
    ...settings,
    ...enabled !== undefined && { enabled: enabled ? undefined : false },
  };
  return action === "add" ? { kind: "add", entry: { name, ...patch } } : { kind: "set", name, patch };
}

async function homeWarning(home: string, { values }: ParsedArguments): Promise<string[]> {
  if (values.has("store") || (await Deno.permissions.query({ name: "read", path: home })).state !== "granted") {
    return [];
  }
  const isFolder = await Deno.stat(home).then(({ isDirectory }) => isDirectory, () => false);
  return isFolder ? [] : [`warning: ${home} is not a folder yet; the server does not take the file before`];
}

async function changeTable(scene: Scene, action: ChangeAction, name: string): Promise<string> {
  if (action === "remove") {
    const own = noOptions(scene, name);
    await withTable(scene, async (table) => await table.remove(own));
    return `removed ${name} from the table; sessions end on all nodes`;
  }
  const change = await readChange(scene, action);
  if (action === "add" && change.settings.home === undefined) throw homeMissing();
  const warning = await withTable(scene, async (table) => await table.put(action, name, change));
  const done = `${action === "add" ? "added" : "changed"} ${name} in the table; it holds on all nodes`;
  return warning === undefined ? done : `warning: ${name} cannot log in yet: ${warning}\n${done}`;
}

/** What options say of a user. */
async function readChange({ parsed, input }: Scene, action: "add" | "set"): Promise<AccountChange> {
  const { values, switches, lists } = parsed;
  const home = homeOf(parsed);
  if (action === "add" && home === undefined) throw homeMissing();
  if (switches.has("disabled") && switches.has("enabled")) {
    throw new UsageError("--enabled and --disabled together", USAGE);
  }
  const enabled = switches.has("disabled") ? false : switches.has("enabled") ? true : undefined;
  const permissions = values.get("permissions");
  const settings = {
    ...home !== undefined && { home },
    ...permissions !== undefined && { permissions },
    ...lists.has("group") && { groups: lists.get("group") },
  };
  const asks = action === "add" || switches.has("ask-password");
  if (!asks && !values.has("password-file") && enabled === undefined && Object.keys(settings).length === 0) {
    throw new UsageError("nothing to change was given (user set)", "ftpsd user --help");
  }
  const password = await passwordOf(parsed, input, action, asks);
  const today = new Date().toISOString().slice(0, 10);
  return { password, enabled, settings: { ...settings, ...password !== undefined && { passwordChanged: today } } };
}

function homeMissing(): UsageError {
  return new UsageError("the home is missing (user add)", "--home DIR");
}

function homeOf({ values }: ParsedArguments): Home | undefined {
  const [path, store] = [values.get("home"), values.get("store")];
  if (store === undefined) return path;
  if (path === undefined) throw new UsageError("a store without a path in it (--store)", "--home /folder");
  return { store, path };
}

/** The hash of the new password; `undefined` where it stays. */
async function passwordOf(
  { values }: ParsedArguments,
  input: PasswordInput | undefined,
  action: "add" | "set",
  asks: boolean,
): Promise<string | undefined> {
  const command = `user ${action}`;
  const file = values.get("password-file");
  if (file === undefined) {
    if (!asks) return undefined;
    return await hashUnlessHash(await askPassword({ command, ways: "--password-file FILE" }, input), command, input);
  }
  return await hashInFile(file, command, input);
}

/**
 * The hash of the password that a file has, or the hash in it.
 *
 * @param command For messages.
 * @throws {UsageError} When it cannot be used.
 */
export async function hashInFile(file: string, command: string, input?: PasswordInput): Promise<string> {
  await requirePathPermission("read", file);
  const text = new TextDecoder().decode((await readRegularFile(file)).bytes).replace(/\r?\n$/, "");
  const problem = findPasswordProblem(text);
  if (problem !== undefined) {
    throw new UsageError(`the password ${problem} (--password-file ${file})`, "ftpsd hash-password");
  }
  return await hashUnlessHash(text, command, input);
}

async function hashUnlessHash(text: string, command: string, input: PasswordInput | undefined): Promise<string> {
  const form = classifyPassword(text);
  if (form.kind === "clearText") return await hashOf(text, command, input);
  if (form.kind === "unsound") throw new UsageError(`${form.reason} (${command})`, "ftpsd hash-password");
  return text;
}

function noOptions({ parsed: { values, switches, lists } }: Scene, name: string): string {
  const given = [...values.keys(), ...switches, ...lists.keys()].find((option) => !["config", "in"].includes(option));
  if (given === undefined) return name;
  throw new UsageError(`--${given} means nothing here (user remove)`, USAGE);
}

async function list(scene: Scene, name: string | undefined): Promise<string> {
  if (name !== undefined) throw new UsageError("list takes no name (user list)", USAGE);
  const { configuration: { accounts, users }, parsed } = scene;
  const place = oneOf(parsed, "in", USER_PLACES);
  const lines: string[] = [];
  for (const { type, query } of accounts) {
    if (place !== undefined && place !== type) continue;
    if (type === "http" || type === "ldap") {
      lines.push(`# accounts of a ${type === "http" ? "hook" : "directory"} are not listed`);
    } else if (type === "file") {
      lines.push(
        ...users.map(({ name, home, permissions, enabled }) => line(name, type, { home, permissions, enabled })),
      );
    } else if (query === undefined) {
      const listed = await withTable(scene, async (table) => await table.list());
      lines.push(
        ...listed.map(({ name, enabled, settings: { home, permissions } }) =>
          line(name, type, { home, permissions, enabled })
        ),
      );
    } else lines.push("# accounts of a query of your own are not listed");
  }
  return lines.length === 0 ? "there are no users" : lines.join("\n");
}

/** A line about a user; whoever writes to a table may put control characters into what it says. */
function line(
  name: string,
  place: Place,
  { home, permissions, enabled }: { readonly home: unknown; readonly permissions: unknown; readonly enabled: boolean },
): string {
  return [shown(name), place, shown(home), shown(permissions ?? "elr"), ...enabled ? [] : ["disabled"]].join("\t");
}

function shown(value: unknown): string {
  return typeof value === "string" && !/\p{C}/u.test(value) ? value : visible(String(JSON.stringify(value)));
}

/** JSON leaves some that no terminal should get, as those of C1. */
function visible(json: string): string {
  return json.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
