/**
 * Checks of what a file system returns. Programs bring their own, and the types do not hold those in JavaScript.
 *
 * @module
 */

import { hasForbiddenCharacter } from "../protocol/pathname.ts";
import type {
  DirectoryEntry,
  FileDigest,
  FileInfo,
  FileType,
  QuotaReport,
  ReadableFile,
  WritableFile,
} from "./filesystem.ts";

const TYPES: readonly FileType[] = ["file", "directory", "link", "other"];

/** Called with something wrong that refuses nothing. */
export type Report = (error: unknown) => void;

/**
 * Returns attributes as they are, without those that cannot be: a time that is none, bits that are no number.
 *
 * @throws {TypeError} When type or size are none.
 */
export function checkInfo(info: FileInfo): FileInfo {
  if (typeof info !== "object" || info === null) throw wrong("attributes", info);
  if (!TYPES.includes(info.type)) throw wrong("type", info.type);
  if (!isCount(info.size)) throw wrong("size", info.size);
  return hasOddAttribute(info) ? withoutOddAttributes(info) : info;
}

/**
 * Checks an entry of a listing.
 *
 * @throws {TypeError} When name, type or size are none.
 */
export function checkEntry(entry: DirectoryEntry): DirectoryEntry {
  if (typeof entry !== "object" || entry === null) throw wrong("entry", entry);
  const { name, info } = entry;
  checkName(name);
  const checked = checkInfo(info);
  return checked === info ? entry : { name, info: checked };
}

/**
 * Checks a name of a listing: one component of a path, which must not look like several lines of it either.
 *
 * @throws {TypeError} When it is none.
 */
export function checkName(name: string): string {
  const isName = typeof name === "string" && name !== "" && name !== "." && name !== ".." && !name.includes("/") &&
    !hasForbiddenCharacter(name);
  if (!isName) throw wrong("name", name);
  return name;
}

/**
 * Checks how many bytes were read; 0 is the end, as in Node.
 *
 * @throws {TypeError} When it is no count, or more than the buffer holds.
 */
export function checkCount(count: number | null, buffer: Uint8Array): number | null {
  if (count === null || count === 0) return null;
  if (!isCount(count) || count > buffer.length) throw wrong(`count of read() into ${buffer.length} bytes`, count);
  return count;
}

/**
 * Checks what was opened.
 *
 * @throws {TypeError} When it is no file, or its size or its path is none.
 */
export function checkOpen<File extends ReadableFile | WritableFile>(file: File | undefined): File {
  if (typeof file !== "object" || file === null || typeof file.close !== "function") throw wrong("file", file);
  if ("size" in file && !isCount(file.size)) throw wrong("size", file.size);
  if ("path" in file && file.path !== undefined && !isPath(file.path)) throw wrong("path", file.path);
  return file;
}

/**
 * Checks how much room there is.
 *
 * @throws {TypeError} When it is no count.
 */
export function checkAvailable(bytes: number | undefined): number {
  if (typeof bytes !== "number" || !(bytes >= 0)) throw wrong("availableBytes()", bytes);
  return Math.min(Math.floor(bytes), Number.MAX_SAFE_INTEGER);
}

/**
 * Checks how much is kept of an upload.
 *
 * @throws {TypeError} When it is no count.
 */
export function checkResumable(bytes: number | undefined): number | undefined {
  if (bytes !== undefined && !isCount(bytes)) throw wrong("resumable()", bytes);
  return bytes;
}

/**
 * Checks a digest, which becomes part of a reply.
 *
 * @throws {TypeError} When it is none.
 */
export function checkDigest(digest: FileDigest | undefined): FileDigest | undefined {
  if (digest === undefined) return undefined;
  if (typeof digest !== "object" || digest === null) throw wrong("digest()", digest);
  if (typeof digest.hex !== "string" || !/^[0-9a-f]+$/.test(digest.hex)) throw wrong("digest", digest.hex);
  if (!isCount(digest.bytes)) throw wrong("size", digest.bytes);
  return digest;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function hasOddAttribute({ target, modified, mode, links, uid, gid, unique }: FileInfo): boolean {
  const areNumbers = [mode, links, uid, gid].every(isNumber);
  return !(isTarget(target) && isTime(modified) && areNumbers && isFact(unique));
}

function withoutOddAttributes({ type, size, target, modified, mode, links, uid, gid, unique }: FileInfo): FileInfo {
  return {
    type,
    size,
    target: isTarget(target) ? target : undefined,
    modified: isTime(modified) ? modified : undefined,
    mode: isNumber(mode) ? mode : undefined,
    links: isNumber(links) ? links : undefined,
    uid: isNumber(uid) ? uid : undefined,
    gid: isNumber(gid) ? gid : undefined,
    unique: isFact(unique) ? unique : undefined,
  };
}

/** It becomes part of a line of LIST. */
function isTarget(value: string | undefined): boolean {
  return value === undefined || isPath(value);
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("/") && !hasForbiddenCharacter(value);
}

function isTime(value: Date | undefined): boolean {
  return value === undefined || (value instanceof Date && !Number.isNaN(value.getTime()));
}

function isNumber(value: number | undefined): boolean {
  return value === undefined || isCount(value);
}

/** The value of a fact must not look like another fact, or like the name behind them (RFC 3659 §7.2). */
function isFact(value: string | undefined): boolean {
  return value === undefined || (typeof value === "string" && /^[!-:<-~]+$/.test(value));
}

/** The value is shown by its type, and by itself where it cannot be long or hostile. */
function wrong(what: string, value: unknown): TypeError {
  const text = typeof value === "number" || value === null || value === undefined ? String(value) : typeof value;
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : text;
  return new TypeError(`Cannot use ${what} of the file system: ${shown}`);
}

/**
 * Checks what is said of quotas.
 *
 * @throws {TypeError} When a name is none, or an amount is no count.
 */
export function checkQuotas(reports: readonly QuotaReport[]): readonly QuotaReport[] {
  if (!Array.isArray(reports)) throw wrong("quotas", reports);
  for (const report of reports as readonly QuotaReport[]) {
    const { name, used = report.limits, limits } = report;
    if (typeof name !== "string" || hasForbiddenCharacter(name)) throw wrong("name of a quota", name);
    const amounts = [used.bytes, used.files, limits.bytes, limits.files];
    for (const amount of amounts) if (!isCount(amount)) throw wrong("amount of a quota", amount);
  }
  return reports;
}
