/**
 * Transfers of an examination: listings, and small files there and back.
 *
 * @module
 */

import type { TransferEnd } from "./facts.ts";
import type { DataProtection, FtpClient, FtpReply } from "./ftp_client.ts";
import type { Wire } from "./wire.ts";
import { reasonOf, WireError } from "./wire_error.ts";

/** How data connections of a session are made. */
export interface DataWay extends DataProtection {
  /** By EPSV, or by PASV. */
  readonly isExtended: boolean;
}

/** How a transfer has ended, and what it has brought. */
export interface TransferResult<T> extends TransferEnd {
  readonly value?: T | undefined;
}

/** Largest listing that is read, in bytes: nobody looks at it. */
const MAX_LISTING_BYTES = 4 * 1024 * 1024;

/** Returns whether a transfer was completed. */
export function isComplete({ reply, failure }: TransferEnd): boolean {
  return failure === undefined && reply !== undefined && reply.code >= 200 && reply.code < 300;
}

/**
 * Runs a transfer. What the server refuses, and what goes wrong on the data connection, is in the result.
 *
 * @param move Moves the bytes; it ends the direction that it sends in.
 * @throws {WireError} When the control connection fails.
 */
export async function transfer<T>(
  client: FtpClient,
  line: string,
  way: DataWay,
  move: (data: Wire) => Promise<T>,
): Promise<TransferResult<T>> {
  const port = await client.askPassive(way);
  if ("code" in port) return { reply: port };
  let data: Wire;
  try {
    data = await client.dial(port.port);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { failure: `data connection to port ${port.port}: ${error.message}` };
  }
  await using open = data;
  await client.send(line);
  // Some servers, as vsftpd, make the handshake before they say 150, others after it.
  const secured = way.isProtected ? client.protect(open, way) : Promise.resolve();
  secured.catch(() => {}); // A refused transfer has no handshake
  const begun = await client.readReply(line);
  if (begun.code >= 200) return { reply: begun };
  let value: T | undefined;
  let failure: string | undefined;
  try {
    await secured;
    value = await move(open);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    failure = reasonOf(error);
    await open[Symbol.asyncDispose](); // So that the server does not wait for us, nor we for its reply
  }
  return { value, failure, reply: await client.readReply(line) };
}

/** Fetches a listing, and throws it away. */
export function list(client: FtpClient, way: DataWay): Promise<TransferEnd> {
  return transfer(client, "LIST", way, (data) => receive(data, MAX_LISTING_BYTES, "listing"));
}

/** Stores a file, ended in order. */
export function store(client: FtpClient, name: string, bytes: Uint8Array, way: DataWay): Promise<TransferEnd> {
  return transfer(client, `STOR ${name}`, way, async (data) => {
    await data.write(bytes);
    await data.finish();
    await untilEnd(data);
  });
}

/** Stores a file whose TLS connection ends by FIN alone. */
export function storeCut(client: FtpClient, name: string, bytes: Uint8Array, way: DataWay): Promise<TransferEnd> {
  return transfer(client, `STOR ${name}`, way, async (data) => {
    await data.write(bytes);
    await data.cut();
    await untilEnd(data);
  });
}

/** Takes what comes, and ends in order, too: some servers, as vsftpd, wait for our close_notify before they say 226. */
async function receive(data: Wire, maxBytes: number, what: string): Promise<Uint8Array> {
  const bytes = await data.readAll(maxBytes, what);
  try {
    await data.finish();
  } catch (error) {
    if (!(error instanceof WireError)) throw error; // It is the server that has closed the connection
  }
  return bytes;
}

/** Leaves the connection open until the server has taken everything: to close it earlier could reset it. */
async function untilEnd(data: Wire): Promise<void> {
  try {
    await data.readAll(0, "end of the upload");
  } catch (error) {
    if (!(error instanceof WireError)) throw error; // What has become of the upload, its reply tells
  }
}

/** Fetches a file that is not larger than expected. */
export function retrieve(
  client: FtpClient,
  name: string,
  maxBytes: number,
  way: DataWay,
): Promise<TransferResult<Uint8Array>> {
  return transfer(client, `RETR ${name}`, way, (data) => receive(data, maxBytes, "file"));
}

/** A reply as it is shown: its code, and its last line. */
export function replyText({ code, lines }: FtpReply): string {
  return reasonOf(new Error(`${code} ${lines.at(-1) ?? ""}`));
}
