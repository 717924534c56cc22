/**
 * What the command line asks of `ftpsd serve`, checked.
 *
 * @module
 */

import { given } from "../config/given.ts";
import { MAX_WORKERS } from "../config/worker_count.ts";
import { LOG_FORMATS, type LogFormat } from "../logger.ts";
import { ipFamily, isLinkLocal } from "../protocol/host_port.ts";
import type { FtpServerOptions, ListenOptions } from "../server/options.ts";
import { isAnnounceable, MAX_SECONDS } from "../server/resolve_settings.ts";
import { RISK_IDS, type RiskId } from "../settings/risks.ts";
import { UsageError } from "../check/exit_error.ts";
import { type ParsedArguments, SESSION_REUSE_MODES, TLS_POLICIES } from "./option_table.ts";

/** Everything that `ftpsd serve` needs to start. */
export interface ServeSettings {
  /** Folder to share, as given. */
  readonly directory: string;
  /** Whether somebody may write. */
  readonly write: boolean;
  /** Absent: anonymous. */
  readonly user: { readonly name: string; readonly password: PasswordSource } | undefined;
  readonly forceAnonymousWrite: boolean;
  /** Ids of accepted risks: those of `--accept-risk`, and those that an option of its own means. */
  readonly acceptedRisks: readonly RiskId[];
  readonly certificateFiles: { readonly certificate: string; readonly key: string } | undefined;
  readonly listen: readonly ListenOptions[];
  /** The rest of the server's options. */
  readonly server: Omit<FtpServerOptions, "authorizer" | "listen" | "onEvent" | "signal">;
  /** Event loops; `undefined` where the command line does not say. */
  readonly workers: number | "auto" | undefined;
  readonly log: { readonly format: LogFormat; readonly dialogue: boolean; readonly stacks: boolean };
}

/** Where the password comes from. */
export type PasswordSource = { readonly text: string } | { readonly file: string };

/**
 * Checks the options and what they mean together.
 *
 * @throws {UsageError} When one cannot be used.
 */
export function readServeSettings(args: ParsedArguments): ServeSettings {
  const { switches, values } = args;
  refuseContradictions(args);
  const verbose = switches.has("verbose") || switches.has("debug");
  return {
    directory: directoryOf(args),
    write: switches.has("write"),
    user: userOf(args),
    forceAnonymousWrite: switches.has("force-anonymous-write"),
    acceptedRisks: acceptedRisksOf(args),
    certificateFiles: certificateFilesOf(values),
    listen: listenOf(values),
    server: serverOptions(args),
    workers: workersOf(values),
    log: {
      format: oneOf(values, "log-format", LOG_FORMATS) ?? "pretty",
      dialogue: verbose,
      stacks: switches.has("debug"),
    },
  };
}

/** Options that mean nothing together: whoever gives them expects something that will not be. */
function refuseContradictions({ values }: ParsedArguments): void {
  for (const name of ["implicit-port", "certfile", "keyfile", "tls-session-reuse"]) {
    if (values.get("tls") !== "off" || !values.has(name)) continue;
    throw new UsageError(`--${name} without TLS (--tls off)`, `leave out --tls off, or --${name}`);
  }
}

function acceptedRisksOf({ switches, values, lists }: ParsedArguments): RiskId[] {
  const named = lists.get("accept-risk") ?? [];
  const unknown = named.find((id) => !RISK_IDS.some((known) => known === id));
  if (unknown !== undefined) {
    throw new UsageError(`there is no risk "${unknown}" (--accept-risk)`, `one of ${RISK_IDS.join(", ")}`, {
      unknownWord: { typed: unknown, known: RISK_IDS },
    });
  }
  const policy = values.get("tls") ?? "required";
  const meant: readonly (RiskId | false)[] = [
    policy === "off" || policy === "optional" ? "clear-text-control" : false,
    policy !== "required" && "clear-text-data",
    switches.has("permit-foreign-addresses") && "foreign-data-address",
    switches.has("permit-privileged-ports") && "privileged-data-port",
    values.has("password") && "plaintext-password",
  ];
  return [...named as RiskId[], ...meant.filter((id) => id !== false)];
}

function directoryOf({ operands, values }: ParsedArguments): string {
  const named = values.get("directory");
  if (operands.length > 1) {
    throw new UsageError(`one folder can be shared, not ${operands.length}: ${operands.join(" ")}`);
  }
  if (named !== undefined && operands.length > 0) {
    throw new UsageError(`the folder is given twice: ${operands[0]} and --directory ${named}`);
  }
  return named ?? operands[0] ?? ".";
}

function userOf({ values }: ParsedArguments): ServeSettings["user"] {
  const name = values.get("username");
  const text = values.get("password");
  const file = values.get("password-file");
  if (name === undefined) {
    if (text === undefined && file === undefined) return undefined;
    const option = text === undefined ? "--password-file" : "--password";
    throw new UsageError(`a password without a user (${option})`, "add --username NAME");
  }
  if (text !== undefined && file !== undefined) throw new UsageError("the password is given twice (--password-file)");
  if (name === "anonymous") {
    throw new UsageError(
      'user "anonymous" takes any password (--username)',
      "leave out --username for anonymous users",
    );
  }
  if (file !== undefined) return { name, password: { file } };
  if (text !== undefined) return { name, password: { text } };
  throw new UsageError(`user "${name}" has no password (--username)`, "add --password-file FILE");
}

function certificateFilesOf(values: ReadonlyMap<string, string>): ServeSettings["certificateFiles"] {
  const certificate = values.get("certfile");
  const key = values.get("keyfile");
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) {
    throw new UsageError("a key without its certificate (--keyfile)", "add --certfile FILE");
  }
  if (key === undefined) throw new UsageError("a certificate without its key (--certfile)", "add --keyfile FILE");
  return { certificate, key };
}

function listenOf(values: ReadonlyMap<string, string>): ListenOptions[] {
  const host = values.get("interface") ?? "127.0.0.1";
  if (ipFamily(host) === undefined) {
    throw new UsageError(`"${host}" is not a numeric address (--interface)`, "--interface 0.0.0.0 for all of IPv4");
  }
  if (isLinkLocal(host)) {
    throw new UsageError(`cannot listen on ${host}: Deno knows no IPv6 zones (--interface)`, "--interface ::");
  }
  const port = wholeNumber(values, "port", 0, MAX_PORT) ?? 2121;
  const implicitPort = wholeNumber(values, "implicit-port", 0, MAX_PORT);
  if (implicitPort === undefined) return [{ host, port }];
  if (implicitPort === port && port > 0) {
    throw new UsageError(`port ${port} is given twice (--implicit-port)`, "--implicit-port 990");
  }
  return [{ host, port }, { host, port: implicitPort, tls: "implicit" }];
}

function serverOptions({ switches, values }: ParsedArguments): ServeSettings["server"] {
  const address = values.get("nat-address");
  if (address !== undefined && !isAnnounceable(address)) {
    throw new UsageError(
      `"${address}" is not a numeric IPv4 address of a host (--nat-address)`,
      "--nat-address 203.0.113.7",
    );
  }
  return {
    tls: given({
      policy: oneOf(values, "tls", TLS_POLICIES),
      sessionReuse: oneOf(values, "tls-session-reuse", SESSION_REUSE_MODES),
    }),
    passive: given({
      ports: rangeOf(values.get("range")),
      address,
      foreignAddresses: isOn(switches, "permit-foreign-addresses"),
    }),
    active: given({
      enabled: isOn(switches, "active"),
      foreignAddresses: isOn(switches, "permit-foreign-addresses"),
      privilegedPorts: isOn(switches, "permit-privileged-ports"),
    }),
    ...given({ times: switches.has("use-localtime") ? "local" as const : undefined }),
    timeouts: given({ idle: seconds(values, "timeout") }),
    limits: given({
      connections: wholeNumber(values, "max-cons", 0),
      connectionsPerAddress: wholeNumber(values, "max-cons-per-ip", 0),
      loginAttempts: wholeNumber(values, "max-login-attempts", 0),
    }),
    ...given({ banner: values.get("banner"), encoding: values.get("encoding") }),
    dialogue: switches.has("verbose") || switches.has("debug"),
  };
}

/** `true`, or not given: a switch can put on what is off by default, never the other way. */
function isOn(switches: ReadonlySet<string>, name: string): true | undefined {
  return switches.has(name) ? true : undefined;
}

const MAX_PORT = 65535;

function rangeOf(text: string | undefined): { from: number; to: number } | undefined {
  if (text === undefined) return undefined;
  const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(text)?.map(Number) ?? [];
  if (from === undefined || to === undefined || from < 1 || to > MAX_PORT || from > to) {
    throw new UsageError(`"${text}" is not a range of ports 1 to 65535 (--range)`, "--range 50000-50100");
  }
  return { from, to };
}

function wholeNumber(
  values: ReadonlyMap<string, string>,
  name: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
  throw new UsageError(`"${text}" is not a whole number, ${range} (--${name})`);
}

function workersOf(values: ReadonlyMap<string, string>): number | "auto" | undefined {
  return values.get("workers") === "auto" ? "auto" : wholeNumber(values, "workers", 1, MAX_WORKERS);
}

function seconds(values: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  const number = /^\d{1,7}(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (number <= MAX_SECONDS) return number;
  throw new UsageError(`"${text}" is not a number of seconds, 0 to ${MAX_SECONDS} (--${name})`);
}

/**
 * Reads the value of an option that has a few.
 *
 * @throws {UsageError} When it is none of them.
 */
export function oneOf<Choice extends string>(
  values: ReadonlyMap<string, string>,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  const choice = choices.find((choice) => choice === text);
  if (choice !== undefined) return choice;
  throw new UsageError(`"${text}" is none of ${choices.join(", ")} (--${name})`, undefined, {
    unknownWord: { typed: text, known: choices },
  });
}
