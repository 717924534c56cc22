/**
 * What `ftpsd init` is to set up: five answers, each of an option, of a question, or the one that holds by default.
 *
 * @module
 */

import { isAbsolute, join, relative, resolve } from "node:path";
import { findPasswordProblem } from "../check/account_findings.ts";
import { UsageError } from "../check/exit_error.ts";
import { ipFamily } from "../protocol/host_port.ts";
import { DNS_NAME } from "./cert.ts";
import { INIT_SERVICES } from "./command_table.ts";
import { oneOf, type ParsedArguments } from "./option_table.ts";

/** Who asks, and is asked. */
export interface InitDialog {
  /** Asks for one line; the fallback where nothing is typed, `null` at the end of the input. */
  ask(question: string, fallback: string): string | null;
  /** Asks without echo; `null` where that cannot be. */
  askSecret(question: string): string | null;
  /** Shows a line. */
  tell(line: string): void;
}

/** Who may come in. */
export type InitAccount =
  | { readonly kind: "anybody" }
  | {
    readonly kind: "user";
    readonly name: string;
    /** Absent: one is made. */
    readonly password?: string | undefined;
    /** The file that has the password, or its hash. */
    readonly passwordFile?: string | undefined;
  };

/** From where clients come: this host, those around it, or everywhere by a name. */
export type InitReach = { readonly kind: "host" | "network" } | { readonly kind: "name"; readonly name: string };

/** The certificate: a self-signed one, one that is ordered from a CA for a name, or what files have. */
export type InitCertificate =
  | { readonly kind: "new" }
  | { readonly kind: "acme"; readonly name: string }
  | { readonly kind: "files"; readonly certificate: string; readonly key: string };

/** All of it; paths are absolute. */
export interface InitPlan {
  /** Folder of the configuration. */
  readonly folder: string;
  readonly share: string;
  readonly account: InitAccount;
  readonly reach: InitReach;
  readonly certificate: InitCertificate;
  readonly service: typeof INIT_SERVICES[number];
  readonly port: number;
}

const USAGE = "ftpsd init --help";
const DEFAULT_PORT = "2121";
const MAX_PORT = 65_535;
/** Nobody types so many wrong answers; something else does. */
const MAX_ATTEMPTS = 5;

/**
 * Finds out what to set up.
 *
 * @param dialog Asks for what no option says; absent: the defaults hold.
 * @throws {UsageError} When an option cannot be used, or the answers to a question cannot again and again.
 */
export function planInit(parsed: ParsedArguments, dialog: InitDialog | undefined): InitPlan {
  const { operands, values, switches } = parsed;
  const [operand = ".", ...others] = operands;
  if (others.length > 0) throw new UsageError(`only one folder can be given, not ${others[0]} too (init)`, USAGE);
  if (switches.has("anybody") && (values.has("user") || values.has("password-file"))) {
    throw new UsageError("--anybody beside --user or --password-file (init)", USAGE);
  }
  const folder = resolve(operand);
  const service = oneOf(parsed, "service", INIT_SERVICES);
  const decide = <Value>(question: Question<Value>) => answer(question, dialog);
  const port = readPort(values.get("port") ?? DEFAULT_PORT);
  const share = decide({
    text: "1/5 Which folder is to be shared?",
    given: values.get("share"),
    fallback: "files",
    read: (text) => readShare(text, folder, values.has("share")),
  });
  const account = readAccount(parsed, dialog);
  const reach = decide({
    text:
      '3/5 From where do clients come? "host" (this one alone), "network", or the name of this server on the internet',
    given: values.get("from"),
    fallback: "network",
    read: readReach,
  });
  const certificate = decide({
    text:
      '4/5 Which certificate? "new" (self-signed), "acme" (of Let\'s Encrypt, whose terms you agree to; for a name on the ' +
      "internet), or the files of yours and of its key",
    given: givenCertificate(parsed),
    fallback: "new",
    read: (text) => readCertificate(text, reach),
  });
  const how = service ?? decide({
    text: '5/5 As a service? "unit" (a systemd unit, to be installed), "install" (into /etc/systemd/system), or "no"',
    given: undefined,
    fallback: Deno.build.os === "linux" ? "unit" : "no",
    read: readService,
  });
  return { folder, port, share, account, reach, certificate, service: how };
}

/** A question, and what decides in its place. */
interface Question<Value> {
  readonly text: string;
  /** What an option says. */
  readonly given: string | undefined;
  readonly fallback: string;
  /** @throws {UsageError} When the text is no answer. */
  readonly read: (text: string) => Value;
}

function answer<Value>({ text, given, fallback, read }: Question<Value>, dialog: InitDialog | undefined): Value {
  if (given !== undefined) return read(given);
  if (dialog === undefined) return read(fallback);
  for (let attempt = 1;; attempt++) {
    const typed = dialog.ask(text, fallback);
    if (typed === null) throw new UsageError("the input has ended before all questions were answered (init)", USAGE);
    try {
      return read(typed.trim() || fallback);
    } catch (error) {
      if (!(error instanceof UsageError) || attempt >= MAX_ATTEMPTS) throw error;
      dialog.tell(`  ${error.message}`);
    }
  }
}

/** Who may fetch the configuration would have the hashes, and the key. */
function readShare(text: string, folder: string, isOption: boolean): string {
  if (/\p{Cc}/u.test(text)) throw new UsageError("a folder without control characters is needed (--share)", USAGE);
  // What is typed for an option is from where it is typed; answers are from where all else is.
  const share = isAbsolute(text) ? text : isOption ? resolve(text) : join(folder, text);
  const path = relative(share, folder);
  const isOutside = path === ".." || path.startsWith("../") || isAbsolute(path);
  if (isOutside) return share;
  throw new UsageError(`${share} would hold the configuration and the key, too; give another folder (--share)`, USAGE);
}

function readAccount({ values, switches }: ParsedArguments, dialog: InitDialog | undefined): InitAccount {
  const passwordFile = values.get("password-file");
  const account = answer<InitAccount>({
    text: '2/5 With whom? The name of a user, who may write too; or "anybody", who may only read',
    given: switches.has("anybody") ? "anybody" : values.get("user"),
    fallback: "user",
    read: (text) => readName(text, switches.has("anybody") || !values.has("user")),
  }, dialog);
  if (account.kind === "anybody") return account;
  if (passwordFile !== undefined) return { ...account, passwordFile };
  return { ...account, password: dialog && askPassword(dialog) };
}

function readName(text: string, mayBeAnybody: boolean): InitAccount {
  if (text === "anybody" && mayBeAnybody) return { kind: "anybody" };
  if (/\p{C}/u.test(text) || text.trim() !== text || text === "") {
    throw new UsageError(
      "a user name without blanks around it and without control characters is needed (--user)",
      USAGE,
    );
  }
  if (text.toLowerCase() === "anonymous") throw new UsageError("anonymous is anybody: --anybody (--user)", USAGE);
  return { kind: "user", name: text };
}

/** The password; `undefined` where one is to be made. */
function askPassword(dialog: InitDialog): string | undefined {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const password = dialog.askSecret("    Password (Enter makes one):");
    if (password === null || password === "") return undefined;
    const problem = findPasswordProblem(password);
    if (problem !== undefined) dialog.tell(`  the password ${problem}`);
    else if (dialog.askSecret("    Password again:") === password) return password;
    else dialog.tell("  the two passwords differ");
  }
  throw new UsageError("no password came of that (init)", "--password-file FILE");
}

function readReach(text: string): InitReach {
  if (text === "host" || text === "network") return { kind: text };
  const isHost = ipFamily(text) !== undefined || (text.includes(".") && !text.startsWith("*") && DNS_NAME.test(text));
  if (isHost) return { kind: "name", name: text };
  throw new UsageError(`neither host nor network, nor the name of a server: ${text} (--from)`, USAGE);
}

function givenCertificate({ values, switches }: ParsedArguments): string | undefined {
  const [certificate, key] = [values.get("certfile"), values.get("keyfile")];
  if (certificate === undefined && key !== undefined) {
    throw new UsageError("--keyfile without --certfile (init)", USAGE);
  }
  if (switches.has("acme") && certificate !== undefined) throw new UsageError("--acme beside --certfile (init)", USAGE);
  if (switches.has("acme")) return "acme";
  return certificate === undefined ? undefined : JSON.stringify([certificate, key ?? certificate]);
}

/** Two files, or one that has both. Names with blanks are for options. */
function readCertificate(text: string, reach: InitReach): InitCertificate {
  if (text === "new") return { kind: "new" };
  if (text === "acme") return readAcme(reach);
  const [certificate = "", key = certificate, ...others]: string[] = text.startsWith("[")
    ? JSON.parse(text)
    : text.split(/\s+/);
  if (others.length > 0) throw new UsageError("two files are needed, and no more (--certfile, --keyfile)", USAGE);
  return { kind: "files", certificate: resolve(certificate), key: resolve(key) };
}

/** A CA gives certificates for names that lead to the server from everywhere. */
function readAcme(reach: InitReach): InitCertificate {
  if (reach.kind === "name" && ipFamily(reach.name) === undefined) return { kind: "acme", name: reach.name };
  throw new UsageError("acme needs the name of the server on the internet (--from ftp.example.org)", USAGE);
}

function readService(text: string): InitPlan["service"] {
  const service = INIT_SERVICES.find((known) => known === text);
  if (service !== undefined) return service;
  throw new UsageError(`not one of ${INIT_SERVICES.join(", ")}: ${text} (--service)`, USAGE);
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (port <= MAX_PORT) return port;
  throw new UsageError(`not a port from 0 to ${MAX_PORT}: ${text} (--port)`, USAGE);
}
