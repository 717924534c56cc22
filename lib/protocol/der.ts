/**
 * Values in DER (X.690 §8.1, §10.1), as certificates and revocation lists are made of.
 *
 * Only what these need, and strictly: one byte of tag, definite lengths in their shortest form, nothing behind the end.
 *
 * @module
 */

/** One value. */
export interface DerValue {
  /** First byte: class, whether it is constructed, and number. */
  readonly tag: number;
  /** What is in it. */
  readonly content: Uint8Array;
  /** All of it, tag and length included. */
  readonly bytes: Uint8Array;
}

/** Tags of X.680 §8.4 that occur in certificates. */
export const DER_TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Bytes that are not DER, or not what was expected in them. */
export class DerError extends Error {
  /** The name of the class. */
  override readonly name = "DerError";
}

const MULTI_BYTE_TAG = 0x1f;
/** More than a file can have that is read whole. */
const MAX_LENGTH_BYTES = 4;

/**
 * Reads the one value that some bytes are.
 *
 * @throws {DerError} When they are none, or more than one.
 */
export function readDer(bytes: Uint8Array): DerValue {
  const [value, ...others] = readAll(bytes);
  if (value === undefined || others.length > 0) throw new DerError("Expected one value");
  return value;
}

/**
 * The values in a constructed one.
 *
 * @param tag What it has to be. @default {a sequence}
 * @throws {DerError} When it is something else, or damaged.
 */
export function derParts(value: DerValue | undefined, tag: number = DER_TAG.sequence): readonly DerValue[] {
  return readAll(derContent(value, tag));
}

/**
 * What is in a value of a kind.
 *
 * @throws {DerError} When there is none, or it is of another kind.
 */
export function derContent(value: DerValue | undefined, tag: number): Uint8Array {
  if (value?.tag !== tag) throw new DerError(`Expected a value of tag ${tag}, found ${value?.tag ?? "none"}`);
  return value.content;
}

function readAll(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const value = readFirst(rest);
    values.push(value);
    rest = rest.subarray(value.bytes.length);
  }
  return values;
}

function readFirst(bytes: Uint8Array): DerValue {
  const [tag = 0, first] = bytes;
  if ((tag & MULTI_BYTE_TAG) === MULTI_BYTE_TAG) throw new DerError("Cannot read a tag of several bytes");
  if (first === undefined) throw new DerError("Expected a length");
  const lengthBytes = first < 0x80 ? bytes.subarray(1, 2) : bytes.subarray(2, 2 + (first & 0x7f));
  const length = lengthBytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (first >= 0x80) assertShortest(lengthBytes, { count: first & 0x7f, length });
  const header = first < 0x80 ? 2 : 2 + lengthBytes.length;
  if (bytes.length < header + length) throw new DerError("The value is cut off");
  return { tag, content: bytes.subarray(header, header + length), bytes: bytes.subarray(0, header + length) };
}

function assertShortest(
  bytes: Uint8Array,
  { count, length }: { readonly count: number; readonly length: number },
): void {
  const isShortest = count > 0 && count <= MAX_LENGTH_BYTES && bytes.length === count && bytes[0] !== 0 &&
    length >= 0x80;
  if (!isShortest) throw new DerError("The length is not in its shortest form");
}

/**
 * An object identifier in dots, such as `2.5.4.3` (X.690 §8.19).
 *
 * @throws {DerError} When it is none.
 */
export function derIdentifier(value: DerValue | undefined): string {
  const content = derContent(value, DER_TAG.objectIdentifier);
  const numbers: number[] = [];
  let number = 0;
  for (const [index, byte] of content.entries()) {
    number = number * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(number)) throw new DerError("The object identifier is too long");
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    } else if (index === content.length - 1) throw new DerError("The object identifier is cut off");
  }
  const [first, ...others] = numbers;
  if (first === undefined) throw new DerError("The object identifier is empty");
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...others].join(".");
}

/**
 * A point in time as certificates have them: in UTC, with seconds (RFC 5280 §4.1.2.5).
 *
 * @throws {DerError} When it is none.
 */
export function derTime(value: DerValue | undefined): Date {
  const isShort = value?.tag === DER_TAG.utcTime;
  const text = new TextDecoder().decode(derContent(value, isShort ? DER_TAG.utcTime : DER_TAG.generalizedTime));
  const full = isShort ? `${text < "50" ? "20" : "19"}${text}` : text;
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? [];
  const [year, month, day, hour, minute, second] = parts;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime())) throw new DerError("Cannot read a time");
  return time;
}
