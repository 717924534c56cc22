/**
 * The part of DER (ITU-T X.690) that a certificate is written in. Pure.
 *
 * @module
 */

/** Tags of the values (X.680 §8.4); what a sequence or set has in it is constructed. */
const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Values of a kind that is known by its tag; their encodings stand behind each other. */
export function derValue(tag: keyof typeof TAGS | number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, { length }) => sum + length, 0);
  return concatenate([typeof tag === "number" ? tag : TAGS[tag]], derLength(length), ...contents);
}

/** The tag of a value that stands in the place of number `number` of a sequence or choice (X.690 §8.14). */
export function derContextTag(number: number, { isConstructed = false } = {}): number {
  return 0x80 | (isConstructed ? 0x20 : 0) | number;
}

/** TRUE. */
export const DER_TRUE: Uint8Array = derValue("boolean", Uint8Array.of(0xff));

/** A number that is not negative, from its bytes, the highest first. */
export function derUnsigned(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Uint8Array.of(0) : bytes.subarray(start);
  // A first bit of 1 would make it negative.
  return derValue("integer", Uint8Array.of(...(digits[0] ?? 0) >= 0x80 ? [0] : []), digits);
}

/** An object identifier, from its dotted form (X.690 §8.19). */
export function derObjectIdentifier(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  return derValue("objectIdentifier", Uint8Array.from([first * 40 + second, ...rest].flatMap(sevenBitDigits)));
}

/** A bit string of whole bytes, but for the last `unusedBits` bits. */
export function derBitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return derValue("bitString", Uint8Array.of(unusedBits), bytes);
}

/** A text of any characters. */
export function derText(text: string): Uint8Array {
  return derValue("utf8String", new TextEncoder().encode(text));
}

/** A time of whole seconds, in the form that its year demands (RFC 5280 §4.1.2.5). */
export function derTime(time: Date): Uint8Array {
  const digits = `${time.toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "")}`;
  const year = time.getUTCFullYear();
  const isShort = year >= 1950 && year < 2050;
  return derValue(
    isShort ? "utcTime" : "generalizedTime",
    new TextEncoder().encode(isShort ? digits.slice(2) : digits),
  );
}

/** Below 128 a length is one byte; others have the number of their bytes before them (X.690 §8.1.3). */
function derLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) bytes.unshift(rest % 0x100);
  return [0x80 | bytes.length, ...bytes];
}

/** Digits to the base of 128; all but the last have the first bit set. */
function sevenBitDigits(number: number): number[] {
  const digits = [number % 0x80];
  for (let rest = Math.floor(number / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    digits.unshift(0x80 | rest % 0x80);
  }
  return digits;
}

function concatenate(...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}
