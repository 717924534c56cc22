/**
 * Digests of files: HASH (draft-bryan-ftpext-hash) and its forerunners XCRC, XMD5, XSHA1, XSHA256, XSHA512.
 *
 * A digest is that of the file's bytes, whatever TYPE is. Both ends of a range are byte offsets, the second one not included.
 *
 * @module
 */

import { yieldToEventLoop } from "../deadline.ts";
import { type CallOptions, HASH_ALGORITHMS, type HashAlgorithm, type ReadableFile } from "../filesystem/filesystem.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { closeFile, type CommandContext, type CommandRequest, requestPath } from "./command.ts";

const PIECE_BYTES = 256 * 1024;
/** After so many pieces everybody else gets a turn, also where files are in memory. */
const MAX_BATCH = 16;

const ALGORITHMS_BY_VERB: Readonly<Record<string, HashAlgorithm>> = {
  XCRC: "CRC32",
  XMD5: "MD5",
  XSHA1: "SHA-1",
  XSHA256: "SHA-256",
  XSHA512: "SHA-512",
};

/** The line of FEAT; the chosen algorithm has a star. */
export function hashFeature({ session }: CommandContext): readonly string[] {
  const names = HASH_ALGORITHMS.map((name) => name === session.hashAlgorithm ? `${name}*` : name);
  return [`HASH ${names.join(";")}`];
}

/** OPTS HASH: chooses the algorithm, or shows which one is chosen. */
export function chooseHash(context: CommandContext, name: string): Reply {
  if (name === "") return reply(200, context.session.hashAlgorithm);
  const hashAlgorithm = HASH_ALGORITHMS.find((known) => known === name.toUpperCase());
  if (hashAlgorithm === undefined) return reply(504, `Unknown algorithm, use one of ${HASH_ALGORITHMS.join(", ")}.`);
  context.update({ hashAlgorithm });
  return reply(200, hashAlgorithm);
}

/** HASH. */
export async function hash(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const { hashAlgorithm: algorithm } = context.session;
  const known = await context.fileSystem.digest?.(requestPath(request), algorithm, request);
  if (known !== undefined) return reply(213, `${algorithm} 0-${known.bytes} ${known.hex} ${request.argument}`);
  await using resources = new AsyncDisposableStack();
  const file = await context.fileSystem.openRead(requestPath(request), request);
  resources.defer(() => closeFile(file, request));
  const { bytes, hex } = await digestOf(file, context, { algorithm, maxBytes: Infinity, signal: request.signal });
  return reply(213, `${algorithm} 0-${bytes} ${hex} ${request.argument}`);
}

/** XCRC and its like: the verb names the algorithm. */
export async function hashByVerb(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const algorithm = ALGORITHMS_BY_VERB[request.verb];
  if (algorithm === undefined) throw new Error(`There is no algorithm of ${request.verb}`);
  const [start = 0, end = Infinity] = request.argument === "" ? [] : request.argument.split(" ").map(Number);
  if (start > end) return reply(501, "Invalid range: its end is before its start.");
  const isWhole = request.argument === "";
  const known = isWhole ? await context.fileSystem.digest?.(requestPath(request), algorithm, request) : undefined;
  if (known !== undefined) return reply(250, known.hex.toUpperCase());
  await using resources = new AsyncDisposableStack();
  const file = await context.fileSystem.openRead(requestPath(request), { offset: start, signal: request.signal });
  resources.defer(() => closeFile(file, request));
  if (start > file.size) return reply(554, `Start of the range (${start}) > file size (${file.size})`);
  const { hex } = await digestOf(file, context, { algorithm, maxBytes: end - start, signal: request.signal });
  return reply(250, hex.toUpperCase());
}

/** Reads to the end of the file or of the range; ABOR and the end of the session stop it. */
async function digestOf(
  file: ReadableFile,
  context: CommandContext,
  options: CallOptions & { readonly algorithm: HashAlgorithm; readonly maxBytes: number },
): Promise<{ readonly bytes: number; readonly hex: string }> {
  const digest = context.createDigest(options.algorithm);
  const buffer = new Uint8Array(PIECE_BYTES);
  let bytes = 0;
  for (let pieces = 1; bytes < options.maxBytes; pieces++) {
    options.signal.throwIfAborted();
    context.transfer?.touch();
    const count = await file.read(buffer.subarray(0, Math.min(PIECE_BYTES, options.maxBytes - bytes)), options);
    if (count === null) break;
    digest.update(buffer.subarray(0, count));
    bytes += count;
    if (pieces % MAX_BATCH === 0) await yieldToEventLoop();
  }
  return { bytes, hex: digest.hex() };
}
