/**
 * Names as keys of rows.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** An index of PostgreSQL takes no more than 2,700 bytes. */
const MAX_BYTES = 512;

/** Returns a text that PostgreSQL can store and index: the name itself, where that is one, and else its SHA-256. */
export function storedKey(name: string): string {
  const isStorable = name.isWellFormed() && !name.includes("\0") && !name.startsWith("sha256:");
  if (isStorable && new TextEncoder().encode(name).length <= MAX_BYTES) return name;
  return `sha256:${createHash("sha256").update(name, "utf16le").digest("hex")}`;
}
