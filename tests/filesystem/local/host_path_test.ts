import { assert, assertEquals, assertMatch, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { posix, win32 } from "node:path";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import {
  createPartName,
  isAllowedName,
  isPartName,
  joinHostPath,
  namesWithin,
  pathNames,
  type PathRules,
  POSIX_RULES,
  WINDOWS_RULES,
} from "../../../lib/filesystem/local/host_path.ts";
import { resolvePathname } from "../../../lib/protocol/pathname.ts";
import { HOSTILE_PATHS } from "../../security/hostile_paths.ts";

/** The host path of a virtual path, as the local file system makes it. */
function toHostPath(root: string, path: string, rules: PathRules): string {
  return joinHostPath(root, pathNames(path, rules), rules);
}

function isWithinRoot(root: string, resolved: string, rules: PathRules): boolean {
  return namesWithin(root, resolved, rules) !== undefined;
}

Deno.test("joinHostPath() of pathNames() maps below POSIX roots", () => {
  assertStrictEquals(toHostPath("/srv/ftp", "/a/b c", POSIX_RULES), "/srv/ftp/a/b c");
  assertStrictEquals(toHostPath("/srv/ftp/", "/a", POSIX_RULES), "/srv/ftp/a");
  assertStrictEquals(toHostPath("/srv/ftp", "/", POSIX_RULES), "/srv/ftp");
  assertStrictEquals(toHostPath("/", "/etc", POSIX_RULES), "/etc");
  assertStrictEquals(toHostPath("/", "/", POSIX_RULES), "/");
  assertStrictEquals(toHostPath("/srv", "/a\\b:c*", POSIX_RULES), "/srv/a\\b:c*");
});

Deno.test("joinHostPath() of pathNames() maps below Windows roots", () => {
  assertStrictEquals(toHostPath("D:\\", "/a/b", WINDOWS_RULES), "D:\\a\\b");
  assertStrictEquals(toHostPath("D:\\", "/", WINDOWS_RULES), "D:\\");
  assertStrictEquals(toHostPath("C:\\share\\", "/a", WINDOWS_RULES), "C:\\share\\a");
  assertStrictEquals(toHostPath("C:/share", "/a", WINDOWS_RULES), "C:/share\\a");
  assertStrictEquals(toHostPath("\\\\server\\share", "/a", WINDOWS_RULES), "\\\\server\\share\\a");
});

Deno.test("pathNames() splits a normalised path", () => {
  assertEquals(pathNames("/", POSIX_RULES), []);
  assertEquals(pathNames("/a/ b/...", POSIX_RULES), ["a", " b", "..."]);
});

Deno.test("pathNames() refuses a path that is not absolute and normalised", () => {
  for (const path of ["", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/../b", "/a/./b", "../a"]) {
    for (const rules of [POSIX_RULES, WINDOWS_RULES]) {
      assertStrictEquals(assertThrows(() => pathNames(path, rules), FileSystemError).kind, "notFound", path);
    }
  }
});

Deno.test("pathNames() refuses a forbidden name anywhere in the path", () => {
  for (const path of ["/nul/x", "/x/nul", "/..\\..\\x", "/C:/x", "/a/b:stream"]) {
    assertStrictEquals(assertThrows(() => pathNames(path, WINDOWS_RULES), FileSystemError).kind, "invalidName", path);
  }
  assertStrictEquals(assertThrows(() => pathNames("/a/b\nc", POSIX_RULES), FileSystemError).kind, "invalidName");
});

Deno.test("isAllowedName() refuses NUL, CR and LF on POSIX, and nothing else", () => {
  for (const name of ["", ".", "..", "a\0", "a\r", "\na", "a/b"]) assert(!isAllowedName(name, POSIX_RULES), name);
  for (const name of ["...", " a ", "-l", "~", "*", "%41", '"', "a\tb", "CON", "a:b", "PROGRA~1", "x."]) {
    assert(isAllowedName(name, POSIX_RULES), name);
  }
});

Deno.test("isAllowedName() refuses what Windows reads as something else", () => {
  const characters = [...'\\/:*?"<>|', "\0", "\r", "\n", "\t", "\x1f"].map((character) => `a${character}b`);
  const endings = ["a.", "a ", "a. .", "...", ". ", " "];
  const devices = ["CON", "con", "PRN", "Aux", "NUL", "nul.txt", "NUL.tar.gz", "nul .txt", "CONIN$", "conout$.x"];
  const ports = ["COM0", "COM1", "com9", "LPT0", "lpt9.log", "COM¹", "COM²", "LPT³", "lpt¹.txt"];
  const shortNames = ["PROGRA~1", "progra~1", "A~1", "~1", "LONGNA~1.TXT", "PR5A2B~1.c", "AB~12", "a~123456", "x~1."];
  for (const name of ["", ".", "..", ...characters, ...endings, ...devices, ...ports, ...shortNames]) {
    assert(!isAllowedName(name, WINDOWS_RULES), name);
  }
});

Deno.test("isAllowedName() lets ordinary names pass on Windows", () => {
  const names = [
    "a",
    "a.txt",
    " a",
    ".profile",
    "..a",
    "CONSOLE",
    "COM",
    "COM10",
    "xCON",
    "a.con",
    "LPT",
    "auxiliary.txt",
  ];
  for (const name of [...names, "file~", "~file", "a~b", "toolongname~1", "data~1.json", "ü.txt", "it's", "a%20b"]) {
    assert(isAllowedName(name, WINDOWS_RULES), name);
  }
});

Deno.test("namesWithin() compares POSIX paths by components", () => {
  assert(isWithinRoot("/srv/ftp", "/srv/ftp", POSIX_RULES));
  assert(isWithinRoot("/srv/ftp", "/srv/ftp/a", POSIX_RULES));
  assert(isWithinRoot("/srv/ftp/", "/srv/ftp/a", POSIX_RULES));
  assert(isWithinRoot("/", "/", POSIX_RULES));
  assert(isWithinRoot("/", "/etc/passwd", POSIX_RULES));
  for (const path of ["/srv/ftp2", "/srv/ft", "/srv", "/", "/srv/FTP/a", "/srv/ftp/../x", "srv/ftp/a", "/x/srv/ftp"]) {
    assert(!isWithinRoot("/srv/ftp", path, POSIX_RULES), path);
  }
});

Deno.test("namesWithin() compares Windows paths by components, whatever their case", () => {
  assert(isWithinRoot("D:\\", "D:\\", WINDOWS_RULES));
  assert(isWithinRoot("D:\\", "d:\\x", WINDOWS_RULES));
  assert(isWithinRoot("C:\\Share\\", "c:\\sHARE\\x", WINDOWS_RULES));
  assert(isWithinRoot("C:/share", "C:\\share\\x", WINDOWS_RULES));
  assert(isWithinRoot("\\\\server\\share", "\\\\SERVER\\Share\\x", WINDOWS_RULES));
  assert(isWithinRoot("C:\\Öl", "C:\\öl\\x", WINDOWS_RULES));
  const outside = ["C:\\share2\\x", "D:\\share\\x", "C:\\", "\\share\\x", "\\\\C:\\share\\x", "C:\\share\\..\\x"];
  for (const path of outside) assert(!isWithinRoot("C:\\share", path, WINDOWS_RULES), path);
  assert(!isWithinRoot("\\\\server\\share", "\\\\server\\share2", WINDOWS_RULES));
  assert(!isWithinRoot("\\\\server\\share", "\\server\\share\\x", WINDOWS_RULES));
});

Deno.test("namesWithin() keeps names apart that only a single case folding makes equal", () => {
  assert(!isWithinRoot("C:\\stra\u00dfe", "C:\\STRASSE\\x", WINDOWS_RULES));
  assert(!isWithinRoot("C:\\\u212a", "C:\\k\\x", WINDOWS_RULES));
});

Deno.test("namesWithin() returns the names below the root", () => {
  assertEquals(namesWithin("/srv/ftp", "/srv/ftp", POSIX_RULES), []);
  assertEquals(namesWithin("/srv/ftp", "/srv/ftp/a/b", POSIX_RULES), ["a", "b"]);
  assertEquals(namesWithin("D:\\", "D:\\A\\b", WINDOWS_RULES), ["A", "b"]);
  assertStrictEquals(namesWithin("/srv/ftp", "/srv", POSIX_RULES), undefined);
});

/** Paths as the gate gives them; what is not UTF-8 never gets so far. */
const RESOLVED_PATHS = HOSTILE_PATHS.filter((path) => !/[\uf700-\uf7ff]/.test(path)).flatMap((path) =>
  ["/", "/inner"].map((directory) => resolvePathname(directory, path))
);

Deno.test("pathNames() returns of hostile paths on POSIX only those below the root", () => {
  for (const path of RESOLVED_PATHS) {
    const hostPath = hostPathOrRefusal("/srv/home", path, POSIX_RULES);
    if (hostPath === undefined) continue;
    assertStrictEquals(posix.resolve(hostPath), hostPath, path);
    assert(hostPath === "/srv/home" || hostPath.startsWith("/srv/home/"), path);
    assert(!/[\0\r\n]/.test(hostPath), path);
  }
});

Deno.test("pathNames() returns of hostile paths on Windows only those that Windows reads as they are", () => {
  let accepted = 0;
  for (const path of RESOLVED_PATHS) {
    for (const root of ["C:\\srv\\home", "\\\\server\\share\\home"]) {
      const hostPath = hostPathOrRefusal(root, path, WINDOWS_RULES);
      if (hostPath === undefined) continue;
      accepted++;
      assertStrictEquals(win32.resolve(hostPath), hostPath, path);
      assert(hostPath === root || hostPath.startsWith(`${root}\\`), path);
      for (const name of hostPath.slice(root.length + 1).split("\\")) {
        if (name !== "") assertStrictEquals(asWindowsReads(name), name, path);
      }
    }
  }
  assert(accepted > 0);
});

function hostPathOrRefusal(root: string, path: string, rules: PathRules): string | undefined {
  try {
    return toHostPath(root, path, rules);
  } catch (error) {
    if (error instanceof FileSystemError) return undefined;
    throw error;
  }
}

/** What a name comes to in the Win32 layer: a stream's file, a device, or the name without its end. */
function asWindowsReads(name: string): string {
  const file = name.split(":")[0] ?? "";
  const trimmed = file.replace(/[. ]+$/, "");
  const stem = (trimmed.split(".")[0] ?? "").trimEnd().toUpperCase();
  const devices = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
  const isPort = stem.length === 4 && /^(?:COM|LPT)/.test(stem) &&
    "0123456789\u00b9\u00b2\u00b3".includes(stem.at(3) ?? "");
  if (devices.includes(stem) || isPort) return `\\\\.\\${stem}`;
  return [...trimmed].filter((character) => character >= " " && !'/\\*?"<>|'.includes(character)).join("");
}

Deno.test("createPartName() makes a hidden name, another one each time", () => {
  assertMatch(createPartName(), /^\.ftpsd-[0-9a-z]{8}\.part$/);
  assert(isPartName(createPartName()));
  assertNotEquals(createPartName(), createPartName());
});

Deno.test("isPartName() knows such names alone, in any case, as some systems ignore case", () => {
  for (const name of [".ftpsd-0a1b2c3d.part", ".FTPSD-0A1B2C3D.PART"]) assert(isPartName(name), name);
  const others = ["", ".ftpsd-.part", ".ftpsd-0a1b2c3.part", ".ftpsd-0a1b2c3d4.part", "ftpsd-0a1b2c3d.part"];
  for (const name of [...others, ".ftpsd-0a1b2c3d.part.txt", ".ftpsd-0a1b2c3d.part\n", ".ftpsd-0a1b_c3d.part"]) {
    assert(!isPartName(name), name);
  }
});
