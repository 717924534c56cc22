/**
 * Why a CA gives no certificate, in words that tell what to do.
 *
 * @module
 */

/** What kind of failure it is. */
export type AcmeFailure =
  /** The CA does not answer, or answers that it cannot now. */
  | "unreachable"
  /** The CA wants to be asked later. */
  | "rateLimited"
  /** The CA did not get what it asked this server for. */
  | "refusedValidation"
  /** The CA does not know the account, or wants it to be bound to another one. */
  | "refusedAccount"
  /** It refuses this order, as for a name that it gives no certificates for. */
  | "refusedOrder"
  /** What it says makes no sense. */
  | "badAnswer"
  /** The order did not end in time. */
  | "late"
  /** Something of this host: a port, a file, a permission. */
  | "local";

/** What else is known. */
export interface AcmeErrorOptions extends ErrorOptions {
  /** `type` of the CA's problem document, without `urn:ietf:params:acme:error:`. */
  readonly type?: string | undefined;
  /** How long the CA wants not to be asked, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Name that it is about. */
  readonly name?: string | undefined;
}

/** A failure on the way to a certificate. Its message is one line; what the CA said in it is quoted as it came, but printable. */
export class AcmeError extends Error {
  override readonly name = "AcmeError";
  readonly kind: AcmeFailure;
  readonly type: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: AcmeFailure, message: string, { type, retryAfterMs, name, ...options }: AcmeErrorOptions = {}) {
    super(name === undefined ? message : `${name}: ${message}`, options);
    this.kind = kind;
    this.type = type;
    this.retryAfterMs = retryAfterMs;
  }

  /** What somebody can do about it. */
  get hint(): string {
    return HINTS[this.type ?? ""] ?? HINTS_OF_KINDS[this.kind];
  }
}

/** Longest text of a CA that is shown. */
const MAX_TEXT = 500;

/** A problem document (RFC 7807), as far as it is of use. */
export interface Problem {
  readonly type: string;
  readonly detail: string;
  /** Name that it is about. */
  readonly name?: string | undefined;
}

/** Reads a problem document, the first of several in one. Whatever it is, it gives a text. */
export function readProblem(given: unknown): Problem {
  const { type, detail, subproblems, identifier } = isObject(given) ? given : {};
  const [first] = Array.isArray(subproblems) ? subproblems : [];
  if (isObject(first)) {
    const inner = readProblem(first);
    const { value } = isObject(first.identifier) ? first.identifier : {};
    return { ...inner, name: typeof value === "string" ? printable(value) : undefined };
  }
  const { value } = isObject(identifier) ? identifier : {};
  return {
    type: typeof type === "string" ? printable(type.replace(/^urn:ietf:params:acme:error:/, "")) : "",
    detail: typeof detail === "string" ? printable(detail) : "no reason given",
    name: typeof value === "string" ? printable(value) : undefined,
  };
}

/** Makes an error of a problem document. */
export function problemError(
  problem: Problem,
  { status, retryAfterMs, name = problem.name }: {
    readonly status?: number;
    readonly retryAfterMs?: number | undefined;
    readonly name?: string | undefined;
  } = {},
): AcmeError {
  const { type, detail } = problem;
  const kind = KINDS[type] ?? (status !== undefined && status >= 500 ? "unreachable" : "refusedOrder");
  const message = `${VERDICTS[type] ?? DEFAULT_VERDICTS[kind] ?? "the CA refuses"}: ${detail}`;
  return new AcmeError(status === 429 ? "rateLimited" : kind, message, { type, retryAfterMs, name });
}

const KINDS: Readonly<Record<string, AcmeFailure>> = {
  rateLimited: "rateLimited",
  connection: "refusedValidation",
  dns: "refusedValidation",
  caa: "refusedValidation",
  unauthorized: "refusedValidation",
  incorrectResponse: "refusedValidation",
  tls: "refusedValidation",
  accountDoesNotExist: "refusedAccount",
  externalAccountRequired: "refusedAccount",
  unsupportedContact: "refusedAccount",
  invalidContact: "refusedAccount",
  userActionRequired: "refusedAccount",
  badPublicKey: "refusedAccount",
  badSignatureAlgorithm: "refusedAccount",
  serverInternal: "unreachable",
};

const VERDICTS: Readonly<Record<string, string>> = {
  connection: "the CA could not reach this server on port 80",
  dns: "the CA cannot find the address of the name",
  caa: "a CAA record of the domain forbids this CA",
  unauthorized: "what answers on port 80 is not this server",
  incorrectResponse: "what answers on port 80 is not this server",
  tls: "port 80 was led to a server with TLS that the CA does not accept",
  rateLimited: "the CA has a limit, which is reached",
  rejectedIdentifier: "the CA gives no certificate for the name",
  externalAccountRequired: "the CA wants to know whose account it is",
};

const DEFAULT_VERDICTS: Partial<Record<AcmeFailure, string>> = {
  refusedAccount: "the CA refuses the account",
  unreachable: "the CA cannot answer now",
  refusedOrder: "the CA refuses the order",
};

const HINTS: Readonly<Record<string, string>> = {
  connection:
    "open port 80 of the firewall, and lead it to tls.acme.httpPort of this host; the CA always asks on port 80",
  dns: "the name needs an A or AAAA record that leads to this host",
  caa: "add the CA to the CAA record of the domain, or remove the record",
  unauthorized:
    "the name leads to another host, or another web server has port 80; let that one forward /.well-known/acme-challenge/",
  incorrectResponse:
    "the name leads to another host, or another web server has port 80; let that one forward /.well-known/acme-challenge/",
  tls: "the redirect to https on port 80 is not needed for /.well-known/acme-challenge/; forward that path",
  rejectedIdentifier:
    "a public CA gives certificates for public names only; for others run a CA of your own, or ftpsd cert",
  externalAccountRequired: "give tls.acme.externalAccount with the id and the key that the CA has handed out",
  accountDoesNotExist: "the CA has forgotten the account; the next attempt makes another one",
};

const HINTS_OF_KINDS: Readonly<Record<AcmeFailure, string>> = {
  unreachable: "look whether this host reaches tls.acme.directory: curl -v DIRECTORY",
  rateLimited: "wait; try changes with ftpsd cert acme --staging, where limits are wide",
  refusedValidation: "ftpsd cert acme --staging tries it anew without touching anything",
  refusedAccount: "look at tls.acme.email and tls.acme.externalAccount",
  refusedOrder: "look at tls.acme.domains",
  badAnswer: "look whether tls.acme.directory is the address of an ACME directory",
  late: "try again; the CA is slow, or could not reach this server",
  local: "ftpsd check tells what this host lacks",
};

/** A text of elsewhere on one line, and not endless. */
export function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line;
}

/** Returns whether a value is an object with keys. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
