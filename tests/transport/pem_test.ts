import { assertEquals } from "@std/assert";
import { type PemBlock, readPemBlocks } from "../../lib/transport/certificate_pair.ts";

const BODY = "QUJD".repeat(20);
const TEXT = `-----BEGIN A-----\n${BODY.slice(0, 64)}\n${BODY.slice(64)}\n-----END A-----\n`;
const WHOLE: PemBlock = { label: "A", line: 1, isEncrypted: false, text: TEXT };

Deno.test("readPemBlocks() reads blocks however their lines are broken, and skips what is between them", () => {
  const cases: readonly (readonly [string, readonly PemBlock[]])[] = [
    ["", []],
    ["no block", []],
    [TEXT, [WHOLE]],
    [TEXT.trimEnd(), [WHOLE]],
    [`\uFEFF${TEXT}`, [WHOLE]],
    [TEXT.replaceAll("\n", "\r\n"), [WHOLE]],
    [`-----BEGIN A-----\n${BODY}\n-----END A-----`, [WHOLE]],
    [`-----BEGIN A----- \n  ${BODY.slice(0, 5)}\n\n${BODY.slice(5)} \n-----END A-----  `, [WHOLE]],
    [`subject=CN = ENCRYPTED\n${TEXT}garbage\n${TEXT}`, [{ ...WHOLE, line: 2 }, { ...WHOLE, line: 7 }]],
    [`${TEXT}${TEXT.replaceAll(" A-", " B C-")}`, [
      WHOLE,
      { label: "B C", line: 5, isEncrypted: false, text: TEXT.replaceAll(" A-", " B C-") },
    ]],
  ];
  for (const [text, blocks] of cases) assertEquals(readPemBlocks(text), blocks, text);
});

Deno.test("readPemBlocks() returns no text for a block that is cut off, empty or no base64", () => {
  const damaged: PemBlock = { ...WHOLE, text: undefined };
  const cases: readonly (readonly [string, readonly PemBlock[]])[] = [
    [TEXT.replace("-----END A-----", ""), [damaged]],
    [TEXT.replace("END A", "END B"), [damaged]],
    [TEXT.replace("END A-----", "END A"), [damaged]],
    [TEXT.replace("QUJD", "QUJ"), [damaged]],
    [TEXT.replace("QUJD", "QU?D"), [damaged]],
    [TEXT.replace("QUJD", "QU=D"), [damaged]],
    ["-----BEGIN A-----\n-----END A-----", [damaged]],
    ["-----BEGIN A-----", [damaged]],
    [`-----BEGIN A-----\n${BODY.slice(0, 64)}\n${TEXT}`, [damaged, { ...WHOLE, line: 3 }]],
  ];
  for (const [text, blocks] of cases) assertEquals(readPemBlocks(text), blocks, text);
});

Deno.test("readPemBlocks() takes a block for encrypted by its label or its own header, and by nothing else", () => {
  const headed = (header: string) => TEXT.replace("-----\n", `-----\n${header}\n\n`);
  const cases: readonly (readonly [string, boolean])[] = [
    [TEXT.replaceAll(" A-", " ENCRYPTED PRIVATE KEY-"), true],
    [headed("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00"), true],
    [headed("Comment: not ENCRYPTED"), false],
    [`# ENCRYPTED\n${TEXT}# Proc-Type: 4,ENCRYPTED`, false],
    [TEXT, false],
  ];
  for (const [text, isEncrypted] of cases) {
    assertEquals(readPemBlocks(text).map((block) => [block.isEncrypted, block.text === undefined]), [
      [isEncrypted, false],
    ], text);
  }
});
