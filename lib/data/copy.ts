/**
 * The copy loops between files and data connections.
 *
 * @module
 */

import { batchesOf } from "../filesystem/entry_batches.ts";
import type { ReadableFile, WritableFile } from "../filesystem/filesystem.ts";
import { AsciiDecoder, AsciiEncoder } from "../protocol/ascii.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import type { Connection } from "../transport/connection.ts";
import type { Transfer } from "./transfer.ts";

/** Most bytes of a file in one piece; a download holds two. */
const MAX_PIECE_BYTES = 512 * 1024;
/** Least bytes of a file in one piece, where the network is slow. */
const SMALLEST_PIECE_BYTES = 16 * 1024;
/** Room behind what is expected of a file, so that its end shows: a read that does not fill its buffer. */
const END_BYTES = 1024;
/** A piece that goes out faster lets the next be larger; after one that takes longer the next is what that time takes. */
const FAST_PIECE_MS = 50;
const SLOW_PIECE_MS = 1000;

/** How a file's bytes are written on the wire (RFC 959 §3.1.1). */
export interface CopyOptions {
  /** Whether line ends are converted: LF in the file, CR LF on the wire. */
  readonly ascii: boolean;
}

/** Sends a file from its position to its end, reading ahead while the network takes the piece before. */
export async function sendFile(
  file: ReadableFile,
  connection: Connection,
  transfer: Transfer,
  options: CopyOptions,
): Promise<void> {
  const encoder = options.ascii ? new AsciiEncoder() : undefined;
  let pieceBytes = 4 * SMALLEST_PIECE_BYTES;
  let leftBytes = file.size;
  let current: Uint8Array = new Uint8Array(Math.min(pieceBytes, leftBytes + END_BYTES));
  let spare: Uint8Array | undefined;
  let reading = readAhead(file, current, transfer);
  try {
    for (let count = await reading; count !== null; count = await reading) {
      const piece = current.subarray(0, count);
      leftBytes = Math.max(0, leftBytes - count);
      // What is longer than it was said to be is read in whole pieces
      const isLonger = leftBytes === 0 && count === current.length;
      const next = findRoom(isLonger ? pieceBytes : Math.min(pieceBytes, leftBytes + END_BYTES), current, count, spare);
      reading = readAhead(file, next.subarray(0, pieceBytes), transfer);
      const startedAt = performance.now();
      await sendBytes(encoder?.convert(piece) ?? piece, connection, transfer);
      pieceBytes = nextPieceBytes(pieceBytes, performance.now() - startedAt);
      spare = next.buffer === current.buffer ? undefined : current;
      current = next;
    }
  } finally {
    // The file must not be closed under a read; a failure of this read came after the one that is on its way.
    await reading.catch(() => null);
  }
  if (encoder !== undefined) await sendBytes(encoder.flush(), connection, transfer);
}

/**
 * Finds room for the next piece: the buffer of the one before, if there was one, or what the last piece has left of its
 * own, as a small file does, or a new one.
 */
function findRoom(bytes: number, last: Uint8Array, lastBytes: number, spare: Uint8Array | undefined): Uint8Array {
  if (spare !== undefined && spare.length >= bytes) return spare;
  const rest = last.subarray(lastBytes);
  return spare === undefined && rest.length >= bytes ? rest : new Uint8Array(bytes);
}

function readAhead(file: ReadableFile, buffer: Uint8Array, { signal }: Transfer): Promise<number | null> {
  const reading = file.read(buffer, { signal });
  reading.catch(() => {}); // reported where it is awaited, which may be later
  return reading;
}

function nextPieceBytes(pieceBytes: number, elapsedMs: number): number {
  if (elapsedMs < FAST_PIECE_MS) return Math.min(pieceBytes * 2, MAX_PIECE_BYTES);
  if (elapsedMs < SLOW_PIECE_MS) return pieceBytes;
  const bytesInTime = pieceBytes * SLOW_PIECE_MS / elapsedMs;
  return Math.max(Math.floor(bytesInTime), SMALLEST_PIECE_BYTES);
}

/** Receives to the end of the stream. What came before a failure is in the file. */
export async function receiveFile(
  file: WritableFile,
  connection: Connection,
  transfer: Transfer,
  options: CopyOptions,
): Promise<void> {
  const decoder = options.ascii ? new AsciiDecoder() : undefined;
  const { signal } = transfer;
  for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) {
    const restMs = transfer.moved(bytes.length);
    await file.write(decoder?.convert(bytes) ?? bytes, { signal });
    if (restMs > 0) await transfer.rest(restMs);
  }
  if (decoder !== undefined) await file.write(decoder.flush(), { signal });
}

/** Sends the text of each item, gathered into larger pieces, while the next piece is gathered. */
export async function sendLines<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  format: (item: Item) => string,
  connection: Connection,
  transfer: Transfer,
  encoding: TextEncoding,
): Promise<void> {
  let gathered = "";
  let sending = Promise.resolve();
  for await (const batch of batchesOf(items)) {
    transfer.touch(); // a directory may be long, and slow to read
    for (const item of batch) {
      gathered += format(item);
      if (gathered.length < LISTING_CHUNK_CHARACTERS) continue;
      await sending;
      sending = sendBytes(encoding.encode(gathered), connection, transfer);
      sending.catch(() => {}); // reported where it is awaited, which may be later
      gathered = "";
    }
  }
  await sending;
  await sendBytes(encoding.encode(gathered), connection, transfer);
}

const LISTING_CHUNK_CHARACTERS = 64 * 1024;

async function sendBytes(bytes: Uint8Array, connection: Connection, transfer: Transfer): Promise<void> {
  if (bytes.length === 0) return;
  const restMs = await transfer.send(connection, bytes);
  if (restMs > 0) await transfer.rest(restMs);
}
