/**
 * Pathnames by which somebody may try to leave a home, or to have a name read as another, on any system.
 *
 * They are put together from a table, always the same. A character from U+F700 to U+F7FF stands for a byte that is sent as it
 * is, since what is not UTF-8 is tried, too.
 *
 * @module
 */

/** A byte that is sent as it is. */
const raw = (...bytes: readonly number[]) => String.fromCharCode(...bytes.map((byte) => 0xf700 + byte));

/** What may be taken for a step up, a separator behind it. */
const CLIMBS = [
  "../",
  "..\\",
  "..//",
  "..\\/",
  "./../",
  ".\\..\\",
  "x/../../",
  "....//",
  "..../",
  ".../",
  "..;/",
  ".. /",
  "../ ",
  " ../",
  ".. ./",
  "..\t/",
  "..\x01/",
  "..\x7f/",
  "..\r/",
  "..\0/",
  "%2e%2e/",
  "%2E%2E%2F",
  "..%2f",
  "..%5c",
  "%252e%252e%252f",
  "%c0%ae%c0%ae%c0%af",
  "%u002e%u002e/",
  "..%00/",
  "..&#47;",
  "\\u002e\\u002e\\u002f",
  "\uff0e\uff0e/", // full-width full stops
  "\u2025/", // two-dot leader
  "\u2024\u2024/", // one-dot leaders
  "\ufe52\ufe52/", // small full stops
  "..\u2215", // division slash
  "..\u2044", // fraction slash
  "..\uff0f", // full-width solidus
  "..\uff3c", // full-width reverse solidus
  "..\u29f8", // big solidus
  ".\u200b./", // zero-width space
  ".\u200d./", // zero-width joiner
  "..\u00ad/", // soft hyphen
  "..\ufeff/", // byte order mark
  "\u202e../", // right-to-left override
  "..\u0338/", // combining solidus
  raw(0xc0, 0xae, 0xc0, 0xae) + "/", // overlong forms of full stops
  ".." + raw(0xc0, 0xaf), // and of a solidus
  ".." + raw(0xe0, 0x80, 0xaf),
  raw(0x2e, 0x2e, 0xff) + "/", // Telnet's IAC
  ".." + raw(0x80) + "/",
] as const;

/** How far up, and to what. */
const DESTINATIONS: readonly (readonly [steps: number, target: string])[] = [
  [1, "outside/secret"],
  [2, "outside/secret"],
  [12, "etc/passwd"],
  [1, ""],
];

/** Places that are no part of a virtual path, each with something behind. */
const PLACES = [
  "C:",
  "C:\\",
  "C:/",
  "c:..\\",
  "/C:/",
  "D:outside\\",
  "\\\\localhost\\c$\\",
  "//localhost/c$/",
  "\\\\?\\C:\\",
  "//?/C:/",
  "\\\\.\\C:\\",
  "\\\\.\\PhysicalDrive0\\",
  "\\\\?\\UNC\\localhost\\c$\\",
  "\\??\\C:\\",
  "\\\\?\\GLOBALROOT\\Device\\",
  "\\",
  "//",
  "///",
  "/\\",
  "/./",
  "file:///",
  "file://localhost/",
  "http://127.0.0.1/",
  "~/",
  "~root/",
  "$HOME/",
  "%SystemRoot%\\",
  "${HOME}/",
  "/proc/self/root/",
  "/proc/self/cwd/",
  "/dev/fd/",
  "/dev/../",
  "/system/",
  "around/",
  "inner/link/../",
  "folder/../../",
  "-- /",
  "-la /",
] as const;

/** What a place may lead to. */
const TARGETS = ["outside/secret", "..\\outside\\secret", "etc/passwd"] as const;

/** Names that some system reads as another name, as a device, a stream, a pattern or a command, or not at all. */
const NAMES = [
  ...["CON", "con.txt", "PRN", "AUX.tar.gz", "NUL", "nul .txt", "CONIN$", "CONOUT$", "CLOCK$", "COM1", "COM\u00b9"],
  ...["LPT9", "LPT\u00b3.log", "COM0", "NUL:", "NUL.", "aux ", "inner/NUL/x"],
  ...["in.txt:stream", "in.txt::$DATA", "in.txt:x:$DATA", "inner:$I30:$INDEX_ALLOCATION", "::$INDEX_ALLOCATION", "a:b"],
  ...[
    "in.txt.",
    "in.txt..",
    "in.txt ",
    "in.txt. .",
    "in.txt\u00a0",
    ". .",
    ".. .",
    "... ",
    " .",
    ". ",
    ".. ",
    "...",
    "....",
  ],
  ...["IN~1.TXT", "OUTSID~1", "PROGRA~1", "inner~1", "LONGNA~1.T", "~1", "A~123456"],
  ...[
    "IN.TXT",
    "In.Txt",
    "\u0131n.txt",
    "\u0130N.TXT",
    "in.t\u00d7t",
    "\u0456n.txt",
    "in\u2024txt",
    "in\u3002txt",
    "in.\ufb05xt",
  ],
  ...[
    "e\u0301",
    "\u00e9",
    "\u1e9b\u0323",
    "\u212b",
    "\u00c5",
    "\ufb01le",
    "\u017fecret",
    "\u212a",
    "STRASSE",
    "stra\u00dfe",
  ],
  ...[
    "out\u0455ide",
    "\uff4futside",
    "out\u200bside",
    "\u202etxt.ni",
    "in.txt\u202e",
    "\ufeffin.txt",
    "\u0000",
    "in.txt\0.jpg",
  ],
  ...[
    "in.txt%00",
    "in.txt%00.jpg",
    "in.txt\x01",
    "\x1b[2Jin.txt",
    "in\x08.txt",
    "in.txt\x85",
    "in.txt\u2028",
    "in\rtxt",
  ],
  ...[raw(0xff), raw(0xfe, 0xff), raw(0xc3, 0x28), raw(0xed, 0xa0, 0x80), raw(0xf8, 0x88, 0x80, 0x80, 0x80), raw(0x80)],
  ...[raw(0xc1, 0x9c), raw(0xf4, 0x90, 0x80, 0x80), `in${raw(0xff, 0xff)}.txt`, `${raw(0xc0, 0x80)}in.txt`],
  ...[
    "*",
    "?",
    "in.*",
    "i?.txt",
    "[a-z]*",
    "{in,out}.txt",
    "!(x)",
    "<",
    ">",
    "|",
    '"',
    "'",
    "`id`",
    "$(id)",
    ";id",
    "&&id",
  ],
  ...["|id", "%s%s%n", "%x", "#", "!", "-", "--", "-rf", "-a", "--help", "@", "=", "+", ",", "inner/*", "inner/..*"],
  ...[
    ".ftpsd-0a1b2c3d.part",
    ".FTPSD-0A1B2C3D.PART",
    ".ftpsd-../.part",
    ".htaccess",
    ".git/config",
    ".ssh/authorized_keys",
  ],
  ...[
    "x".repeat(255),
    "x".repeat(256),
    "x".repeat(1024),
    "x".repeat(3900),
    "\u00e9".repeat(128),
    "\u{1f600}".repeat(64),
  ],
  ...[
    "x/".repeat(100),
    "x/".repeat(1900),
    "../".repeat(1200),
    "..\\".repeat(1200),
    "./".repeat(1900),
    "/".repeat(3900),
  ],
  ...[
    "inner/".repeat(600),
    `inner/${"../inner/".repeat(400)}`,
    `${"x".repeat(255)}/${"x".repeat(255)}`,
    "a".repeat(128) + "/..",
  ],
  ...[
    "folder",
    "folder/empty",
    "folder/new",
    "around/outside",
    "dangling/x",
    "absolute/.",
    "folder/.",
    "folder/..",
    "chain/../..",
    "system/.",
    "around/home/../outside/secret",
  ],
] as const;

/** All of them, each once. */
export const HOSTILE_PATHS: readonly string[] = [
  ...new Set([
    ...CLIMBS.flatMap((climb) => DESTINATIONS.map(([steps, target]) => climb.repeat(steps) + target)),
    ...PLACES.flatMap((place) => TARGETS.map((target) => place + target)),
    ...NAMES,
  ]),
];

/** The bytes that a line with such a path is sent as. */
export function encodeHostile(line: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const parts = line.split(/([\uf700-\uf7ff])/u).map((part) =>
    /^[\uf700-\uf7ff]$/u.test(part) ? [part.charCodeAt(0) - 0xf700] : encoder.encode(part)
  );
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
