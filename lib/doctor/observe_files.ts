/**
 * Finds out what becomes of files: some are stored, fetched, and removed again.
 *
 * @module
 */

import type { Notes, RoundTrip, TransferEnd } from "./facts.ts";
import type { FtpClient } from "./ftp_client.ts";
import { logInAgain, openProtected, openSession, protectData, type SessionOptions } from "./session.ts";
import { type DataWay, isComplete, replyText, retrieve, store, storeCut } from "./transfers.ts";
import { WireError } from "./wire_error.ts";

/** Sizes of the files: nothing, one byte, and a byte more than usual buffers, records of TLS and windows of TCP. */
const SIZES = [0, 1, 16_385, 65_537, 1_048_577] as const;
/** Size of the file whose upload is cut. */
const CUT_BYTES = 1000;
/** Most random bytes that one call gives (Web Cryptography §10.1.1). */
const MAX_RANDOM_BYTES = 65_536;

/** A name that nobody has. */
export function newFileName(): string {
  return `ftpsd-doctor-${crypto.getRandomValues(new Uint8Array(8)).toHex()}.tmp`;
}

/** Stores files and fetches them, and notes how they came back and what the server says of their time. */
export async function observeFiles(notes: Notes, options: SessionOptions): Promise<void> {
  const name = newFileName();
  const trips: RoundTrip[] = [];
  expectLeftover(notes, name);
  let client: FtpClient | undefined;
  try {
    for (const bytes of SIZES) {
      if (client === undefined || isReuseDemanded(notes)) {
        await client?.[Symbol.asyncDispose]();
        client = await openForFiles(notes, options);
      }
      const trip = await roundTrip(client, name, bytes, await wayOf(notes, client));
      trips.push(trip);
      notes.note("roundTrips", [...trips]);
      if (trip.problem !== undefined) break;
      if (trips.length === 1) await observeTime(notes, client, name);
    }
    if (client !== undefined) await remove(notes, client, name, { isStored: trips.some(({ isStored }) => isStored) });
    await client?.quit();
  } finally {
    await client?.[Symbol.asyncDispose]();
  }
  if (trips.some(({ problem }) => problem !== undefined)) {
    notes.skip(["fileTime", "cutUpload"], "a plain upload does not do, either");
  }
}

/** Each ticket of TLS 1.3 is used once by this runtime, so that a session can run out of them: another one gets new ones. */
function isReuseDemanded(notes: Notes): boolean {
  const [offered, fresh] = [notes.look("listing"), notes.look("freshListing")];
  return offered !== undefined && fresh !== undefined && isComplete(offered) && !isComplete(fresh);
}

/** Asks for protection where there is TLS, and tells how data connections are made. */
async function wayOf(notes: Notes, client: FtpClient): Promise<DataWay> {
  const isProtected = client.wire.tls !== undefined && await protectData(client) === undefined;
  return { isExtended: notes.look("epsv") === true, isProtected, offersSession: true };
}

/** Notes what becomes of an upload that ends without close_notify. */
export async function observeCutUpload(notes: Notes, options: SessionOptions): Promise<void> {
  await using client = await openForFiles(notes, options);
  const way = await wayOf(notes, client);
  if (!way.isProtected) return notes.skip(["cutUpload"], "PROT P is refused");
  const name = newFileName();
  expectLeftover(notes, name);
  try {
    const end = await storeCut(client, name, new Uint8Array(CUT_BYTES), way);
    notes.note("cutUpload", end);
    await remove(notes, client, name, { isStored: isComplete(end) });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    notes.note("cutUpload", { failure: error.message });
  }
}

/** Removes, in a session of its own, what could not be removed before. */
export async function removeLeftovers(notes: Notes, options: SessionOptions): Promise<void> {
  const names = notes.look("leftovers") ?? [];
  if (names.length === 0 || notes.look("login")?.reply.code !== 230) return;
  await using client = await openForFiles(notes, options);
  for (const name of names) await remove(notes, client, name, { isStored: false });
  await client.quit();
}

/** Opens another session, in the folder where files are stored. */
async function openForFiles(notes: Notes, options: SessionOptions): Promise<FtpClient> {
  const { folder } = options.examination;
  const client = await (notes.look("handshake") === undefined ? openSession(options) : openProtected(options));
  try {
    await logInAgain(notes, client, options.examination);
    await client.command("TYPE I");
    if (folder === undefined) return client;
    const reply = await client.command(`CWD ${folder}`);
    if (reply.code === 250) return client;
    throw new WireError("failed", `CWD to the folder gets "${replyText(reply)}"`);
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

async function roundTrip(client: FtpClient, name: string, bytes: number, way: DataWay): Promise<RoundTrip> {
  const content = randomContent(bytes);
  const stored = await store(client, name, content, way);
  if (!isComplete(stored)) return { bytes, isStored: false, problem: `the upload ends with ${describeEnd(stored)}` };
  const isStored = true;
  const fetched = await retrieve(client, name, bytes + MAX_RANDOM_BYTES, way);
  if (!isComplete(fetched)) return { bytes, isStored, problem: `the download ends with ${describeEnd(fetched)}` };
  const { value = new Uint8Array(0) } = fetched;
  if (value.length !== bytes) return { bytes, isStored, problem: `${value.length} bytes come back` };
  const isSame = await sha256(value) === await sha256(content);
  return { bytes, isStored, ...isSame ? {} : { problem: "other bytes come back" } };
}

/** How a transfer ended that should have ended otherwise, in a few words. */
export function describeEnd({ reply, failure }: TransferEnd): string {
  return [...reply === undefined ? [] : [`"${replyText(reply)}"`], ...failure === undefined ? [] : [failure]].join(
    ", ",
  );
}

/** Random bytes, but for line ends at their beginning, which a server would convert that does not obey TYPE I. */
function randomContent(length: number): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(length);
  for (let at = 0; at < length; at += MAX_RANDOM_BYTES) {
    crypto.getRandomValues(content.subarray(at, at + MAX_RANDOM_BYTES));
  }
  content.set(new TextEncoder().encode("a\nb\r\nc\rd\0\xff").subarray(0, length));
  return content;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toHex();
}

/** Asks for the time of a file that was stored right now. */
async function observeTime(notes: Notes, client: FtpClient, name: string): Promise<void> {
  const stored = new Date();
  const reply = await client.command(`MDTM ${name}`);
  const told = reply.code === 213 ? parseTime(reply.lines.join(" ")) : undefined;
  if (told === undefined) notes.skip(["fileTime"], `MDTM gets "${replyText(reply)}"`);
  else notes.note("fileTime", { told, stored });
}

/** Reads a time of RFC 3659 §2.3. */
function parseTime(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = /(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(text)?.map(Number) ??
    [];
  if (year === undefined || month === undefined) return undefined;
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** Notes that a file may be left behind, until it is known to be gone. */
export function expectLeftover(notes: Notes, name: string): void {
  notes.note("leftovers", [...notes.look("leftovers") ?? [], name]);
}

/** Removes a file, and notes that nothing is left of it. */
export async function remove(
  notes: Notes,
  client: FtpClient,
  name: string,
  { isStored }: { readonly isStored: boolean },
): Promise<void> {
  const { code } = await client.command(`DELE ${name}`);
  const isDeleted = code >= 200 && code < 300;
  // There is nothing to remove, where nothing was stored.
  const isGone = isDeleted || (!isStored && (await client.command(`SIZE ${name}`)).code !== 213);
  if (isGone) notes.note("leftovers", (notes.look("leftovers") ?? []).filter((left) => left !== name));
}
