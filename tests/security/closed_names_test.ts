import { assertEquals, assertMatch } from "@std/assert";
import { COMMANDS } from "../../lib/commands/table.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { listNames, readText } from "../conformance/filesystem_conformance.ts";
import { linesBefore, linesWithArgument, namesOf } from "../helpers/command_examples.ts";
import { answersTo, logIn, startConfigured } from "../helpers/configured_accounts.ts";

const CONFIGURATION = `users:
  - name: alice
    password: secret
    home: /srv/alice
    permissions: elradfmwMT
    hide: [".*", "*.key"]
    deny: ["*.exe", "setup*"]
`;
const FILES = {
  "/.git/config": "hidden",
  "/server.key": "hidden",
  "/docs/.htaccess": "hidden",
  "/docs/a.txt": "seen",
  "/tool.exe": "seen",
};

/** Spellings of hidden names that are there, and of names of the same form that are not. */
const PAIRS: readonly (readonly [hidden: string, absent: string])[] = [
  [".git", ".gat"],
  ["/.git/config", "/.gat/config"],
  ["/.git/config", "/.git/canfig"],
  ["/.GIT/config", "/.GAT/config"],
  ["./.git", "./.gat"],
  ["docs/../.git", "docs/../.gat"],
  ["/.git/", "/.gat/"],
  ["//.git//config", "//.gat//config"],
  ["server.key", "sarver.key"],
  ["SERVER.KEY", "SARVER.KEY"],
  ["server.\u212aey", "sarver.\u212aey"],
  ["docs/.htaccess", "docs/.htoccess"],
  [".g*", ".h*"],
  ["[.]git", "[.]gat"],
  ["?git", "?gat"],
  ["*.key", "*.kay"],
];

/** The same text for both names of a pair. */
function withoutNames(text: string): string {
  const names = /g[ai]t|s[ea]rver|c[oa]nfig|ht[ao]ccess|\.[gh]\*|k[ea]y/gi;
  return text.replaceAll(/\.[0-9a-z]{8}\b/g, ".RANDOM").replaceAll(names, "NAME");
}

const USER = `    password: secret
    permissions: elradfmwMT
    hide: [".*", "*.key"]
`;

for (const row of COMMANDS.filter(({ pathname, argument }) => pathname !== undefined && argument !== "none")) {
  Deno.test(`${row.verb} does not tell whether a hidden name is there`, async () => {
    const matchesPatterns = ["LIST", "NLST", "STAT"].includes(row.verb);
    const pairs = PAIRS.filter(([hidden]) => matchesPatterns || !/[*?[]/.test(hidden));
    const cases = namesOf(row).flatMap((name) =>
      pairs.flatMap(([hidden, absent]) => {
        const others = linesWithArgument(row, { name, path: absent });
        return linesWithArgument(row, { name, path: hidden }).map((line, index) =>
          [line, others[index] ?? ""] as const
        );
      })
    );
    // One user for each line, so that each finds its home untouched
    const names = cases.flatMap((_, index) => [`u${index}-0`, `u${index}-1`]);
    const homes = Object.fromEntries(names.map((name) => [`/srv/${name}`, MemoryFileSystem.of(FILES)]));
    const users = names.map((name) => `  - name: ${name}\n    home: /srv/${name}\n${USER}`);
    await using server = await startConfigured(`users:\n${users.join("")}`, homes);
    for (const [index, lines] of cases.entries()) {
      const answers = await Promise.all(lines.map(async (line, side) => {
        await using client = await logIn(server, `u${index}-${side}`);
        for (const before of linesBefore(row, "/docs/a.txt")) await client.command(before);
        return withoutNames(await answersTo(client, line));
      }));
      assertEquals(answers[0], answers[1], lines.join(", "));
    }
    for (const home of Object.values(homes)) {
      assertEquals(await readText(home, "/.git/config"), "hidden");
      assertEquals(await readText(home, "/server.key"), "hidden");
      assertEquals(await readText(home, "/docs/.htaccess"), "hidden");
    }
  });
}

Deno.test("No listing shows a hidden name", async () => {
  await using server = await startConfigured(CONFIGURATION, { "/srv/alice": MemoryFileSystem.of(FILES) });
  await using client = await logIn(server, "alice");
  for (
    const line of ["LIST", "LIST -a", "NLST", "NLST *", "NLST .*", "MLSD", "STAT -l /", "LIST [!x]*", "NLST docs/*"]
  ) {
    const answer = await answersTo(client, line);
    assertEquals(/hidden|\.git|\.key|htaccess/.exec(answer.replace("NLST .*", "")), null, answer);
  }
});

/** Spellings of names that may not be made. */
const DENIED = [
  "new.exe",
  "NEW.EXE",
  "new.ExE",
  "docs/new.exe",
  "./new.exe",
  "docs/../new.exe",
  "new.exe/",
  "new.exe.",
  "new.exe ",
  "new.exe . .",
  ".exe/../new.exe",
  "new.e\u200bxe",
  "Setup.msi",
  "\u017fetup",
  "tool.exe",
];

Deno.test("Denied names cannot be stored, made, appended to or renamed to, however they are written", async () => {
  const home = MemoryFileSystem.of(FILES);
  await using server = await startConfigured(CONFIGURATION, { "/srv/alice": home });
  await using client = await logIn(server, "alice");
  for (const name of DENIED) {
    for (const verb of ["STOR", "APPE", "MKD", "XMKD"]) {
      assertEquals(await answersTo(client, `${verb} ${name}`), "553 File name not allowed.", `${verb} ${name}`);
    }
    for (const from of ["docs/a.txt", "docs", "tool.exe"]) {
      await client.expect(350, `RNFR ${from}`);
      assertEquals(await answersTo(client, `RNTO ${name}`), "553 File name not allowed.", `RNTO ${name}`);
    }
  }
  await client.expect(350, "REST 1");
  assertEquals(await answersTo(client, "STOR tool.exe"), "553 File name not allowed.");
  assertEquals(await listNames(home, "/"), [".git", "docs", "server.key", "tool.exe"]);
  assertEquals(await readText(home, "/tool.exe"), "seen");
});

Deno.test("STOU makes no name that is denied or hidden", async () => {
  const home = MemoryFileSystem.of(FILES);
  const text = CONFIGURATION.replace('"setup*"', '"setup*", "ftpd.*"');
  await using server = await startConfigured(text, { "/srv/alice": home });
  await using client = await logIn(server, "alice");
  for (const [line, code] of [["STOU", 553], ["STOU setup", 553], ["STOU .x", 550], ["STOU .git/x", 550]] as const) {
    assertMatch(await answersTo(client, line), new RegExp(`^${code} `), line);
  }
  assertMatch(await answersTo(client, "STOU new"), /\n226 /);
});

Deno.test("What is denied can be read, listed and removed", async () => {
  await using server = await startConfigured(CONFIGURATION, { "/srv/alice": MemoryFileSystem.of(FILES) });
  await using client = await logIn(server, "alice");
  assertMatch(await answersTo(client, "RETR tool.exe"), /> seen\n226 /);
  assertMatch(await answersTo(client, "NLST"), /> tool\.exe/);
  await client.expect(213, "MFMT 20200101000000 tool.exe");
  await client.expect(350, "RNFR tool.exe");
  await client.expect(250, "RNTO tool.txt");
  await client.expect(250, "DELE tool.txt");
});

Deno.test("A folder is moved with what is hidden in it, which stays hidden", async () => {
  const home = MemoryFileSystem.of(FILES);
  await using server = await startConfigured(CONFIGURATION, { "/srv/alice": home });
  await using client = await logIn(server, "alice");
  await client.expect(350, "RNFR docs");
  await client.expect(250, "RNTO papers");
  assertEquals(await readText(home, "/papers/.htaccess"), "hidden");
  assertMatch(await answersTo(client, "RETR papers/.htaccess"), /^550 /);
});
