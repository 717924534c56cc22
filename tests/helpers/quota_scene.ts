/**
 * Files under a quota, without a server.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { type FileSystem, FileSystemError, type WriteMode } from "../../lib/filesystem/filesystem.ts";
import type { FileLocator } from "../../lib/filesystem/quota/quota_claims.ts";
import { withQuota } from "../../lib/filesystem/quota/quota_filesystem.ts";
import { CountedParts } from "../../lib/filesystem/quota/counted_parts.ts";
import { QuotaLedger, type QuotaScope } from "../../lib/filesystem/quota/quota_ledger.ts";
import { WriteClaims } from "../../lib/filesystem/write_claims.ts";
import { MemoryRecords } from "../../lib/state/memory_records.ts";
import { createTableMemory, SharedTable } from "../../lib/state/shared_table.ts";
import { TableQuotaCounts } from "../../lib/state/table_quotas.ts";
import { UNABORTED } from "./unaborted.ts";

/** Files under a quota, and a way to see what it has counted. */
export class QuotaScene implements AsyncDisposable {
  readonly base: FileSystem;
  readonly files:
    & Required<Pick<FileSystem, "openWrite" | "remove" | "rename" | "availableBytes" | "quotas">>
    & FileSystem;
  readonly ledger = new QuotaLedger(new TableQuotaCounts(new SharedTable(createTableMemory(16))));
  readonly #kept: CountedParts;
  readonly #scope: QuotaScope;
  readonly #locate: FileLocator | undefined;
  readonly #shared = { claims: new WriteClaims(), records: new MemoryRecords() };

  constructor(base: FileSystem, limits: { bytes?: number; files?: number } = {}, locate?: FileLocator) {
    this.base = base;
    this.#locate = locate;
    this.#kept = new CountedParts(base, this.#shared.records, "alice");
    this.#scope = {
      name: "user alice",
      limits: { bytes: 0, files: 0, ...limits },
      files: () => [{ fileSystem: base, kept: (options) => this.#kept.total(options) }],
    };
    this.files = this.as("alice");
  }

  /** The same files for another account that counts under the same quota. */
  as(account: string): QuotaScene["files"] {
    const { ledger } = this;
    const options = {
      ...this.#shared,
      ledger,
      scopes: [this.#scope],
      account,
      ...this.#locate && { locate: this.#locate },
    };
    return withQuota(this.base, options) as QuotaScene["files"];
  }

  /** Writes pieces, and finishes unless it is cut. */
  async put(path: string, mode: WriteMode, sizes: readonly number[], { isCut = false } = {}): Promise<void> {
    const file = await this.files.openWrite(path, mode, UNABORTED);
    try {
      for (const size of sizes) await file.write(new Uint8Array(size), UNABORTED);
      if (!isCut) await file.finish(UNABORTED);
    } finally {
      await file.close();
    }
  }

  /** What is counted, which has to be what is there. */
  async used(): Promise<string> {
    const [report] = await this.files.quotas(UNABORTED);
    const { bytes, files } = report?.used ?? { bytes: -1, files: -1 };
    let [there, number] = [await this.#kept.total(UNABORTED), 0];
    const folders = ["/"];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for await (const { name, info } of this.base.list(folder, UNABORTED)) {
        if (info.type === "directory") folders.push(`${folder === "/" ? "" : folder}/${name}`);
        else [there, number] = [there + info.size, number + 1];
      }
    }
    assertEquals({ bytes, files }, { bytes: there, files: number }, "what is counted is not what is there");
    return `${bytes} in ${files}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.ledger[Symbol.asyncDispose]();
  }
}

/** Waits for a refusal of that kind. */
export async function assertRefused(
  work: () => Promise<unknown>,
  kind: FileSystemError["kind"] = "quotaExceeded",
): Promise<void> {
  assertEquals((await assertRejects(work, FileSystemError)).kind, kind);
}
