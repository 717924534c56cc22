/**
 * Conversion of TYPE A between LF in files and CR LF on the wire: RFC 959 §3.1.1.1 and §3.4.
 *
 * Results may share memory with the bytes given.
 *
 * @module
 */

const LF = 0x0a;
const CR = 0x0d;

/** From file to wire: LF becomes CR LF; a CR LF stays as it is, also when it comes in two chunks. */
export class AsciiEncoder {
  #lastByte = 0;

  /** Converts the next chunk. The result has at most twice its bytes; it is the chunk itself when nothing changes. */
  convert(bytes: Uint8Array): Uint8Array {
    const first = findBareLineFeed(bytes, this.#lastByte);
    this.#lastByte = bytes.at(-1) ?? this.#lastByte;
    if (first === bytes.length) return bytes;
    const converted = new Uint8Array(2 * bytes.length - first);
    converted.set(bytes.subarray(0, first));
    let length = first;
    // Whatever is before `first`, it is no CR.
    let previous = 0;
    for (let index = first; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (byte === LF && previous !== CR) converted[length++] = CR;
      converted[length++] = byte;
      previous = byte;
    }
    return converted.subarray(0, length);
  }

  /** Returns what is left at the end of the file: nothing. */
  flush(): Uint8Array {
    return new Uint8Array(0);
  }
}

/** From wire to file: CR LF becomes LF, also when it comes in two chunks; a lone CR or LF stays as it is. */
export class AsciiDecoder {
  #holdsCarriageReturn = false;

  /**
   * Converts the next chunk; a CR at its end waits for what follows. The result has at most one byte more than the
   * chunk; it is the chunk itself, or a part of it, when nothing else changes.
   */
  convert(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return bytes;
    const prefix = this.#holdsCarriageReturn && bytes[0] !== LF ? 1 : 0;
    this.#holdsCarriageReturn = bytes.at(-1) === CR;
    const end = bytes.length - (this.#holdsCarriageReturn ? 1 : 0);
    const first = findLineEnd(bytes, end);
    if (first === end && prefix === 0) return bytes.subarray(0, end);
    const converted = new Uint8Array(prefix + end);
    converted.fill(CR, 0, prefix);
    converted.set(bytes.subarray(0, first), prefix);
    let length = prefix + first;
    for (let index = first; index < end; index++) {
      const byte = bytes[index] ?? 0;
      if (byte !== CR || bytes[index + 1] !== LF) converted[length++] = byte;
    }
    return converted.subarray(0, length);
  }

  /** Returns what is left at the end of the transfer: the CR that the last chunk ended with. */
  flush(): Uint8Array {
    const rest = this.#holdsCarriageReturn ? Uint8Array.of(CR) : new Uint8Array(0);
    this.#holdsCarriageReturn = false;
    return rest;
  }
}

/** Index of the first LF without CR before it, or the length. */
function findBareLineFeed(bytes: Uint8Array, byteBefore: number): number {
  let index = bytes.indexOf(LF);
  if (index < 0) return bytes.length;
  let previous = index > 0 ? bytes[index - 1] : byteBefore;
  for (; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === LF && previous !== CR) return index;
    previous = byte;
  }
  return index;
}

/** Index of the first CR LF before `end`, or `end`. */
function findLineEnd(bytes: Uint8Array, end: number): number {
  let index = bytes.indexOf(CR);
  if (index < 0) return end;
  while (index < end && (bytes[index] !== CR || bytes[index + 1] !== LF)) index++;
  return index;
}
