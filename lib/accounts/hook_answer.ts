/**
 * What a server and an HTTP hook for accounts say to each other.
 *
 * @module
 */

import { type AccountEntry, AccountRowError } from "./account_entries.ts";
import type { Credentials } from "./authorizer.ts";
import { isDeeper } from "./json_depth.ts";

/** Number of the form of requests; it changes when a hook would have to. */
export const HOOK_VERSION = 1;

/** What a hook is asked. */
export interface HookRequest {
  readonly version: typeof HOOK_VERSION;
  /** What the client gave as its name, verbatim. */
  readonly username: string;
  readonly password: string;
  /** Numeric address of the client. */
  readonly address: string;
  /** Which of several servers asks; absent: there is only one. */
  readonly node?: string;
  /** How the control connection is protected; absent: it is in clear. */
  readonly tls?: {
    readonly protocol: string;
    readonly cipher: string;
    /** What the client has shown, and the server has verified; absent: nothing. */
    readonly certificate?: { readonly subject: string; readonly fingerprint: string };
  };
}

/** Most bytes of an answer, and how deep it may go: the file's own accounts go no deeper than five. */
export const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_DEPTH = 8;

/** Makes what is asked. */
export function toRequest({ username, password, remoteHost, tls }: Credentials, node: string | undefined): HookRequest {
  const shown = tls?.peerCertificate;
  return {
    version: HOOK_VERSION,
    username,
    password,
    address: remoteHost,
    ...node !== undefined && { node },
    ...tls !== undefined && {
      tls: {
        protocol: tls.protocol,
        cipher: tls.cipher,
        ...shown !== undefined && { certificate: { subject: shown.subject, fingerprint: shown.fingerprint } },
      },
    },
  };
}

/**
 * Reads what a hook answers with 200: an entry of `users` without a password.
 *
 * @throws {SyntaxError} When that is no JSON, or no mapping: then it is no hook that answers.
 * @throws {AccountRowError} When it cannot be an account. The message has none of its values.
 */
export function parseAnswer(text: string, asked: string): AccountEntry {
  const given = parseJson(text);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new SyntaxError("Cannot use the answer: it is not a mapping");
  }
  if (isDeeper(given, MAX_DEPTH)) throw new AccountRowError(`the answer is nested more than ${MAX_DEPTH} deep`);
  const { name = asked, ...others } = given as { readonly name?: unknown };
  if (typeof name !== "string" || name === "") throw new AccountRowError("the name of the answer is no text");
  if ("password" in others) throw new AccountRowError("the answer has a password, which the hook keeps to itself");
  return { ...others, name };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError("Cannot use the answer: it is not JSON"); // the parser's words would show what it holds
  }
}
