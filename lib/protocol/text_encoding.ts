/**
 * How text is written on the wire: UTF-8 (RFC 2640), or what clients from before it were made for.
 *
 * @module
 */

/** Turns text into bytes and back. */
export interface TextEncoding {
  /** Name, lower case: `"utf-8"`, `"cp437"`, `"shift_jis"`. */
  readonly label: string;
  /** The bytes of a text; `?` stands for characters that there are none for. */
  encode(text: string): Uint8Array;
  /** The text of bytes; `undefined` when they mean none. */
  decode(bytes: Uint8Array): string | undefined;
  /** Returns whether a text is the same after it was sent. */
  canEncode(text: string): boolean;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const UTF8_LABEL_REGEXP = /^utf-?8$/i;
const REPLACEMENT = "\ufffd";
const ASCII = String.fromCharCode(...Array(128).keys());

/** UTF-8. */
export const UTF8: TextEncoding = {
  label: "utf-8",
  encode: (text) => ENCODER.encode(text),
  decode(bytes) {
    try {
      return DECODER.decode(bytes);
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  },
  canEncode: (text) => text.isWellFormed(),
};

/**
 * Finds an encoding by its name, as `iconv` knows it: `"utf-8"`, `"latin1"`, `"windows-1252"`, `"cp850"`, `"shift_jis"`.
 * The tables are only loaded for those that are not UTF-8.
 *
 * @throws {RangeError} When the name is unknown, or ASCII is not its lower half: commands and names would be ambiguous then.
 */
export async function loadEncoding(name: string): Promise<TextEncoding> {
  if (UTF8_LABEL_REGEXP.test(name)) return UTF8;
  const { default: iconv } = await import("iconv-lite");
  if (!iconv.encodingExists(name)) throw new RangeError(`Cannot use encoding "${name}": it is unknown`);
  const encode = (text: string): Uint8Array => Uint8Array.from(iconv.encode(text, name));
  const decode = (bytes: Uint8Array): string => iconv.decode(bytes, name);
  if (decode(ENCODER.encode(ASCII)) !== ASCII || decode(encode(ASCII)) !== ASCII || encode(ASCII).length !== 128) {
    throw new RangeError(`Cannot use encoding "${name}": ASCII is not a part of it`);
  }
  return {
    label: name.toLowerCase(),
    encode,
    decode(bytes) {
      const text = decode(bytes);
      return text.includes(REPLACEMENT) ? undefined : text;
    },
    canEncode: (text) => decode(encode(text)) === text,
  };
}
