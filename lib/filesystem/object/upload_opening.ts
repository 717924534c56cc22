/**
 * How an upload begins: what is in its place, what it goes on with, and what it keeps of the old object.
 *
 * @module
 */

import { randomSuffix } from "../../protocol/pathname.ts";
import type { FileClaims } from "../file_claims.ts";
import { type CallOptions, FileSystemError, type WriteMode } from "../filesystem.ts";
import { Appearance, type AppearanceOptions, type Expected } from "./appearance.ts";
import { bytesOf, type KeptUpload, wholeParts } from "./kept_uploads.ts";
import type { ObjectFacts } from "./object_facts.ts";
import type { ObjectInfo, UploadedPart } from "./object_store.ts";
import { isDirectory, type ObjectTree } from "./object_tree.ts";
import { ObjectUpload, type UploadContext, type UploadStart } from "./object_upload.ts";
import { answer, isRefusal } from "./store_failure.ts";

/** What opening needs beside what uploads do. */
export interface OpeningContext extends UploadContext {
  readonly tree: ObjectTree;
  readonly facts: ObjectFacts;
  readonly claims: FileClaims;
  readonly report: (error: unknown) => void;
}

type Upload = UploadStart["upload"];

/** What an upload does to what is there. */
interface Opening {
  readonly upload: Upload;
  readonly how: AppearanceOptions["how"];
  readonly expected: Expected;
  readonly headBytes: number;
  readonly resumed?: UploadStart["resumed"];
}

/** Name of the claim on a key. */
export function claimName(store: string, key: string): string {
  return `${store}/${key}`;
}

/** Opens an upload. */
export async function openUpload(
  context: OpeningContext,
  path: string,
  mode: WriteMode,
  { signal }: CallOptions,
): Promise<ObjectUpload> {
  if (path === "/") throw isDirectory(path);
  const { store, facts, report, tree } = context;
  const key = tree.keys.ofFile(path);
  await using claimed = new AsyncDisposableStack();
  const claim = claimed.use(await answer(context.claims.claim(claimName(store.name, key), signal), signal));
  const { node } = await tree.findIn(path, { signal });
  if (node !== undefined && isNew(mode)) throw new FileSystemError("exists", `Cannot create "${path}": it exists`);
  if (node?.type === "directory") throw isDirectory(path);
  const opening = await open(context, key, { mode, info: node?.info, signal });
  const { upload, expected, how, ...start } = opening;
  const appearance = new Appearance({ store, facts, key, id: upload.id, expected, how, report });
  claimed.move();
  return new ObjectUpload(context, { key, claim, appearance, upload, ...start });
}

function isNew(mode: WriteMode): boolean {
  return mode === "place" || mode === "createNew";
}

/** What there is to open. */
interface Target extends CallOptions {
  readonly mode: WriteMode;
  readonly info: ObjectInfo | undefined;
}

async function open(context: OpeningContext, key: string, target: Target): Promise<Opening> {
  const { mode, signal } = target;
  const kept = await context.kept.get(key, { signal });
  const goesOn = mode === "append" || typeof mode === "object";
  if (kept !== undefined && goesOn) return await resume(context, key, { ...target, kept });
  if (kept !== undefined) await discard(context, key, kept, { signal });
  const expected = target.info === undefined ? "nothing" : { etag: target.info.etag };
  if (goesOn) return change(key, mode, { info: target.info, expected });
  const how = isNew(mode) ? "place" : "replace";
  return { upload: { id: newId(), how }, how, expected, headBytes: 0 };
}

/** Goes on in an object, or begins one. */
function change(
  key: string,
  mode: "append" | { readonly offset: number },
  { info, expected }: { readonly info: ObjectInfo | undefined; readonly expected: Expected },
): Opening {
  const keepsTail = typeof mode === "object";
  if (info === undefined) {
    if (keepsTail) throw new FileSystemError("notFound", `Cannot find "${key}"`);
    return { upload: { id: newId(), how: "replace" }, how: "replace", expected, headBytes: 0 };
  }
  const { size, etag } = info;
  const headBytes = typeof mode === "object" ? mode.offset : size;
  if (headBytes > size) {
    throw new FileSystemError("invalidOffset", `Cannot go on at ${headBytes} in "${key}": it has ${size} bytes`);
  }
  return {
    upload: { id: newId(), how: "replace", base: { etag, size, keepsTail } },
    how: "change",
    expected,
    headBytes,
  };
}

/**
 * Goes on with what was kept.
 *
 * @throws {FileSystemError} Kind `"invalidOffset"` for an offset that is not the end of a part, and when the parts have gone:
 * to go on in the old object instead would put two files into one.
 */
async function resume(
  context: OpeningContext,
  key: string,
  { mode, info, kept, signal }: Target & { readonly kept: KeptUpload },
): Promise<Opening> {
  const { uploadId, id, how, base } = kept;
  const all = await partsOf(context, key, kept, { signal });
  const parts = all && partsUpTo(all, typeof mode === "object" ? mode.offset : bytesOf(all));
  if (parts === undefined) {
    if (all === undefined) await context.kept.delete(key, { signal });
    const state = all === undefined ? "its parts have gone" : `${bytesOf(all)} bytes are kept, in whole parts`;
    throw new FileSystemError("invalidOffset", `Cannot go on with the upload to "${key}": ${state}`);
  }
  const expected = base !== undefined
    ? { etag: base.etag }
    : how === "place" || !info
    ? "nothing"
    : { etag: info.etag };
  // While it is written its parts are not those of the record; behind those that it goes on after may be older ones
  const isShorter = parts.length < (all?.length ?? 0);
  const trustedParts = isShorter ? parts.length : kept.trustedParts;
  const keptUntil = context.now() + context.keepPartsForMs;
  await context.kept.set(key, { uploadId, id, how, base, trustedParts, keptUntil }, { signal });
  return {
    upload: { id, how, base },
    how: base === undefined ? how : "change",
    expected,
    headBytes: 0,
    resumed: { uploadId, parts },
  };
}

/** The parts that are there, of those that are known; `undefined` when they have gone. */
export async function partsOf(
  { store, minPartSize }: Pick<UploadContext, "store" | "minPartSize">,
  key: string,
  { uploadId, parts: known, trustedParts }: KeptUpload,
  options: CallOptions,
): Promise<UploadedPart[] | undefined> {
  try {
    const all = wholeParts(await store.listParts({ key, uploadId }, options), minPartSize);
    const there = known === undefined ? all.slice(0, trustedParts) : all;
    const count = known?.findIndex(({ etag }, index) => there[index]?.etag !== etag) ?? -1;
    if (count >= 0) return undefined;
    return there.slice(0, known?.length);
  } catch (error) {
    if (isRefusal(error, "missing")) return undefined;
    throw error;
  }
}

/** The parts before an offset, if one of them ends there. */
function partsUpTo(parts: readonly UploadedPart[], offset: number): UploadedPart[] | undefined {
  const upTo: UploadedPart[] = [];
  let end = 0;
  for (const part of parts) {
    if (end >= offset) break;
    upTo.push(part);
    end += part.size;
  }
  return end === offset ? upTo : undefined;
}

/** Gives up what was kept: the parts first, since whoever finds the record forgets it. */
async function discard(
  { store, kept: records }: OpeningContext,
  key: string,
  { uploadId }: KeptUpload,
  options: CallOptions,
): Promise<void> {
  await store.abortUpload({ key, uploadId }, options);
  await records.delete(key, options);
}

function newId(): string {
  return randomSuffix() + randomSuffix();
}
