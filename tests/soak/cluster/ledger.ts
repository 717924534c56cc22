/**
 * What was uploaded to which name, and what has to be there.
 *
 * @module
 */

/** Bytes that nobody has to keep: they are made again of their number. */
export interface Content {
  /** From 1 on, another one for each upload. */
  readonly id: number;
  readonly size: number;
}

/** An upload, from its begin on. Times are those of `performance.now()`. */
interface Upload {
  readonly content: Content;
  readonly startedAt: number;
  /** When its client knew its end, or gave it up. */
  endedAt: number;
  isAcknowledged: boolean;
}

/** An upload that goes on. */
export interface RunningUpload {
  readonly content: Content;
  /** It has ended for its client, with 226 or without. */
  readonly end: (isAcknowledged: boolean) => void;
}

/** Makes the bytes of a content. No part of it is in another one, or at another place. */
export function bytesOf({ id, size }: Content): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index + 1, 0x9e3779b1) ^ id;
  return new Uint8Array(words.buffer, 0, size);
}

/** Returns whether bytes are a content, all of it and nothing else. */
export function isContent(bytes: Uint8Array, content: Content): boolean {
  if (bytes.length !== content.size) return false;
  const wanted = bytesOf(content);
  return bytes.every((byte, index) => byte === wanted[index]);
}

/** Keeps what must not be lost. */
export class Ledger {
  readonly #uploads = new Map<string, readonly Upload[]>();
  #lastId = 0;
  /** Uploads that were acknowledged. */
  acknowledged = 0;

  /** All names to which an upload has begun. */
  get names(): readonly string[] {
    return [...this.#uploads.keys()];
  }

  /** An upload begins. */
  begin(name: string, size: number): RunningUpload {
    const content = { id: ++this.#lastId, size };
    const upload: Upload = { content, startedAt: performance.now(), endedAt: Infinity, isAcknowledged: false };
    this.#uploads.set(name, [...this.#of(name), upload]);
    return {
      content,
      end: (isAcknowledged) => {
        upload.endedAt = performance.now();
        upload.isAcknowledged = isAcknowledged;
        if (!isAcknowledged) return;
        this.acknowledged++;
        // What had ended before this one began can be there no more.
        this.#uploads.set(name, this.#of(name).filter((it) => it.endedAt >= upload.startedAt));
      },
    };
  }

  /** Returns whether something was acknowledged under a name. */
  isThere(name: string): boolean {
    return this.#of(name).some(({ isAcknowledged }) => isAcknowledged);
  }

  /** What may be there now. */
  contents(name: string): readonly Content[] {
    return this.#of(name).map(({ content }) => content);
  }

  /**
   * Tells what is wrong with what is there; `undefined`: nothing.
   *
   * @param before What else may have been read, by somebody who began earlier.
   */
  complaint(name: string, bytes: Uint8Array | undefined, before: readonly Content[] = []): string | undefined {
    if (bytes === undefined) return this.isThere(name) ? `${name} is missing` : undefined;
    const contents = [...before, ...this.contents(name)];
    if (contents.some((content) => isContent(bytes, content))) return undefined;
    const sizes = contents.map(({ size }) => size).join(" or ");
    return `${name} has ${bytes.length} bytes that are none of those that it may have (${sizes})`;
  }

  #of(name: string): readonly Upload[] {
    return this.#uploads.get(name) ?? [];
  }
}
