/**
 * Takes the runtime out of an executable that `deno compile` has made for Linux, so that executables can be tried where the
 * runtime cannot be downloaded. For tests only: releases are built on the runtime that Deno publishes.
 *
 * `deno compile` appends the program as an ELF note, and behind it new tables of program and section headers; of what was
 * there before it changes nothing but four fields of the ELF header. The old section headers are still in front of what
 * was appended.
 *
 * Usage: `deno run --allow-read --allow-write tests/packaging/recover_runtime.ts EXECUTABLE RUNTIME`
 *
 * @module
 */

const LITTLE_ENDIAN = true;
const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const PROGRAM_BYTES = 56;
/** Headers that `deno compile` adds: sections for the new table and the note, a loaded segment and the note. */
const ADDED = 2;
/** Fields of the ELF header (System V ABI, chapter 4). */
const FIELD = { programOffset: 32, sectionOffset: 40, programCount: 56, sectionCount: 60 } as const;
/** How far the old section headers are looked for in front of what was appended. */
const MAX_PADDING = 64 * 1024 * 1024;

/**
 * Recovers the runtime.
 *
 * @throws {TypeError} When the file is no 64-bit little-endian ELF executable that `deno compile` has made.
 */
export function recoverRuntime(executable: Uint8Array): Uint8Array {
  const view = new DataView(executable.buffer, executable.byteOffset, executable.byteLength);
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) {
    throw new TypeError("Cannot recover a runtime: this is no 64-bit ELF file");
  }
  const appendedAt = Number(view.getBigUint64(FIELD.programOffset, LITTLE_ENDIAN));
  const sectionsAt = Number(view.getBigUint64(FIELD.sectionOffset, LITTLE_ENDIAN));
  const sectionCount = view.getUint16(FIELD.sectionCount, LITTLE_ENDIAN) - ADDED;
  const oldSectionsAt = findSections(executable, { appendedAt, sectionsAt, sectionCount });
  const runtime = executable.slice(0, oldSectionsAt + sectionCount * SECTION_BYTES);
  const header = new DataView(runtime.buffer);
  header.setBigUint64(FIELD.programOffset, BigInt(HEADER_BYTES), LITTLE_ENDIAN);
  header.setBigUint64(FIELD.sectionOffset, BigInt(oldSectionsAt), LITTLE_ENDIAN);
  header.setUint16(FIELD.programCount, view.getUint16(FIELD.programCount, LITTLE_ENDIAN) - ADDED, LITTLE_ENDIAN);
  header.setUint16(FIELD.sectionCount, sectionCount, LITTLE_ENDIAN);
  requireProgramTable(header);
  return runtime;
}

/** Goes backwards to the table that begins with an empty header and then has the same first section as the new one. */
function findSections(
  executable: Uint8Array,
  table: { readonly appendedAt: number; readonly sectionsAt: number; readonly sectionCount: number },
): number {
  const { appendedAt, sectionsAt, sectionCount } = table;
  // Names of sections are elsewhere in the new table: all but the first field is the same.
  const first = executable.subarray(sectionsAt + SECTION_BYTES + 4, sectionsAt + 2 * SECTION_BYTES);
  const latest = (appendedAt - sectionCount * SECTION_BYTES) & ~7;
  for (let at = latest; at > HEADER_BYTES && latest - at < MAX_PADDING; at -= 8) {
    const isEmpty = executable[at] === 0 && executable.subarray(at, at + SECTION_BYTES).every((byte) => byte === 0);
    if (isEmpty && first.every((byte, index) => executable[at + SECTION_BYTES + 4 + index] === byte)) return at;
  }
  throw new TypeError("Cannot recover a runtime: the old section headers are not there");
}

/** The first program header describes the table itself (PT_PHDR). */
function requireProgramTable(header: DataView): void {
  const bytes = Number(header.getBigUint64(HEADER_BYTES + 32, LITTLE_ENDIAN));
  const count = header.getUint16(FIELD.programCount, LITTLE_ENDIAN);
  if (header.getUint32(HEADER_BYTES, LITTLE_ENDIAN) === 6 && bytes === count * PROGRAM_BYTES) return;
  throw new TypeError("Cannot recover a runtime: the old program headers are not there");
}

if (import.meta.main) {
  const [executable, runtime] = Deno.args;
  if (executable === undefined || runtime === undefined) throw new TypeError("Cannot run: name EXECUTABLE and RUNTIME");
  await Deno.writeFile(runtime, recoverRuntime(await Deno.readFile(executable)), { mode: 0o755 });
}
