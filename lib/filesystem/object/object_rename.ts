/**
 * Renaming, which S3 does not have: objects are copied, and removed where they were. An intent says so before anything is done, and
 * whoever meets it brings that to an end.
 *
 * @module
 */

import type { StateRecords } from "../../state/records.ts";
import type { FileClaims } from "../file_claims.ts";
import { type CallOptions, FileSystemError } from "../filesystem.ts";
import { MARK } from "./appearance.ts";
import { atOnce } from "./at_once.ts";
import { type CopyJob, copyMarked } from "./object_copy.ts";
import type { ObjectFacts } from "./object_facts.ts";
import { pagesOf } from "./object_listing.ts";
import type { ListedObject, ObjectInfo, ObjectStore } from "./object_store.ts";
import { both } from "./object_tree.ts";
import { answer } from "./store_failure.ts";
import { claimName } from "./upload_opening.ts";

const RENAMES = "renames";
/** Objects of a directory that are moved side by side. */
const MAX_PARALLEL = 8;

/** What renaming needs. */
export interface RenameContext {
  readonly store: ObjectStore;
  readonly records: StateRecords;
  readonly claims: FileClaims;
  readonly facts: ObjectFacts;
  /** Most objects of a directory. */
  readonly maxRenamedObjects: number;
}

/** What is to be renamed: keys, which both end with `/` when it is a directory. */
export interface RenameIntent {
  /** Marks the copies. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** When it was begun, in milliseconds since 1970: what has come later under the old names is something else. */
  readonly begun: number;
  /** The version of an object; a directory has none. */
  readonly etag?: string;
}

/**
 * Renames an object: the copy takes the place of what is there in one step.
 *
 * @throws {FileSystemError} Kind `"busy"` when it is being written, or it or what is in its place was changed meanwhile.
 */
export async function renameObject(
  context: RenameContext,
  job: CopyJob & Pick<RenameIntent, "begun"> & { readonly replaced: ObjectInfo | undefined },
  options: CallOptions,
): Promise<void> {
  const { store, claims } = context;
  const { id, from, to, begun, info, replaced } = job;
  using _claim = await answer(claims.claim(claimName(store.name, from), options.signal), options.signal);
  await setIntent(context, { id, from, to, begun, etag: info.etag }, options);
  try {
    await copyMarked(context, job, {
      ...options,
      ifMatch: replaced === undefined ? "nothing" : { etag: replaced.etag },
    });
  } catch (error) {
    const isRefused = error instanceof FileSystemError && error.kind !== "unavailable";
    if (isRefused) await dropIntent(context, from, options); // else the copy may be there: whoever meets the intent looks
    throw error;
  }
  await removeSource(context, { key: from, etag: info.etag }, options);
  await dropIntent(context, from, options);
}

/**
 * Renames a directory: object by object, and a restart goes on where it was cut. Nobody writes in it meanwhile.
 *
 * @throws {FileSystemError} Kind `"invalidName"` when more is in it than the bound allows, `"busy"` when an object is being
 * written, or something has come in the place of one, which then stays where it is.
 */
export async function renameDirectory(
  context: RenameContext,
  intent: RenameIntent,
  options: CallOptions,
): Promise<void> {
  const { maxRenamedObjects } = context;
  const objects = await objectsBelow(context, intent.from, options);
  if (objects.length > maxRenamedObjects) {
    const message =
      `Cannot rename "${intent.from}": it has more than ${maxRenamedObjects} objects, the bound for a directory`;
    throw new FileSystemError("invalidName", message);
  }
  await moveObjects(context, intent, { objects, isResumed: false }, options);
}

/**
 * Brings a rename to an end that was cut: an object whose copy is there is removed, a directory is moved to the end; of an object
 * whose copy is not there nothing has happened.
 *
 * @throws {FileSystemError} Kind `"busy"` while it is under way.
 */
export async function finishRename(context: RenameContext, intent: RenameIntent, options: CallOptions): Promise<void> {
  const { store, claims, maxRenamedObjects } = context;
  const { id, from, to, begun, etag } = intent;
  const isOld = ({ modified }: { readonly modified: Date }) => modified.getTime() <= begun;
  if (etag === undefined) {
    const objects = (await objectsBelow(context, from, options)).slice(0, maxRenamedObjects).filter(isOld);
    return await moveObjects(context, intent, { objects, isResumed: true }, options);
  }
  using _claim = await answer(claims.claim(claimName(store.name, from), options.signal), options.signal);
  const [source, target] = await both(store.head(from, options), store.head(to, options));
  if (target?.metadata[MARK] === id && source?.etag === etag && isOld(source)) {
    await context.facts.carry({ key: from, ...source }, { key: to, etag: target.etag }, options);
    await removeSource(context, { key: from, etag }, options);
  }
  await dropIntent(context, from, options);
}

/** The rename of a key that was cut, if there is one. */
export async function findIntent(
  { store, records }: Pick<RenameContext, "store" | "records">,
  from: string,
  { signal }: CallOptions,
): Promise<RenameIntent | undefined> {
  const value = await answer(records.get(RENAMES, `${store.name}/${from}`), signal);
  return value === undefined ? undefined : JSON.parse(value);
}

/** All renames below a prefix that were cut, or are under way. */
export async function* intentsBelow(
  { store, records }: Pick<RenameContext, "store" | "records">,
  prefix: string,
  { signal }: CallOptions,
): AsyncGenerator<RenameIntent, void, undefined> {
  for (let after = "";;) {
    const page = await answer(records.list(RENAMES, { prefix: `${store.name}/${prefix}`, after }), signal);
    for (const { value } of page) yield JSON.parse(value);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.key;
  }
}

/** Objects below a prefix, one more than the bound at most. */
async function objectsBelow(
  { store, maxRenamedObjects }: RenameContext,
  prefix: string,
  { signal }: CallOptions,
): Promise<ListedObject[]> {
  const found: ListedObject[] = [];
  for await (const { objects } of pagesOf(store, { prefix, signal })) {
    found.push(...objects.slice(0, maxRenamedObjects + 1 - found.length));
    if (found.length > maxRenamedObjects) break;
  }
  return found;
}

/** What is in a directory that is renamed. */
interface Moved {
  readonly objects: readonly ListedObject[];
  /** Whether copies may be there already. */
  readonly isResumed: boolean;
}

async function moveObjects(
  context: RenameContext,
  intent: RenameIntent,
  { objects, isResumed }: Moved,
  options: CallOptions,
): Promise<void> {
  const { store, claims } = context;
  using claimed = new DisposableStack();
  for (const { key } of objects) {
    claimed.use(await answer(claims.claim(claimName(store.name, key), options.signal), options.signal));
  }
  await setIntent(context, intent, options);
  const copied = new Map<string, string>();
  await atOnce(MAX_PARALLEL, objects, async ({ key }) => {
    const etag = await copyBelow(context, intent, { key, isResumed }, options);
    if (etag !== undefined) copied.set(key, etag);
  });
  await carryDirectories(context, intent, objects, options);
  await removeCopied(context, intent.from, copied, options);
  await dropIntent(context, intent.from, options);
  const stay = objects.length - copied.size;
  if (stay > 0) throw new FileSystemError("busy", `${stay} objects of "${intent.from}" were changed, and stay there`);
}

/** Copies one object of a directory; returns the ETag of what was copied, or nothing where its place is not free. */
async function copyBelow(
  context: RenameContext,
  { id, from, to }: RenameIntent,
  { key, isResumed }: { readonly key: string; readonly isResumed: boolean },
  options: CallOptions,
): Promise<string | undefined> {
  const target = to + key.slice(from.length);
  const info = await context.store.head(key, options);
  if (info === undefined) return undefined;
  const there = isResumed ? await context.store.head(target, options) : undefined;
  if (there?.metadata[MARK] === id) {
    await context.facts.carry({ key, ...info }, { key: target, etag: there.etag }, options);
    return info.etag;
  }
  try {
    await copyMarked(context, { from: key, to: target, id, info }, { ...options, ifMatch: "nothing" });
    return info.etag;
  } catch (error) {
    if (error instanceof FileSystemError && error.kind === "busy") return undefined;
    throw error;
  }
}

/** Takes over the times of directories, which need not have an object. */
async function carryDirectories(
  { facts }: RenameContext,
  { from, to }: RenameIntent,
  objects: readonly ListedObject[],
  options: CallOptions,
): Promise<void> {
  const directories = new Set([from]);
  for (const { key } of objects) {
    for (let end = key.lastIndexOf("/"); end >= from.length; end = key.lastIndexOf("/", end - 1)) {
      directories.add(key.slice(0, end + 1));
    }
  }
  await atOnce(MAX_PARALLEL, [...directories], async (key) => {
    const modified = await facts.modified({ key, etag: "" }, options);
    if (modified === undefined) return;
    await facts.setModified({ key: to + key.slice(from.length), etag: "" }, modified, options);
    await facts.forget(key, options);
  });
}

/** Removes what has been copied, unless it is another version by now. */
async function removeSource(
  { store, facts }: RenameContext,
  { key, etag }: Pick<ListedObject, "key" | "etag">,
  options: CallOptions,
): Promise<void> {
  const there = await store.head(key, options);
  if (there !== undefined && there.etag !== etag) return;
  // Nothing there may be a bucket that is not there, which an answer without a body cannot tell; this one can.
  await store.remove([key], options);
  await facts.forget(key, options);
}

/** The same for what was in a directory; `copied` has the ETags by key. */
async function removeCopied(
  context: RenameContext,
  prefix: string,
  copied: ReadonlyMap<string, string>,
  options: CallOptions,
): Promise<void> {
  const { store, facts } = context;
  const there = await objectsBelow(context, prefix, options);
  const same = there.filter(({ key, etag }) => copied.get(key) === etag).map(({ key }) => key);
  if (same.length > 0) await store.remove(same, options);
  await atOnce(MAX_PARALLEL, same, (key) => facts.forget(key, options));
}

async function setIntent(
  { store, records }: RenameContext,
  intent: RenameIntent,
  { signal }: CallOptions,
): Promise<void> {
  await answer(records.set(RENAMES, `${store.name}/${intent.from}`, JSON.stringify(intent)), signal);
}

async function dropIntent({ store, records }: RenameContext, from: string, { signal }: CallOptions): Promise<void> {
  await answer(records.delete(RENAMES, `${store.name}/${from}`), signal);
}
