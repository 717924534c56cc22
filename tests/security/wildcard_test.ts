import { assert, assertEquals, assertLess } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { parseWildcard } from "../../lib/protocol/wildcard.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** Patterns that make a matcher that goes back to every star take longer than anybody waits. */
const HOSTILE: readonly string[] = [
  `${"*a".repeat(2047)}b`,
  `${"a*".repeat(2047)}b`,
  `${"*".repeat(4095)}b`,
  `*${"a".repeat(100)}*${"a".repeat(100)}b`,
  `${"*?".repeat(120)}b`,
  `${"*[!b]".repeat(120)}b`,
  `*[${"a-".repeat(2000)}a]b`,
  "[".repeat(4096),
  `${"[!".repeat(2000)}]`,
  `${"[a".repeat(2000)}`,
];

for (const pattern of HOSTILE) {
  Deno.test(`A hostile pattern is compared in time: ${pattern.slice(0, 12)}… of ${pattern.length} bytes`, () => {
    const wildcard = parseWildcard(pattern);
    const startedAt = performance.now();
    for (let count = 0; count < 200; count++) {
      assert(!wildcard.matches("a".repeat(255)));
      assert(!wildcard.matches(`${"a".repeat(127)}.${"a".repeat(127)}`));
    }
    // They take some ten milliseconds; a matcher that tries everything does not end.
    assertLess(performance.now() - startedAt, 20_000);
  });
}

Deno.test("A name of 4,096 bytes and a pattern of as many are compared in n · m steps", () => {
  const startedAt = performance.now();
  for (const pattern of HOSTILE) assert(!parseWildcard(pattern).matches("a".repeat(4096)));
  assert(parseWildcard("*a".repeat(2048)).matches("a".repeat(4096)));
  assertLess(performance.now() - startedAt, 20_000);
});

Deno.test("A hostile pattern over many long names lets other sessions go on", async () => {
  const names = Array.from({ length: 3000 }, (_, at) => `/${"a".repeat(245)}${at}`);
  const home = MemoryFileSystem.of(Object.fromEntries(names.map((name) => [name, ""])));
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await using other = await server.login();
  const pattern = `*${"a".repeat(120)}*${"a".repeat(120)}b`;
  let isListing = true;
  const listing = client.list(`NLST ${pattern}`).finally(() => isListing = false);
  let answers = 0;
  while (isListing) {
    await other.expect(200, "NOOP");
    answers++;
  }
  assertEquals(await listing, "");
  assert(answers > 3, `${answers} commands were answered meanwhile`);
});

const OVERRIDDEN = {
  "/open/a.txt": "",
  "/open/b.txt": "",
  "/closed/c.txt": "",
  "/half/d.txt": "",
  "/half/sub/e.txt": "",
};

Deno.test("A pattern shows nothing of what overrides close", async () => {
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser(USER.name, USER.password, MemoryFileSystem.of(OVERRIDDEN), {
    overrides: [{ path: "/closed", permissions: "", recursive: true }, { path: "/half", permissions: "" }],
  });
  await using server = await TestServer.start({ server: { authorizer } });
  await using client = await server.login();
  for (const line of ["NLST closed/*", "LIST closed/*.txt", "STAT closed/*", "NLST half/*", "NLST closed/[c].txt"]) {
    assertEquals((await client.command(line)).text, "550 Not enough privileges.", line);
  }
  assertEquals(await client.list("NLST *"), "open\r\n");
  assertEquals(await client.list("NLST open/*"), "open/a.txt\r\nopen/b.txt\r\n");
  assertEquals(await client.list("NLST half/sub/*"), "half/sub/e.txt\r\n");
});

Deno.test("A pattern in the folder part is not one, and leads nowhere above the root", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/sub/a.txt": "", "/top.txt": "" }) });
  await using client = await server.login();
  for (const line of ["NLST */a.txt", "LIST s*/*", "STAT ?ub/a.txt", "NLST *.txt/a"]) {
    assertEquals((await client.command(line)).text, "550 No such file or directory.", line);
  }
  assertEquals(await client.list("NLST ../../*.txt"), "../../top.txt\r\n");
});
