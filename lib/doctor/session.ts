/**
 * Sessions of an examination: from the connection to the login.
 *
 * @module
 */

import type { Examination, Notes, TlsMode } from "./facts.ts";
import { FtpClient, type FtpReply, type FtpTarget } from "./ftp_client.ts";
import type { Patience } from "./patience.ts";
import { replyText } from "./transfers.ts";
import { shown, WireError } from "./wire_error.ts";

/** What sessions of one examination have in common. */
export interface SessionOptions {
  readonly examination: Examination;
  /** How the port begins in truth. */
  readonly mode: TlsMode;
  readonly patience: Patience;
}

/** How sessions are begun. The authorities of `--ca` are asked once, by {@linkcode verify}. */
export function targetOf({ examination, mode }: SessionOptions, ca?: string): FtpTarget {
  const { host, port, name = host } = examination;
  return { host, port, isImplicit: mode === "implicit", tls: { name, ca } };
}

/** Connects and reads the greeting; the mode says whether TLS comes first. */
export async function openSession(options: SessionOptions, ca?: string): Promise<FtpClient> {
  const client = await FtpClient.connect(targetOf(options, ca), options.patience);
  try {
    const greeting = await client.readReply("the connection");
    if (greeting.code !== 220) throw new WireError("failed", `the server greets with ${replyText(greeting)}`);
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

/** The same, and TLS where it is explicit. */
export async function openProtected(options: SessionOptions, ca?: string): Promise<FtpClient> {
  const client = await openSession(options, ca);
  try {
    if (options.mode === "explicit") {
      const reply = await client.command("AUTH TLS");
      if (reply.code !== 234) throw new WireError("failed", `AUTH TLS gets ${replyText(reply)}`);
      await client.startTls();
    }
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

/** What this runtime has against a certificate, by the name that OpenSSL has for it. */
export function problemOf(client: FtpClient): string | undefined {
  const error: unknown = client.wire.tls?.authorizationError;
  if (error === undefined || error === null) return undefined;
  const { code } = error as { readonly code?: unknown };
  return shown(typeof code === "string" ? code : String(error));
}

/**
 * Verifies the certificate of a session that has none of the authorities of `--ca`: a connection of its own has them, and has to
 * show the same certificate.
 */
export async function verify(client: FtpClient, options: SessionOptions): Promise<string | undefined> {
  const { ca } = options.examination;
  if (ca === undefined) return problemOf(client);
  await using other = await openProtected(options, ca);
  return problemOf(other) ?? (other.wire.fingerprint === client.wire.fingerprint ? undefined : "ANOTHER_CERTIFICATE");
}

/** Logs in; the last reply is returned. The password is in no message. */
export async function logIn(
  client: FtpClient,
  { user, password }: NonNullable<Examination["account"]>,
): Promise<FtpReply> {
  const reply = await client.command(`USER ${user}`);
  return reply.code === 331 ? await client.command(`PASS ${password}`, "PASS") : reply;
}

/**
 * Logs in once more, in another session.
 *
 * @throws {WireError} When it is not the server that was verified, or it refuses.
 */
export async function logInAgain(notes: Notes, client: FtpClient, { account, isInsecure }: Examination): Promise<void> {
  if (account === undefined) throw new WireError("failed", "nobody logs in");
  if (!isInsecure && client.wire.fingerprint !== notes.look("fingerprint")) {
    throw new WireError("failed", "another certificate than before");
  }
  const reply = await logIn(client, account);
  if (reply.code !== 230) throw new WireError("failed", `the login gets ${replyText(reply)}`);
}

/** Asks for protected data connections; the reply that refuses them is returned. */
export async function protectData(client: FtpClient): Promise<FtpReply | undefined> {
  for (const line of ["PBSZ 0", "PROT P"]) {
    const reply = await client.command(line);
    if (reply.code !== 200) return reply;
  }
  return undefined;
}
