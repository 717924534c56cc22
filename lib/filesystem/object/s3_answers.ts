/**
 * Answers of a store, which are XML, or headers.
 *
 * They are read by `@rgrove/parse-xml`, which is strict, knows no entity but XML's own five and numeric ones, needs nothing and no
 * permission, and makes no property of a name that a store has chosen. It is loaded with the first answer.
 *
 * @module
 */

import type { XmlElement } from "@rgrove/parse-xml";
import { FileSystemError } from "../filesystem.ts";
import type {
  ListedObject,
  ListPage,
  ObjectInfo,
  PendingMultipart,
  UploadedPart,
  UploadsPage,
} from "./object_store.ts";

/** Most entries of a page: as many as are asked for. A store that sends more would keep the event loop busy with them. */
const MAX_ENTRIES = 1000;
/** Longest answer that is looked at for what an error says. */
const MAX_ERROR_LENGTH = 65_536;
/** Where control characters are put while an answer is parsed. */
const CONTROLS_AT = 0x10ff00;

/** The answer of a store that has refused. */
export interface ErrorAnswer {
  readonly status: number;
  /** Empty when the answer had none. */
  readonly code: string;
  readonly message: string;
  /** The condition that was not met, when the store tells it. */
  readonly condition: string;
}

/** An element of an answer. */
export class AnswerElement {
  readonly #element: XmlElement;

  /** For `parseAnswer()`. */
  constructor(element: XmlElement) {
    this.#element = element;
  }

  get name(): string {
    return this.#element.name;
  }

  /** The elements of that name in it. */
  all(name: string): AnswerElement[] {
    const found: AnswerElement[] = [];
    for (const child of this.#element.children) {
      if (child.type === "element" && (child as XmlElement).name === name) {
        found.push(new AnswerElement(child as XmlElement));
      }
    }
    return found;
  }

  /** The text of the first element of that name, as it is; `undefined` when there is none. */
  find(name: string): string | undefined {
    for (const child of this.#element.children) {
      if (child.type === "element" && (child as XmlElement).name === name) {
        return restoreControls((child as XmlElement).text);
      }
    }
    return undefined;
  }

  /** The text of an element that has to be there. */
  text(name: string): string {
    const text = this.find(name);
    if (text === undefined) throw new SyntaxError(`The answer "${this.name}" has no "${name}"`);
    return text;
  }
}

/**
 * Reads an answer.
 *
 * @throws {FileSystemError} Kind `unavailable` when it is not the answer with that root.
 */
export async function parseAnswer(text: string, root: string): Promise<AnswerElement> {
  const element = await parseElement(text);
  if (element?.name === root) return element;
  throw new FileSystemError("unavailable", `The store has answered ${describe(element)} instead of "${root}"`);
}

/** Reads what an answer with an error says, whatever it is. */
export async function parseError(status: number, text: string): Promise<ErrorAnswer> {
  const element = text.length > MAX_ERROR_LENGTH ? undefined : await parseElement(text);
  const field = (name: string) => element?.name === "Error" ? oneLine(element.find(name) ?? "") : "";
  return { status, code: field("Code"), message: field("Message"), condition: field("Condition") };
}

/** Returns whether the body of an answer that says success is an error: what it says was known before the work was done. */
export function isErrorBody(text: string): boolean {
  const start = text.trimStart(); // spaces keep the connection open meanwhile
  return /^<Error[\s>]/.test(start.startsWith("<?") ? start.slice(start.indexOf("?>") + 2).trimStart() : start);
}

/** A page of ListObjectsV2. */
export function readListPage(answer: AnswerElement): ListPage {
  const decode = decoderOf(answer);
  const objects = entriesOf(answer, "Contents").map((it): ListedObject => ({
    key: decode(it.text("Key")),
    size: readWhole(it.text("Size")),
    etag: readETag(it.text("ETag")),
    modified: readDate(it.text("LastModified")),
  }));
  const prefixes = entriesOf(answer, "CommonPrefixes").map((it) => decode(it.text("Prefix")));
  const isTruncated = answer.find("IsTruncated") === "true";
  return { objects, prefixes, next: isTruncated ? answer.text("NextContinuationToken") : undefined };
}

/** A page of ListMultipartUploads. */
export function readUploadsPage(answer: AnswerElement): UploadsPage {
  const decode = decoderOf(answer);
  const uploads = entriesOf(answer, "Upload").map((it): PendingMultipart => ({
    key: decode(it.text("Key")),
    uploadId: it.text("UploadId"),
    begun: readDate(it.text("Initiated")),
  }));
  const isTruncated = answer.find("IsTruncated") === "true";
  const next = () => ({ key: decode(answer.text("NextKeyMarker")), uploadId: answer.text("NextUploadIdMarker") });
  return { uploads, next: isTruncated ? next() : undefined };
}

/** A page of ListParts; `next` is the number behind which the next one begins. */
export function readPartsPage(answer: AnswerElement): { parts: UploadedPart[]; next: string | undefined } {
  const parts = entriesOf(answer, "Part").map((it): UploadedPart => ({
    number: readWhole(it.text("PartNumber")),
    etag: readETag(it.text("ETag")),
    size: readWhole(it.text("Size")),
  }));
  const isTruncated = answer.find("IsTruncated") === "true";
  return { parts, next: isTruncated ? answer.text("NextPartNumberMarker") : undefined };
}

function entriesOf(answer: AnswerElement, name: string): AnswerElement[] {
  const entries = answer.all(name);
  if (entries.length > MAX_ENTRIES) {
    throw new SyntaxError(`The answer has ${entries.length} of "${name}", more than a page`);
  }
  return entries;
}

/** What the headers of an object say. */
export function readObjectInfo(headers: Headers): ObjectInfo {
  const metadata: [string, string][] = [];
  for (const [name, value] of headers) {
    if (name.startsWith("x-amz-meta-")) metadata.push([name.slice("x-amz-meta-".length), value]);
  }
  return {
    size: readWhole(headers.get("content-length") ?? ""),
    etag: readETag(headers.get("etag") ?? ""),
    modified: readDate(headers.get("last-modified") ?? ""),
    metadata: Object.freeze(Object.assign(Object.create(null), Object.fromEntries(metadata))),
  };
}

/** An ETag with quotes, which some stores leave out in some answers. */
export function readETag(text: string): string {
  const bare = text.trim().replace(/^W\//, "").replace(/^"(.*)"$/, "$1"); // a proxy that packs makes them weak
  if (!/^[\x21\x23-\x7e]+$/.test(bare)) throw new SyntaxError("The answer has no ETag");
  return `"${bare}"`;
}

/** A whole number from 0 on. */
export function readWhole(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new SyntaxError(`The answer has no number where it should: "${oneLine(text)}"`);
  }
  return value;
}

/**
 * Runs a reader of answers.
 *
 * @throws {FileSystemError} Kind `unavailable` when an answer is not what it should be.
 */
export function readOrRefuse<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof URIError)) throw error;
    throw new FileSystemError("unavailable", error.message, { cause: error });
  }
}

function readDate(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new SyntaxError(`The answer has no time where it should: "${oneLine(text)}"`);
  return date;
}

/** Keys are encoded when the answer says so: those with control characters could not be in XML otherwise. */
function decoderOf(answer: AnswerElement): (text: string) => string {
  return answer.find("EncodingType") === "url"
    ? (text) => decodeURIComponent(text.replaceAll("+", " ")) // as forms do it; a plus sign is always encoded
    : (text) => text;
}

async function parseElement(text: string): Promise<AnswerElement | undefined> {
  const { parseXml } = await import("@rgrove/parse-xml");
  try {
    // Spaces before the answer keep the connection open while the store is at work.
    const { root } = parseXml(replaceControls(text.trimStart()));
    return root === null ? undefined : new AnswerElement(root);
  } catch {
    return undefined; // of a proxy, or cut
  }
}

/**
 * Stores write keys with control characters where nothing is encoded, and prefixes nearly always, as they are or as references,
 * though XML has neither them nor U+FFFE and U+FFFF: one file of such a name would make a folder unreadable. They go through the
 * parser as characters of a private plane.
 */
function replaceControls(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return text.replaceAll(/&#x?0*[0-9a-f]{1,5};|[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/gi, (found) => {
    const digits = found.slice(2, -1);
    const code = found.length === 1 ? found.charCodeAt(0) : Number(digits.replace(/^x/i, "0x"));
    const isControl = code > 0 && code < 0x20 && ![0x9, 0xa, 0xd].includes(code);
    return isControl || code === 0xfffe || code === 0xffff ? String.fromCodePoint(CONTROLS_AT + (code & 0xff)) : found;
  });
}

function restoreControls(text: string): string {
  return text.replaceAll(/[\u{10ff01}-\u{10ff1f}\u{10fffe}\u{10ffff}]/gu, (stand) => {
    const code = (stand.codePointAt(0) ?? 0) - CONTROLS_AT;
    return String.fromCharCode(code < 0x20 ? code : 0xff00 + code);
  });
}

function describe(element: AnswerElement | undefined): string {
  return element === undefined ? "no XML" : `"${oneLine(element.name)}"`;
}

function oneLine(text: string): string {
  return text.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, "?");
}
