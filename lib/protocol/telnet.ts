/**
 * The byte 0xFF on a control connection: Telnet's IAC, which is doubled where it is meant as data (RFC 854, RFC 959 §3).
 * UTF-8 never has it; it is `я` in windows-1251 and `ÿ` in latin1.
 *
 * @module
 */

const IAC = 0xff;

/** Doubles each 0xFF, for a reply. The result is `bytes` itself where there is none. */
export function doubleIac(bytes: Uint8Array): Uint8Array {
  const first = bytes.indexOf(IAC);
  if (first < 0) return bytes;
  const doubled = new Uint8Array(2 * bytes.length - first);
  doubled.set(bytes.subarray(0, first));
  let length = first;
  for (let index = first; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte === IAC) doubled[length++] = IAC;
    doubled[length++] = byte;
  }
  return doubled.subarray(0, length);
}

/**
 * Makes one 0xFF of each two, in the text of a command line. A single one stays: clients from before UTF-8 are known that
 * double none. The result is `bytes` itself where nothing is doubled.
 */
export function undoubleIac(bytes: Uint8Array): Uint8Array {
  const first = bytes.indexOf(IAC);
  if (first < 0) return bytes;
  const single = new Uint8Array(bytes.length);
  single.set(bytes.subarray(0, first));
  let length = first;
  for (let index = first; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    single[length++] = byte;
    if (byte === IAC && bytes[index + 1] === IAC) index++;
  }
  return length === bytes.length ? bytes : single.subarray(0, length);
}
