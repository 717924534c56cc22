/**
 * The parts of one upload that are on their way.
 *
 * @module
 */

import { abortable } from "../../deadline.ts";
import { FairSlots } from "./fair_slots.ts";
import type { UploadedPart } from "./object_store.ts";

/** Most parts of an upload on their way at once, and as many copies beside them. */
const MAX_PARALLEL = 4;

/** How a part is sent; returns its ETag. */
export type SendPart = () => Promise<string>;

/** Sends parts side by side, and knows those that have arrived. */
export class PartUploads {
  readonly #arrived: UploadedPart[];
  readonly #running = new Set<Promise<void>>();
  readonly #uploads = new FairSlots(MAX_PARALLEL);
  readonly #copies = new FairSlots(MAX_PARALLEL);
  /** Never aborts: behind a copy that has failed those that wait end at once. */
  readonly #waiting = new AbortController().signal;
  #failure: { readonly error: unknown } | undefined;
  /** Called when a part has arrived. */
  onProgress: (() => void) | undefined;

  /** @param arrived Those that have arrived before. */
  constructor(arrived: readonly UploadedPart[]) {
    this.#arrived = [...arrived];
  }

  /** Those that have arrived, in no order. */
  get arrived(): readonly UploadedPart[] {
    return this.#arrived;
  }

  /**
   * Sends a part, as soon as it is one of few; waits until it is, no longer than the signal lasts.
   *
   * @param memory Disposed of when the part has arrived, or will not.
   */
  async upload(
    part: Pick<UploadedPart, "number" | "size">,
    send: SendPart,
    { memory, signal }: { readonly memory: Disposable; readonly signal: AbortSignal },
  ): Promise<void> {
    using held = new DisposableStack();
    held.use(memory);
    signal.throwIfAborted();
    held.use(await this.#uploads.take(signal));
    this.#track(this.#send(part, send, held.move()));
  }

  /** Copies a part, as soon as it is one of few, and waits for nothing. */
  copy(part: Pick<UploadedPart, "number" | "size">, send: SendPart): void {
    this.#track(this.#copyLater(part, send));
  }

  /**
   * Waits until all that were sent have arrived, or failed.
   *
   * @throws What the first has failed with, or the signal's reason.
   */
  async settled(signal: AbortSignal): Promise<void> {
    while (this.#running.size > 0) await abortable(Promise.all(this.#running), signal);
    this.throwIfFailed();
  }

  /** Throws what the first part that has failed has failed with. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #copyLater(part: Pick<UploadedPart, "number" | "size">, send: SendPart): Promise<void> {
    await this.#send(part, send, await this.#copies.take(this.#waiting));
  }

  /** Never rejects. Behind a part that has failed none is sent any more. */
  async #send(part: Pick<UploadedPart, "number" | "size">, send: SendPart, slot: Disposable): Promise<void> {
    using _slot = slot;
    if (this.#failure !== undefined) return;
    try {
      this.#arrived.push({ ...part, etag: await send() });
      this.onProgress?.();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #track(running: Promise<void>): void {
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }
}
