/**
 * Symbolic links to directories: what a client may do to them, and that it reaches what is behind them only by name.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { assertDialogue, type Exchange } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

const IS_WINDOWS = Deno.build.os === "windows";

/** Makes a home with a link to a folder of releases, one to itself, and one to a file. */
async function makeHome(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/releases/42/sub`, { recursive: true });
  for (const path of ["releases/42/a", "releases/42/sub/b"]) {
    await Deno.writeTextFile(`${folder.path}/${path}`, "12345");
  }
  const links = { current: "releases/42", self: ".", file: "releases/42/a" };
  for (const [name, target] of Object.entries(links)) await Deno.symlink(target, `${folder.path}/${name}`);
  return folder;
}

/** Removes a path as clients do that ask for facts: entries that are no directories by DELE, directories by RMD at the end. */
async function removeByFacts(client: RawClient, path: string): Promise<void> {
  for (const line of (await client.list(`MLSD ${path}`)).split("\r\n").slice(0, -1)) {
    const name = line.slice(line.indexOf(" ") + 1);
    if (/type=cdir;/.test(line)) continue;
    if (/type=dir;/.test(line)) await removeByFacts(client, `${path}/${name}`);
    else await client.expect(250, `DELE ${path}/${name}`);
  }
  await client.expect(250, `RMD ${path}`);
}

/** Removes a path as clients do that ask for names alone: what DELE refuses is tried by RMD, and entered at last. */
async function removeByNames(client: RawClient, path: string): Promise<void> {
  if ((await client.command(`DELE ${path}`)).code === 250 || (await client.command(`RMD ${path}`)).code === 250) return;
  const names = (await client.list(`NLST ${path}`)).split("\r\n").slice(0, -1);
  for (const name of names) await removeByNames(client, `${path}/${name}`);
  await client.expect(250, `RMD ${path}`);
}

for (const remove of [removeByFacts, removeByNames]) {
  Deno.test({
    name: `A client that removes a tree leaves what a link in it leads to as it is: ${remove.name}`,
    ignore: IS_WINDOWS,
    fn: async () => {
      await using folder = await makeHome();
      await Deno.mkdir(`${folder.path}/box/inner`, { recursive: true });
      for (const name of ["box/current", "box/inner/current"]) {
        await Deno.symlink(`${folder.path}/releases`, `${folder.path}/${name}`);
      }
      await Deno.rename(`${folder.path}/self`, `${folder.path}/box/self`);
      await using server = await TestServer.start({ home: folder.path });
      await using client = await server.login();
      await remove(client, "/box");
      assertEquals(await client.list("NLST"), "current\r\nfile\r\nreleases\r\n");
      assertEquals(await client.list("NLST releases/42"), "a\r\nsub\r\n");
    },
  });
}

const BEHIND_LINKS: readonly Exchange[] = [
  ["TYPE I", /^200 /],
  ["SIZE current/a", "213 5"],
  ["MDTM current", /^213 \d{14}$/],
  ["MLST current", /;type=OS\.unix=slink;.* \/current\n250 /],
  ["MLST current/sub", /;type=dir;/],
  ["MLST file", /;size=5;type=file;/],
  ["MLST self/self/file", /;size=5;type=file;/],
  ["MLST self/self/current", /;type=OS\.unix=slink;/],
  ["CWD current", '250 "/current" is the current directory.'],
  ["MLST", /;type=dir;.* \/current\n250 /],
  ["MLST .", /;type=dir;.* \/current\n250 /],
  ["MLST ../self", /;type=OS\.unix=slink;/],
  ["SIZE sub/b", "213 5"],
  ["MKD made", /^257 /],
  ["RMD made", /^250 /],
  ["CWD ../self/self", /^250 /],
];

Deno.test({
  name: "What is behind links is reached by its name",
  ignore: IS_WINDOWS,
  fn: async () => {
    await using folder = await makeHome();
    await using server = await TestServer.start({ home: folder.path });
    await using client = await server.login();
    await assertDialogue(client, BEHIND_LINKS);
    for (const path of ["/file", "/current/a", "/self/current/a"]) {
      assertEquals(new TextDecoder().decode(await client.retrieve(path)), "12345", path);
    }
    for (const verb of ["LIST", "MLSD"]) {
      assertMatch(await client.list(`${verb} /current`), / a\r\n.* sub\r\n$/);
    }
    assertMatch(await client.list("LIST /self"), / current -> \.\.\/releases\/42\r\n(?:.*\r\n)*l.* self -> \.\.\r\n$/);
  },
});

for (const verb of ["RMD", "DELE"]) {
  Deno.test({
    name: `${verb} of a link to a directory removes the link alone`,
    ignore: IS_WINDOWS,
    fn: async () => {
      await using folder = await makeHome();
      await using server = await TestServer.start({ home: folder.path });
      await using client = await server.login();
      for (const name of ["current", "self"]) await client.expect(250, `${verb} ${name}`);
      if (verb === "RMD") await assertDialogue(client, [["RMD file", "550 Not a directory."]]);
      assertEquals(await client.list("NLST"), "file\r\nreleases\r\n");
      assertEquals(await client.list("NLST releases/42"), "a\r\nsub\r\n");
    },
  });
}

Deno.test({
  name: "NLST leaves out names that are not UTF-8, as LIST and MLSD do",
  ignore: IS_WINDOWS,
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const script =
      `: > "$(printf 'bad\\377')"; mkdir "$(printf 'dir\\377')"; : > real; : > "$(printf 'real\\357\\277\\275')"`;
    const { success } = await new Deno.Command("sh", { args: ["-c", script], cwd: folder.path }).output();
    // macOS makes no such names
    if (!success) return;
    await using server = await TestServer.start({ home: folder.path });
    await using client = await server.login();
    assertEquals(await client.list("NLST"), "real\r\nreal\uFFFD\r\n");
    for (const verb of ["LIST", "MLSD"]) {
      const names = (await client.list(verb)).split("\r\n").slice(0, -1).map((line) => line.split(" ").at(-1));
      assertEquals(names.filter((name) => name !== "."), ["real", "real\uFFFD"], verb);
    }
  },
});
