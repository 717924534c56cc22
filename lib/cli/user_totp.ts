/**
 * `ftpsd user totp`: makes the secret of a user's one-time codes, and shows it to the user's app.
 *
 * @module
 */

import { parse } from "@std/yaml";
import { join } from "node:path";
import type { TotpAlgorithm } from "../accounts/second_factor.ts";
import { shellWord, StartError, UsageError } from "../check/exit_error.ts";
import { requirePathPermission } from "../check/host_files.ts";
import type { Configuration } from "../settings/table.ts";
import { modeBits } from "../mode_bits.ts";
import { askSecret, type PasswordInput } from "./hash_password.ts";
import { qrTextOf } from "./qr_text.ts";
import { changeUsers, edit, type Place, readText, resolveFrom, type Scene, USAGE, withTable } from "./user_scene.ts";

/** What an app is told of codes. */
interface CodeParameters {
  readonly algorithm: TotpAlgorithm;
  readonly digits: number;
  readonly period: number;
}

/** What apps take that are told nothing. */
const DEFAULT_CODE_PARAMETERS: CodeParameters = { algorithm: "SHA1", digits: 6, period: 30 };

/** Bytes of a secret: RFC 4226 §4 R6 recommends 160 bits. */
const SECRET_BYTES = 20;
/** How often a code can be typed anew. */
const MAX_TRIES = 3;
const ISSUER = "ftpsd";
const OWNER_ONLY = 0o600;
const GROUP_MAY_READ = 0o040;

/** A secret that was made. */
interface MadeCodes {
  readonly secret: string;
  /** What to print of it yet, where it was not shown on a terminal. */
  readonly shown: readonly string[];
}

/** Gives a user one-time codes, or takes them away. */
export async function changeCodes(scene: Scene, place: Place, name: string): Promise<string> {
  const { parsed, input, file, configuration } = scene;
  const isRemoved = parsed.switches.has("remove");
  const known = ["config", "in", "remove"];
  const other = [...parsed.values.keys(), ...parsed.switches, ...parsed.lists.keys()].find((it) => !known.includes(it));
  if (other !== undefined) throw new UsageError(`--${other} means nothing here (user totp)`, USAGE);
  const user = configuration.users.find((user) => user.name === name);
  if (place === "file" && user === undefined) {
    throw new UsageError(`there is no user ${JSON.stringify(name)} in ${file} (user)`, "ftpsd user list");
  }
  if (isRemoved) return await setCodes(scene, place, name, undefined);
  if (place === "file") return await changeCodesInFile(scene, name, user?.totp);
  const { secret, shown } = await makeCodes(name, DEFAULT_CODE_PARAMETERS, input);
  return [...shown, await setCodes(scene, place, name, { secret })].join("\n");
}

async function changeCodesInFile(
  { file, input, ...scene }: Scene,
  name: string,
  codes: Configuration["users"][number]["totp"],
): Promise<string> {
  const { secret: _, ...kept } = givenCodes(await readText(file), name);
  const given = codes?.secretFile;
  const path = given ?? await unusedFileOf(name, resolveFrom(file));
  const totp = { ...kept, secretFile: path };
  // Whether the file can be changed is found out before there is a secret.
  if (given === undefined) edit(await readText(file), { kind: "set", name, patch: { totp } }, file);
  const { algorithm, digits, period } = codes ?? DEFAULT_CODE_PARAMETERS;
  const made = await makeCodes(name, { algorithm, digits, period }, input);
  await writeSecret(resolveFrom(file)(path), made.secret, file);
  const done = given === undefined
    ? await setCodes({ ...scene, file, input }, "file", name, totp)
    : `${name} has other codes, once a running server reads ${given}: kill -HUP PID`;
  return [...made.shown, done].join("\n");
}

/** What the file itself says of the codes of a user, without defaults. */
function givenCodes(text: string, name: string): Readonly<Record<string, unknown>> {
  const { users } = parse(text, { schema: "core" }) as {
    readonly users?: readonly Readonly<Record<string, unknown>>[];
  };
  return { ...users?.find((user) => user.name === name)?.totp as object | undefined };
}

async function setCodes(
  scene: Scene,
  place: Place,
  name: string,
  totp: Readonly<Record<string, unknown>> | undefined,
): Promise<string> {
  const does = totp === undefined ? "needs no code any more" : "needs a code behind the password";
  if (place === "postgres") {
    await withTable(scene, async (table) => await table.put("set", name, { settings: { totp } }));
    return `${name} ${does}; it holds on all nodes`;
  }
  const { file } = scene;
  await changeUsers(file, { kind: "set", name, patch: { totp } });
  return `${name} ${does}, once a running server reads ${file}: kill -HUP PID`;
}

/**
 * Makes a secret. On a terminal it is shown as a QR code, and a code of the app is asked for.
 *
 * @throws {UsageError} When none of the codes is right.
 */
async function makeCodes(
  name: string,
  parameters: CodeParameters,
  input: PasswordInput | undefined,
): Promise<MadeCodes> {
  const { Secret, TOTP } = await import("otpauth");
  const secret = new Secret({ size: SECRET_BYTES });
  const totp = new TOTP({ ...parameters, secret, issuer: ISSUER, label: name });
  const uri = totp.toString();
  const isTerminal = input?.isTerminal ?? (Deno.stdin.isTerminal() && Deno.stderr.isTerminal());
  if (!isTerminal) return { secret: secret.base32, shown: [uri] };
  const { ask, warn } = input ?? { ask: askSecret, warn: writeLine };
  warn([await qrTextOf(uri), uri].filter((text) => text !== undefined).join("\n"));
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const token = ask("Code of the app:")?.replaceAll(" ", "") ?? "";
    if (totp.validate({ token, window: 1 }) !== null) return { secret: secret.base32, shown: [] };
    warn("this is not the code of the app; is the clock of the phone, or of this host, wrong?");
  }
  throw new UsageError("no code was right, and nothing has changed (user totp)", `ftpsd user totp ${shellWord(name)}`);
}

function writeLine(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** A file for the secret of a user, beside the configuration, that is not there yet. */
async function unusedFileOf(name: string, resolve: (path: string) => string): Promise<string> {
  const isPlain = /^[A-Za-z0-9_][\w.@-]{0,63}$/.test(name);
  const stem = isPlain ? name : encodeURIComponent(name).replaceAll("%", "_").slice(0, 100);
  const path = `${stem}.totp`;
  const isThere = await Deno.lstat(resolve(path)).then(() => true, () => false);
  return isThere ? `${stem}-${crypto.randomUUID().slice(0, 8)}.totp` : path;
}

/**
 * Writes a secret into a file of its own, in the place of the one that is there. It has the owner of the configuration, and is read
 * by the group where that is, and by nobody else.
 *
 * @throws {StartError} When it cannot be written.
 */
async function writeSecret(path: string, secret: string, configurationFile: string): Promise<void> {
  const folder = join(path, "..");
  await requirePathPermission("write", folder);
  const { mode: given, uid, gid } = await Deno.stat(configurationFile);
  const mode = OWNER_ONLY | ((modeBits(given, Deno.build.os) ?? 0) & GROUP_MAY_READ);
  const temporary = join(folder, `.${crypto.randomUUID().slice(0, 8)}.totp.tmp`);
  try {
    await Deno.writeTextFile(temporary, `${secret}\n`, { createNew: true, mode: OWNER_ONLY });
    if (Deno.build.os !== "windows") {
      const own = await Deno.lstat(temporary);
      if (own.uid !== uid || own.gid !== gid) await Deno.chown(temporary, uid, gid);
      await Deno.chmod(temporary, mode);
    }
    await Deno.rename(temporary, path);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {}); // it may never have been there
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new StartError(`cannot write ${path} (user totp)`, `ls -ld ${shellWord(folder)}`, { cause });
  }
}
