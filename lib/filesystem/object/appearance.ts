/**
 * How an object appears in its place, and what was there must not have changed.
 *
 * @module
 */

import { type CallOptions, type FileDigest, FileSystemError } from "../filesystem.ts";
import type { ObjectFacts } from "./object_facts.ts";
import type { ObjectInfo, ObjectStore, PutCondition } from "./object_store.ts";
import { failureOf, isRefusal } from "./store_failure.ts";

/** Name of the metadata that mark an object, so that one whose answer was lost is known again. */
export const MARK = "ftpsd-id";

/** What is expected in the place. */
export type Expected = NonNullable<PutCondition["ifMatch"]>;

/** Options of {@linkcode Appearance}. */
export interface AppearanceOptions {
  readonly store: ObjectStore;
  readonly facts: ObjectFacts;
  readonly key: string;
  /** Different for each object that appears. */
  readonly id: string;
  /** What was in the place when the upload was opened. */
  readonly expected: Expected;
  /**
   * What becomes of an upload when there is something else: `place` was for a free name; `replace` may be put where the old
   * object was removed meanwhile; `change` needs the old object.
   */
  readonly how: "place" | "replace" | "change";
  /** Called with what is wrong and refuses nothing. */
  readonly report: (error: unknown) => void;
}

/** Lets one object appear. */
export class Appearance {
  /** What the object has to have. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #options: AppearanceOptions;

  constructor(options: AppearanceOptions) {
    this.#options = options;
    this.metadata = { [MARK]: options.id };
  }

  /**
   * Puts the object, or makes it of its parts, and keeps its digest.
   *
   * @param send Returns the ETag.
   * @param by Which request that is: a store may obey conditions in one, and not in the other.
   * @throws {FileSystemError} Kind `"exists"` or `"busy"` when something else is there, `"notFound"` when what it changes is
   * gone, and `"unavailable"` when it is not certain that the object has appeared.
   */
  async appear(
    send: (condition: PutCondition) => Promise<string>,
    by: "put" | "complete",
    { digest, signal }: CallOptions & { readonly digest: FileDigest | undefined },
  ): Promise<void> {
    const { store, facts, key, report } = this.#options;
    const { conditions } = await store.abilities({ signal });
    const etag = conditions[by]
      ? await this.#sendWithCondition(send, { signal })
      : await this.#sendChecked(send, { signal });
    await facts.replace({ key, etag }, { digest }, { signal }).catch(report); // the object is there
  }

  async #sendWithCondition(send: (condition: PutCondition) => Promise<string>, options: CallOptions): Promise<string> {
    const { expected, how } = this.#options;
    try {
      return await send({ ifMatch: expected });
    } catch (error) {
      const there = await this.#look(error, options);
      if (there !== undefined && this.#hasCome(there, error)) return there.etag;
      const wasRemoved = there === undefined && expected !== "nothing" && isRefusal(error, "condition");
      if (!(wasRemoved && how === "replace")) throw this.#refusal(there, error);
    }
    try {
      return await send({ ifMatch: "nothing" });
    } catch (error) {
      const there = await this.#look(error, options);
      if (there !== undefined && this.#hasCome(there, error)) return there.etag;
      throw this.#refusal(there, error);
    }
  }

  /** Where the store does not obey conditions: looks right before, and whether it is what is there then. */
  async #sendChecked(send: (condition: PutCondition) => Promise<string>, options: CallOptions): Promise<string> {
    const { store, key, expected, how } = this.#options;
    const before = await store.head(key, options);
    const isExpected = expected === "nothing" ? before === undefined : before?.etag === expected.etag;
    if (!isExpected && !(how === "replace" && before === undefined)) throw this.#refusal(before);
    try {
      await send({});
    } catch (error) {
      const there = await this.#look(error, options);
      if (there === undefined || !this.#hasCome(there, error)) throw this.#refusal(there, error);
    }
    const after = await store.head(key, options);
    if (after !== undefined && this.#isIt(after)) return after.etag;
    throw this.#refusal(after);
  }

  /** What is there after an error that may hide that the object has come. */
  async #look(error: unknown, { signal }: CallOptions): Promise<ObjectInfo | undefined> {
    const { store, key } = this.#options;
    try {
      return await store.head(key, { signal });
    } catch {
      throw failureOf(error, signal); // which is the one that counts
    }
  }

  /** Returns whether the object has come all the same. Of an upload that is gone, another writer may have made it. */
  #hasCome(there: ObjectInfo, error: unknown): boolean {
    return !isRefusal(error, "missing") && this.#isIt(there);
  }

  #isIt(there: ObjectInfo): boolean {
    return there.metadata[MARK] === this.#options.id;
  }

  /** The refusal that an error is; any other error is thrown as it is. */
  #refusal(there: ObjectInfo | undefined, cause?: unknown): unknown {
    if (cause !== undefined && !isRefusal(cause, "condition", "missing")) return cause;
    const { how, key } = this.#options;
    const kind = there === undefined ? (how === "change" ? "notFound" : "busy") : how === "place" ? "exists" : "busy";
    return new FileSystemError(kind, `Cannot finish "${key}": it was changed meanwhile`, { cause });
  }
}
