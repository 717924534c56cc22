import { assertEquals, assertMatch } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { readText } from "../conformance/filesystem_conformance.ts";
import { answersTo, logIn, startConfigured } from "../helpers/configured_accounts.ts";

const EXAMPLE = new URL("../../docs/examples/scanner-drop-box.yaml", import.meta.url);

Deno.test("docs/examples/scanner-drop-box.yaml takes documents from scanners and gives them to the archive alone", async () => {
  const scans = MemoryFileSystem.of({ "/scan0001.pdf": "old" });
  const contracts = new MemoryFileSystem();
  const homes = { "/srv/ftp/scans": scans, "/srv/ftp/scans/contracts": contracts };
  // The hashes are checked elsewhere; each would take a busy machine a second
  const text = (await Deno.readTextFile(EXAMPLE)).replaceAll(/password: \S+/g, "password: secret");
  await using server = await startConfigured(text, homes, { upload: { atomic: true } });

  await using scanner = await logIn(server, "scanner");
  assertMatch(await answersTo(scanner, "STOR scan0001.pdf", "first"), /\n226 /);
  assertMatch(await answersTo(scanner, "STOR scan0001.pdf", "second"), /\n226 /);
  await scanner.expect(250, "CWD contracts");
  assertMatch(await answersTo(scanner, "STOR scan0001.pdf", "contract"), /\n226 /);
  assertEquals(await scanner.list("NLST"), "");
  assertEquals(await scanner.list("NLST /"), "contracts\r\n");
  assertMatch(await answersTo(scanner, "RETR scan0001.pdf"), /^550 /);
  assertMatch(await answersTo(scanner, "STOR Invoice.EXE"), /^553 /);
  assertEquals(await readText(contracts, "/scan0001.pdf"), "contract");

  await using archive = await logIn(server, "archive");
  const names = (await archive.list("NLST")).split("\r\n").filter((name) => name !== "");
  const texts = await Promise.all(names.map((name) => readText(scans, `/${name}`)));
  assertEquals(texts.sort(), ["first", "old", "second"]);
  for (const name of names) await archive.expect(250, `DELE ${name}`);
  assertEquals(await archive.list("NLST"), "");
});
