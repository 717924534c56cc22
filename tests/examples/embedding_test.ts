import { assertEquals, assertGreater } from "@std/assert";
import { COMMANDS } from "../../lib/commands/table.ts";
import { errorReply } from "../../lib/control/error_reply.ts";
import { type FileSystem, FileSystemError, type FileSystemErrorKind } from "../../lib/filesystem/filesystem.ts";
import { requireProgram } from "../helpers/run_program.ts";

const ROOT = new URL("../../", import.meta.url);
const GUIDE = new URL("docs/embedding.md", ROOT);
const TEXT = await Deno.readTextFile(GUIDE);

/** The cells of the table whose header begins with the given ones. */
function tableOf(...header: readonly string[]): string[][] {
  const lines = TEXT.split("\n");
  const start = lines.findIndex((line) => header.every((cell, index) => cellsOf(line)[index] === cell));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map(cellsOf);
}

function cellsOf(line: string): string[] {
  return line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
}

/** Names between backticks. */
function namesIn(cell = ""): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

Deno.test("docs/embedding.md: each block is a program that runs, with the rights to listen and to read", async () => {
  const blocks = [...TEXT.matchAll(/^```(\S.*)$/gm)].map(([, info]) => info);
  assertEquals(blocks.filter((info) => info !== "ts"), []);
  const output = await requireProgram(Deno.execPath(), [
    ...[
      "test",
      "--doc",
      "--no-check",
      "--allow-net=127.0.0.1",
      "--allow-read",
      "--config",
      new URL("deno.json", ROOT).pathname,
    ],
    GUIDE.pathname,
  ], { env: { NO_COLOR: "1" } });
  assertEquals(/ok \| (\d+) passed \| 0 failed/.exec(output)?.[1], String(blocks.length));
});

Deno.test("docs/embedding.md: the methods of a file system have the commands that the table gives them", () => {
  const rows = tableOf("method");
  const optional: Record<keyof Required<FileSystem>, boolean> = {
    stat: false,
    list: false,
    openRead: false,
    openWrite: true,
    remove: true,
    rename: true,
    makeDirectory: true,
    removeDirectory: true,
    setModified: true,
    setMode: true,
    availableBytes: true,
    quotas: true,
    listNames: true,
    listTypes: true,
    listsSorted: true,
    lstat: true,
    uploadsAppearWhole: true,
    resumable: true,
    digest: true,
  };
  assertEquals(rows.map(([method, , without]) => [...namesIn(method), without !== "needed"]), Object.entries(optional));
  for (const [method = "", commands = ""] of rows) {
    const needing = COMMANDS.filter((row) => row.needs === namesIn(method)[0]).map((row) => row.verb);
    if (needing.length > 0) assertEquals(commands.replace(/;.*/, "").split(", "), needing);
  }
});

Deno.test("docs/embedding.md: the kinds of errors get the replies that the table says", () => {
  const told = tableOf("thrown `FileSystemError` of kind").flatMap(([kinds, reply]) =>
    namesIn(kinds).map((kind) => [kind, Number(reply)])
  );
  const kinds: Record<FileSystemErrorKind, true> = {
    busy: true,
    directoryNotEmpty: true,
    exists: true,
    invalidName: true,
    invalidOffset: true,
    isDirectory: true,
    noSpace: true,
    notDirectory: true,
    notFound: true,
    notRegularFile: true,
    permissionDenied: true,
    quotaExceeded: true,
    unavailable: true,
    unsupported: true,
  };
  const actual = (Object.keys(kinds) as FileSystemErrorKind[]).map((kind) => [
    kind,
    errorReply(new FileSystemError(kind, ""))?.code,
  ]);
  assertEquals(Object.fromEntries(told), Object.fromEntries(actual));
});

Deno.test("docs/embedding.md has every event", async () => {
  const source = await Deno.readTextFile(new URL("lib/events.ts", ROOT));
  const [, body = ""] = /^export interface ServerEvents \{\n(.*?)^\}/ms.exec(source) ?? [];
  const events = [...body.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name);
  assertGreater(events.length, 10);
  assertEquals(tableOf("event").flatMap(([names]) => namesIn(names)).toSorted(), events.toSorted());
});
