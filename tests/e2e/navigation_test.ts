import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue, type Exchange } from "../helpers/dialogue.ts";
import { TestServer } from "../helpers/test_server.ts";

const EXCHANGES: Readonly<Record<string, readonly Exchange[]>> = {
  "CWD changes the directory, absolute or relative, and stays inside the root": [
    ["PWD", '257 "/" is the current directory.'],
    ["CWD docs", '250 "/docs" is the current directory.'],
    ["CWD deep", '250 "/docs/deep" is the current directory.'],
    ["XPWD", '257 "/docs/deep" is the current directory.'],
    ["CWD ../..//docs/./", '250 "/docs" is the current directory.'],
    ["CWD ../../../..", '250 "/" is the current directory.'],
    ["XCWD /docs/deep", '250 "/docs/deep" is the current directory.'],
    ["CWD", '250 "/" is the current directory.'],
  ],
  "CWD replies 550 and stays where it is when the target is no directory": [
    ["CWD docs", /^250 /],
    ["CWD nowhere", "550 No such file or directory."],
    ["CWD a.txt", "550 Not a directory."],
    ["CWD a.txt/x", "550 Not a directory."],
    ["PWD", '257 "/docs" is the current directory.'],
  ],
  "CDUP goes up and replies 250, also in the root": [
    ["CWD docs/deep", /^250 /],
    ["CDUP", '250 "/docs" is the current directory.'],
    ["XCUP", '250 "/" is the current directory.'],
    ["CDUP", '250 "/" is the current directory.'],
  ],
  "PWD doubles quotes, CWD does not, and both keep spaces": [
    ['CWD a "b"  c ', '250 "/a "b"  c " is the current directory.'],
    ["PWD", '257 "/a ""b""  c " is the current directory.'],
  ],
  "CWD takes names that look special as they are": [
    ["CWD /~", '250 "/~" is the current directory.'],
    ["CWD /*", '250 "/*" is the current directory.'],
    ["CWD /-la", '250 "/-la" is the current directory.'],
    ["CWD /back\\slash", '250 "/back\\slash" is the current directory.'],
  ],
};

const HOME = {
  "/docs/a.txt": "a",
  "/docs/deep/b.txt": "b",
  '/a "b"  c /d': "",
  "/~/d": "",
  "/*/d": "",
  "/-la/d": "",
  "/back\\slash/d": "",
};

for (const [name, exchanges] of Object.entries(EXCHANGES)) {
  Deno.test(name, async () => {
    await using server = await TestServer.start({ home: MemoryFileSystem.of(HOME) });
    await using client = await server.login();
    await assertDialogue(client, exchanges);
  });
}
