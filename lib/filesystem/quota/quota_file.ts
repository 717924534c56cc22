/**
 * A file whose bytes are counted as they come.
 *
 * @module
 */

import type { QuotaAmount, QuotaReservation } from "../../state/quotas.ts";
import { isLost } from "../../shared_port.ts";
import { type CallOptions, FileSystemError, type FinishOptions, type WritableFile } from "../filesystem.ts";
import { askCounts, commit } from "./quota_ledger.ts";

/** What an upload is to its quotas. */
export interface CountedUpload {
  readonly reservation: QuotaReservation;
  /** Where its bytes go, in bytes from the beginning of the file. */
  readonly start: number;
  /** Bytes of the file, or of an interrupted upload, that count already: only what goes beyond is reserved. */
  readonly counted: number;
  /** Finds room where there was none, if that can be. Called once at most. */
  readonly makeRoom: (options: CallOptions) => Promise<void>;
  /** The refusal. */
  readonly refuse: () => Error;
  /** Finishes the file; returns what has come of it beyond what counted before, given where its bytes end. */
  readonly finish: (end: number, options: FinishOptions) => Promise<QuotaAmount>;
  /** Returns the same of a file that was closed without an end, or whose end failed. */
  readonly measure: (end: number) => Promise<QuotaAmount>;
  /** Called in the end. Must not throw. */
  readonly release: () => void;
}

/** Reserves what is written before it is, and books what has come of it. */
export class QuotaFile implements WritableFile {
  readonly path?: string;
  readonly #file: WritableFile;
  readonly #upload: CountedUpload;
  #end: number;
  #reserved = 0;
  #hasMadeRoom = false;
  /** Whether something may have come of it. */
  #isBegun = false;
  #isBooked = false;
  #closing: Promise<void> | undefined;

  constructor(file: WritableFile, upload: CountedUpload) {
    this.#file = file;
    this.#upload = upload;
    this.#end = upload.start;
    if (file.path !== undefined) this.path = file.path;
  }

  async write(bytes: Uint8Array, options: CallOptions): Promise<void> {
    const end = this.#end + bytes.length;
    await this.#reserve(end - this.#upload.counted - this.#reserved, options);
    if (bytes.length > 0) this.#isBegun = true;
    this.#end = end;
    await this.#file.write(bytes, options);
  }

  async finish(options: FinishOptions): Promise<void> {
    this.#assertHeld();
    this.#isBegun = true;
    const change = await this.#upload.finish(this.#end, options);
    this.#isBooked = true;
    await commit(this.#upload.reservation, change);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    try {
      await this.#file.close();
      if (this.#isBooked || !this.#isBegun) return;
      await commit(this.#upload.reservation, await this.#upload.measure(this.#end));
    } finally {
      this.#upload.reservation[Symbol.dispose]();
      this.#upload.release();
    }
  }

  async #reserve(bytes: number, options: CallOptions): Promise<void> {
    this.#assertHeld();
    if (bytes <= 0) return;
    const { reservation, makeRoom, refuse } = this.#upload;
    const grow = () => askCounts(() => reservation.grow(bytes));
    if (!await grow()) {
      if (!this.#hasMadeRoom) await makeRoom(options);
      this.#hasMadeRoom = true;
      if (!await grow()) throw refuse();
    }
    this.#reserved += bytes;
  }

  /** Others may count what there is by now, and use what was reserved here. */
  #assertHeld(): void {
    if (!isLost(this.#upload.reservation)) return;
    throw new FileSystemError("unavailable", "Cannot write under a quota: the state was out of reach for too long");
  }
}
