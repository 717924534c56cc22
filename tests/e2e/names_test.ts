import { assertEquals, assertStringIncludes } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue } from "../helpers/dialogue.ts";
import { TestServer } from "../helpers/test_server.ts";

const NAMES = [
  "two words",
  " leading",
  "trailing ",
  " ",
  '"quoted"',
  "semi;colon",
  "type=file; x",
  "Größe über Ärger",
  "e\u0301 apart",
  "日本語",
  "🙂👩‍👧",
  "back\\slash",
  "per%20cent",
  "-la",
  "...",
  "*?[",
  "~user",
  "$(id) `id` | & >",
  "226 Transfer complete.",
  "x".repeat(255),
  "a\tb",
  "\x1b[1m\x07\x7f",
];

for (const name of NAMES) {
  Deno.test(`A name is taken and listed as it is: ${JSON.stringify(name.slice(0, 30))}`, async () => {
    const home = new MemoryFileSystem();
    await using server = await TestServer.start({ home });
    await using client = await server.login();
    const path = `/${name}`;
    const quoted = `"${path.replaceAll('"', '""')}"`;
    await assertDialogue(client, [
      [`MKD ${path}`, `257 ${quoted} directory created.`],
      [`CWD ${path}`, `250 "${path}" is the current directory.`],
      ["PWD", `257 ${quoted} is the current directory.`],
      ["CDUP", /^250 /],
    ]);
    const bytes = new TextEncoder().encode(name);
    await client.store(`${path}/${name}`, bytes);
    await client.expect(200, "TYPE I");
    assertEquals(await client.retrieve(`${path}/${name}`), bytes);
    assertEquals(await client.list(`NLST ${path}`), `${name}\r\n`);
    assertStringIncludes(await client.list(`LIST ${path}`), ` ${name}\r\n`);
    assertStringIncludes(await client.list(`MLSD ${path}`), `; ${name}\r\n`);
    await assertDialogue(client, [
      [`SIZE ${path}/${name}`, `213 ${bytes.length}`],
      [`RNFR ${path}/${name}`, /^350 /],
      [`RNTO ${path}/2`, /^250 /],
      [`DELE ${path}/2`, /^250 /],
      [`RMD ${path}`, /^250 /],
    ]);
    assertEquals(await Array.fromAsync(home.list("/")), []);
  });
}

Deno.test("Names with a CR are refused by every kind of command", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/a": "a" }) });
  await using client = await server.login();
  const refused = "553 File name not allowed.";
  await assertDialogue(client, [
    ["MKD a\rb", refused],
    ["SIZE a\r", refused],
    ["CWD \r", refused],
    ["LIST a\rb", refused],
    ["SITE CHMOD 600 a\rb", refused],
    ["MKD a\0b", "501 Syntax error: NUL in command."],
  ]);
});
