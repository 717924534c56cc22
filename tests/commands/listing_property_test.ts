import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransferPlan } from "../../lib/commands/command.ts";
import { list, machineList, machineListOne, nameList } from "../../lib/commands/listing.ts";
import { Transfer } from "../../lib/data/transfer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { joinPathname } from "../../lib/protocol/pathname.ts";
import { type Reply, reply } from "../../lib/protocol/reply.ts";
import { fakeAccount, FakeContext, readySession } from "../helpers/fake_context.ts";
import { FakeConnection } from "../helpers/fake_transport.ts";
import { parseFactsLine, parseUnixLine } from "../helpers/listing_parser.ts";
import { assertAsyncProperty } from "../helpers/property.ts";
import { fileName, virtualPath } from "../helpers/property_values.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

/** Files of one directory: their sizes by name. */
type Files = ReadonlyMap<string, number>;

const someFiles = (): fc.Arbitrary<Files> =>
  fc.uniqueArray(fc.tuple(fileName(), fc.nat({ max: 40 })), { selector: ([name]) => name, maxLength: 8 })
    .map((entries) => new Map(entries));

async function directoryOf(directory: string, files: Files): Promise<MemoryFileSystem> {
  const fileSystem = new MemoryFileSystem();
  let path = "";
  for (const name of directory.split("/").filter(Boolean)) await fileSystem.makeDirectory(path += `/${name}`);
  for (const [name, size] of files) {
    const file = await fileSystem.openWrite(joinPathname(directory, name), "createNew");
    await file.write(new Uint8Array(size), UNABORTED);
    await file.finish(UNABORTED);
    file.close();
  }
  return fileSystem;
}

/** A context for one user of the files. */
function contextOf(fileSystem: MemoryFileSystem): FakeContext {
  return new FakeContext({ session: readySession(fakeAccount({ fileSystem })) });
}

/** The lines that a client would get over the data connection. */
async function linesOf(
  fileSystem: MemoryFileSystem,
  path: string,
  run: typeof list,
): Promise<readonly string[]> {
  const connection = new FakeConnection();
  const context = Object.assign(contextOf(fileSystem), {
    transferData: async (plan: TransferPlan): Promise<Reply> => {
      await plan.body(connection, new Transfer());
      return reply(226, "");
    },
  });
  await run(context, { verb: "LIST", argument: "", pathname: path, path, ...UNABORTED });
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(connection.sent);
  const lines = text.split("\r\n");
  assertEquals(lines.pop(), "", "The last line has no end");
  return lines;
}

function sorted(files: Files): (readonly [string, number])[] {
  return [...files].sort(([one], [other]) => one < other ? -1 : 1);
}

Deno.test("MLSD is read back by the grammar of RFC 3659, whatever names a directory has", async () => {
  await assertAsyncProperty(fc.asyncProperty(virtualPath(), someFiles(), async (directory, files) => {
    const lines = await linesOf(await directoryOf(directory, files), directory, machineList);
    const [itself, ...entries] = lines.map(parseFactsLine);
    assertEquals([itself?.name, itself?.facts["type"]], [".", "cdir"]);
    assertEquals(entries.map(({ facts }) => facts["type"]), entries.map(() => "file"));
    assertEquals(sorted(new Map(entries.map(({ name, facts }) => [name, Number(facts["size"])]))), sorted(files));
  }));
});

Deno.test("LIST is read back by clients that know ls -l, whatever names a directory has", async () => {
  await assertAsyncProperty(fc.asyncProperty(virtualPath(), someFiles(), async (directory, files) => {
    const lines = await linesOf(await directoryOf(directory, files), directory, list);
    const entries = lines.map((line) => parseUnixLine(line, new Date()));
    assertEquals(entries.map(({ name, size }) => [name, size] as const), sorted(files));
  }));
});

Deno.test("NLST sends each name on a line of its own, whatever names a directory has", async () => {
  await assertAsyncProperty(fc.asyncProperty(virtualPath(), someFiles(), async (directory, files) => {
    const lines = await linesOf(await directoryOf(directory, files), directory, nameList);
    assertEquals(lines, sorted(files).map(([name]) => name));
  }));
});

Deno.test("MLST is read back behind its one space, whatever the path", async () => {
  await assertAsyncProperty(fc.asyncProperty(virtualPath(), fileName(), async (directory, name) => {
    const path = joinPathname(directory, name);
    const context = contextOf(await directoryOf(directory, new Map([[name, 7]])));
    const { lines } = await machineListOne(context, { verb: "MLST", argument: "", pathname: path, path, ...UNABORTED });
    const [first, line = ""] = lines;
    assertEquals([first, line.charAt(0), lines.length], [`Listing "${path}":`, " ", 3]);
    const { facts, name: shown } = parseFactsLine(line.slice(1));
    assertEquals([shown, facts["size"]], [path, "7"]);
  }));
});
