/**
 * Finds out how a port begins, which versions of TLS it takes, and which certificates it shows.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { alternativeNames, coversHost } from "../protocol/certificate_name.ts";
import { TLS_VERSIONS, type TlsVersionName, VERSION_NUMBERS, writeClientHello } from "./client_hello.ts";
import type { Examination, Notes } from "./facts.ts";
import type { FtpClient } from "./ftp_client.ts";
import type { Patience } from "./patience.ts";
import { readServerAnswer, type ServerAnswer } from "./server_hello.ts";
import { openSession, type SessionOptions } from "./session.ts";
import { replyText } from "./transfers.ts";
import { Wire } from "./wire.ts";
import { reasonOf, WireError } from "./wire_error.ts";

/** Most bytes of an answer: a chain of certificates is some thousand. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Most pieces that it may come in. */
const MAX_ANSWER_PIECES = 200;
/** Most certificates that are looked at. */
const MAX_CERTIFICATES = 10;
const DIGIT_1 = 0x31;
const DIGIT_5 = 0x35;

/** Notes how the port begins, and the address that was reached. */
export async function observeMode(notes: Notes, examination: Examination, patience: Patience): Promise<void> {
  const { mode } = examination;
  let address = "";
  try {
    await using wire = await Wire.dial(examination, patience);
    address = wire.address;
    notes.note("connection", { address });
    if (mode === "explicit") await wire.readLine("greeting");
    else if (await answersInClear(wire, examination)) return notes.note("mode", "explicit");
    notes.note("mode", mode);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (address === "") notes.note("connection", { failure: reasonOf(error) });
    else if (mode === "explicit" && await speaksTls(examination, patience)) notes.note("mode", "implicit");
    else notes.note("greeting", { failure: reasonOf(error) });
  }
}

/** Sends a ClientHello to a port that is said to be implicit; returns whether a reply of FTP comes back. */
async function answersInClear(wire: Wire, { host, name = host }: Examination): Promise<boolean> {
  await wire.write(writeClientHello("TLS 1.2", name));
  const [first = 0] = await wire.read("TLS handshake") ?? [];
  return first >= DIGIT_1 && first <= DIGIT_5;
}

async function speaksTls(examination: Examination, patience: Patience): Promise<boolean> {
  try {
    await using wire = await Wire.dial(examination, patience);
    const { version, alert } = await ask(wire, "TLS 1.2", examination);
    return version !== undefined || alert !== undefined;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return false;
  }
}

/** Notes which versions the server takes, and the certificates that it sends in clear. */
export async function observeVersions(notes: Notes, options: SessionOptions): Promise<void> {
  const versions = new Map<TlsVersionName, boolean>();
  for (const version of TLS_VERSIONS) {
    try {
      await using wire = await openForTls(options);
      const answer = await ask(wire.connection, version, options.examination);
      versions.set(version, answer.version === VERSION_NUMBERS[version]);
      noteCertificates(notes, answer);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      notes.skip(["versions", "certificates"], reasonOf(error));
    }
  }
  if (versions.size > 0) notes.note("versions", versions);
}

/** Takes certificates that came in clear, unless a handshake has shown that the server has another. */
function noteCertificates(notes: Notes, { certificates = [] }: ServerAnswer): void {
  const read = certificates.slice(0, MAX_CERTIFICATES).map((der) => readCertificate(der));
  const [leaf] = read;
  const proven = notes.look("fingerprint");
  if (leaf !== undefined && (proven === undefined || proven === leaf.fingerprint256)) notes.note("certificates", read);
}

/** Reads certificates out of the handshake of this runtime. */
export function certificatesOf(wire: Wire): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = wire.tls?.getPeerCertificate(true);
  while (next?.raw !== undefined && chain.length < MAX_CERTIFICATES) {
    chain.push(readCertificate(next.raw));
    // A self-signed one is its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

/** Reads a certificate, and everything in it that checks look at: whoever has made it may have made it to be a trap. */
function readCertificate(der: Uint8Array): X509Certificate {
  try {
    const lines = der.toBase64().match(/.{1,64}/g) ?? [];
    const read = new X509Certificate(`-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`);
    void [read.subject, read.issuer, read.subjectAltName, read.ca];
    for (const date of [read.validFrom, read.validTo]) new Date(date).toISOString();
    return read;
  } catch (cause) {
    throw new WireError("failed", "a certificate of the server cannot be read", { cause });
  }
}

interface OpenForTls extends AsyncDisposable {
  readonly connection: Wire;
}

/** A connection on which the ClientHello comes next. */
async function openForTls(options: SessionOptions): Promise<OpenForTls> {
  const { mode, examination, patience } = options;
  if (mode === "implicit") {
    const wire = await Wire.dial(examination, patience);
    return { connection: wire, [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose]() };
  }
  const client: FtpClient = await openSession(options);
  const opened = { connection: client.wire, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
  try {
    const reply = await client.command("AUTH TLS");
    if (reply.code === 234) return opened;
    throw new WireError("failed", `AUTH TLS gets ${replyText(reply)}`);
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

/** Asks for a version. A server that just closes the connection refuses it. */
async function ask(wire: Wire, version: TlsVersionName, { host, name = host }: Examination): Promise<ServerAnswer> {
  await wire.write(writeClientHello(version, name));
  let received = new Uint8Array(0);
  let answer: ServerAnswer = { isWhole: false };
  for (let pieces = 0; !answer.isWhole && received.length < MAX_ANSWER_BYTES && pieces < MAX_ANSWER_PIECES; pieces++) {
    const piece = await readOrEnd(wire);
    if (piece === undefined) break;
    received = new Uint8Array([...received, ...piece]);
    answer = readServerAnswer(received);
  }
  return answer;
}

async function readOrEnd(wire: Wire): Promise<Uint8Array | undefined> {
  try {
    return await wire.read("answer to the TLS handshake");
  } catch (error) {
    if (error instanceof WireError && error.kind === "failed") return undefined; // As a reset
    throw error;
  }
}

/** Returns whether a certificate is for a name or an address. */
export function isFor({ subjectAltName = "" }: X509Certificate, name: string): boolean {
  return alternativeNames(subjectAltName).some((own) => coversHost(own, name));
}
