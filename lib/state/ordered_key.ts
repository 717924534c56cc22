/**
 * Keys as bytes.
 *
 * @module
 */

/**
 * Returns bytes whose order is that of the UTF-16 code units, which the port of records wants. Unlike a text of a database they keep
 * a lone surrogate, and what is behind a NUL.
 */
export function orderedKey(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes[index * 2] = unit >> 8;
    bytes[index * 2 + 1] = unit & 0xff;
  }
  return bytes;
}
