import { assert, assertEquals, assertMatch } from "@std/assert";
import { COMMANDS } from "../../lib/commands/table.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { readText } from "../conformance/filesystem_conformance.ts";
import { linesBefore, linesOf, linesWithArgument, namesOf } from "../helpers/command_examples.ts";
import { answersTo, logIn, startConfigured } from "../helpers/configured_accounts.ts";

const CONFIGURATION = `users:
  - { name: scanner, password: secret, home: /srv/scans, dropBox: true, mounts: [{ path: /other/in, home: /srv/in }] }
  - { name: archive, password: secret, home: /srv/scans, permissions: elradfmwMT }
anonymous: { home: /srv/scans, dropBox: true, forceWrite: true }
`;
const FILES = { "/taken.pdf": "secret content", "/folder/inner.pdf": "secret too", "/folder.d/x": "x" };

/** Names of the same form, of which one is there and one is not. */
const PAIRS: readonly (readonly [taken: string, free: string])[] = [
  ["/taken.pdf", "/frees.pdf"],
  ["taken.pdf", "frees.pdf"],
  ["/folder", "/nolder"],
  ["/folder/", "/nolder/"],
  ["/folder/inner.pdf", "/nolder/inner.pdf"],
  ["/folder/inner.pdf", "/folder/outer.pdf"],
  ["/taken.pdf/x", "/frees.pdf/x"],
  ["/other/in/taken.pdf", "/other/in/frees.pdf"],
  ["/folder/../taken.pdf", "/nolder/../frees.pdf"],
  ["taken*", "frees*"],
  ["[t]aken.pdf", "[f]rees.pdf"],
];

/** The same text for two names: without the names, and what is random. */
function withoutNames(text: string, path: string): string {
  const names = path.split("/").filter((part) => part !== "" && part !== "..");
  return names.reduce((whole, name) => whole.replaceAll(name, "NAME"), text)
    .replaceAll(/\.[0-9a-z]{8}\b/g, ".RANDOM")
    .replaceAll(/\d\d:\d\d/g, "TIME");
}

for (const row of COMMANDS.filter(({ pathname, argument }) => pathname !== undefined && argument !== "none")) {
  Deno.test(`${row.verb} does not tell a drop box's user whether a name is taken`, async () => {
    const cases = namesOf(row).flatMap((name) =>
      PAIRS.flatMap((pair) => {
        const [taken, free] = pair.map((path) => linesWithArgument(row, { name, path }));
        return (taken ?? []).map((line, index) => ({ pair, lines: [line, free?.[index] ?? ""] as const }));
      })
    );
    // One user for each line, so that each finds its home untouched
    const users = cases.flatMap((_, index) => [0, 1].map((side) => ({ name: `u${index}-${side}` })));
    const homes = Object.fromEntries(users.flatMap(({ name }) => [
      [`/srv/${name}`, MemoryFileSystem.of(FILES)],
      [`/srv/${name}-in`, MemoryFileSystem.of({ "/taken.pdf": "secret" })],
    ]));
    const lines = users.map(({ name }) =>
      `  - { name: ${name}, password: secret, home: /srv/${name}, dropBox: true, ` +
      `mounts: [{ path: /other/in, home: /srv/${name}-in }] }\n`
    );
    await using server = await startConfigured(`users:\n${lines.join("")}`, homes);
    for (const [index, { pair, lines }] of cases.entries()) {
      const answers = await Promise.all(([0, 1] as const).map(async (side) => {
        const name = `u${index}-${side}`;
        await using client = await logIn(server, name);
        const before: string[] = [];
        for (const line of linesBefore(row, pair[side])) before.push((await client.command(line)).text);
        const answer = await answersTo(client, lines[side]);
        assert(!answer.includes("secret"), answer);
        return withoutNames([...before, answer].join("\n"), pair[side]);
      }));
      assertEquals(answers[0], answers[1], lines.join(", "));
    }
    for (const { name } of users) {
      assertEquals(await readText(homes[`/srv/${name}`] as MemoryFileSystem, "/taken.pdf"), "secret content");
      assertEquals(await readText(homes[`/srv/${name}`] as MemoryFileSystem, "/folder/inner.pdf"), "secret too");
      assertEquals(await readText(homes[`/srv/${name}-in`] as MemoryFileSystem, "/taken.pdf"), "secret");
    }
  });
}

Deno.test("Commands without a path tell a drop box's user nothing of what is there", async () => {
  const answers: string[][] = [[], []];
  for (const [side, files] of [FILES, {}].entries()) {
    await using server = await startConfigured(CONFIGURATION, { "/srv/scans": MemoryFileSystem.of(files) });
    for (const row of COMMANDS.filter(({ argument, beforeLogin }) => argument !== "required" && !beforeLogin)) {
      if (row.verb === "REIN") continue;
      for (const line of linesOf(row).filter((line) => !line.includes("/"))) {
        await using client = await logIn(server, "scanner");
        answers[side]?.push(
          `${line}: ${await answersTo(client, line)}`.replaceAll(
            /\d+,\d+,\d+,\d+,\d+,\d+|\d{4,}|\.[0-9a-z]{8}\b|session \S+/g,
            "N",
          ),
        );
      }
    }
  }
  assertEquals(answers[0], answers[1]);
});

Deno.test("STOR, REST and APPE of a drop box's user never change what is there", async () => {
  const home = MemoryFileSystem.of(FILES);
  await using server = await startConfigured(CONFIGURATION, { "/srv/scans": home });
  for (const name of ["scanner", "anonymous"]) {
    await using client = await logIn(server, name);
    for (const offset of [1, 5, 14, 15]) {
      await client.expect(350, `REST ${offset}`);
      assertMatch(await answersTo(client, "STOR taken.pdf"), /^550 /);
      await client.expect(350, `REST ${offset}`);
      assertMatch(await answersTo(client, "STOR frees.pdf"), /^550 /);
    }
    assertMatch(await answersTo(client, "APPE taken.pdf"), /^550 /);
    assertMatch(await answersTo(client, "STOR taken.pdf"), /\n226 Transfer complete\.$/);
  }
  assertEquals(await readText(home, "/taken.pdf"), "secret content");
  const received = server.events.flatMap((event) => event.event === "fileReceived" ? [event.path] : []);
  assertEquals(received.length, 2);
  for (const path of received) {
    assertMatch(path, /^\/taken\.[0-9a-z]{8}\.pdf$/);
    assertEquals(await readText(home, path), "brought");
  }
});

for (const upload of [{ atomic: true }, { overwrite: false }, { atomic: true, overwrite: false }]) {
  Deno.test(`A drop box takes a name twice with upload ${JSON.stringify(upload)}`, async () => {
    const home = MemoryFileSystem.of(FILES);
    await using server = await startConfigured(CONFIGURATION, { "/srv/scans": home }, { upload });
    await using client = await logIn(server, "scanner");
    const first = await answersTo(client, "STOR new.pdf", "first");
    assertEquals(await answersTo(client, "STOR new.pdf", "second"), first);
    assertEquals(await readText(home, "/new.pdf"), "first");
  });
}
