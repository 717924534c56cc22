/**
 * Verb and argument of a command line: RFC 959 §5.3.
 *
 * @module
 */

/** A command as the client sent it. */
export interface CommandLine {
  /** In capitals; with its sub-command for SITE (`"SITE CHMOD"`). May be empty or anything else a client can send. */
  readonly verb: string;
  /** All that follows the one space behind the verb, verbatim: spaces belong to names. Empty when there is none. */
  readonly argument: string;
}

/** Splits a line, without its terminator, into verb and argument. Only ASCII letters are turned into capitals. */
export function parseCommandLine(text: string): CommandLine {
  const command = splitVerb(text);
  if (command.verb !== "SITE" || command.argument === "") return command;
  const site = splitVerb(command.argument);
  return { verb: `SITE ${site.verb}`, argument: site.argument };
}

function splitVerb(text: string): CommandLine {
  const space = text.indexOf(" ");
  const verb = space < 0 ? text : text.slice(0, space);
  return {
    // Other letters must not become a verb: "ı" in capitals is "I".
    verb: verb.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
    argument: space < 0 ? "" : text.slice(space + 1),
  };
}

/**
 * Returns whether a verb may be shown: a line that begins with none may be a password, or one run together with its verb,
 * which neither the log nor a reply should repeat.
 */
export function looksLikeVerb(verb: string): boolean {
  return /^[A-Z]{0,10}(?: [A-Z]{1,10})?$/.test(verb) && !/PASS./.test(verb);
}

/** Telnet's IAC, doubled where it is meant as data. UTF-8 never has it; it is `я` in windows-1251 and `ÿ` in latin1. */
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
