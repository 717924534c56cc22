import { assertEquals } from "@std/assert";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const MODULE = new URL("../../lib/check/permissions.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const READER = { net: ["127.0.0.1:2121"], read: ["/srv/a.yaml", "/srv/ftp"], write: [] as string[] };
const WRITER = { ...READER, write: ["/srv/ftp"] };

/** Runs lines of a program in a process with the flags. */
async function inProcess(flags: readonly string[], lines: string): Promise<unknown> {
  await using folder = await TemporaryFolder.create();
  const script = `${folder.path}/script.ts`;
  await Deno.writeTextFile(script, `import { findExcessPermissions, giveUpExcess } from "${MODULE}";\n${lines}`);
  const args = ["run", "--no-check", "--no-prompt", "--config", CONFIG, ...flags, script];
  return JSON.parse(await requireProgram(Deno.execPath(), args));
}

const CASES: readonly {
  readonly flags: readonly string[];
  readonly needs: typeof READER;
  readonly found: readonly string[];
}[] = [
  { flags: ["--allow-net=127.0.0.1:2121", "--allow-read=/srv"], needs: READER, found: [] },
  { flags: ["--allow-env", "--allow-run"], needs: READER, found: ["risk not needed: --allow-run --allow-env"] },
  { flags: ["--allow-write"], needs: READER, found: ["risk not needed: --allow-write"] },
  { flags: ["--allow-write=/"], needs: READER, found: ["risk not needed: --allow-write=/"] },
  {
    flags: ["--allow-write=/srv"],
    needs: READER,
    found: ["warning wider than needed: --allow-write=/srv/a.yaml --allow-write=/srv/ftp"],
  },
  { flags: ["--allow-write=/srv/ftp"], needs: WRITER, found: [] },
  { flags: ["--allow-write"], needs: WRITER, found: ["warning wider than needed: --allow-write"] },
  { flags: ["--allow-write=/srv"], needs: WRITER, found: ["warning wider than needed: --allow-write=/srv/a.yaml"] },
  {
    flags: ["--allow-net", "--allow-read"],
    needs: READER,
    found: ["warning wider than needed: --allow-net --allow-read"],
  },
  { flags: ["--allow-read=/"], needs: READER, found: ["warning wider than needed: --allow-read=/"] },
  // Active mode dials any host.
  { flags: ["--allow-net"], needs: { ...READER, net: [] }, found: [] },
];

for (const { flags, needs, found } of CASES) {
  const kind = needs.write.length > 0 ? "a writer" : "a reader";
  Deno.test(`findExcessPermissions() compares ${flags.join(" ")} with what ${kind} of ${needs.net} needs`, async () => {
    const lines = await inProcess(
      flags,
      `const found = await findExcessPermissions(${JSON.stringify(needs)}, { findsBreadth: true });
      console.log(JSON.stringify(found.map(({ severity, message }) => severity + " " + message.split(";")[0])));`,
    );
    assertEquals(lines, found);
  });
}

Deno.test("findExcessPermissions() lets a quick share have whole kinds of what it needs", async () => {
  const lines = await inProcess(
    ["--allow-net", "--allow-read"],
    `console.log(JSON.stringify(await findExcessPermissions(${JSON.stringify(READER)}, { findsBreadth: false })));`,
  );
  assertEquals(lines, []);
});

Deno.test("giveUpExcess() takes also the parts that nobody can see", async () => {
  const states = await inProcess(
    ["--allow-run=/bin/sh", "--allow-env=HOME", "--allow-ffi=/lib", "--allow-write=/srv/ftp", "--allow-read"],
    `await giveUpExcess(${JSON.stringify(WRITER)});
    const descriptors = [
      { name: "run", command: "/bin/sh" }, { name: "env", variable: "HOME" }, { name: "ffi", path: "/lib" },
      { name: "write", path: "/srv/ftp" }, { name: "read" },
    ];
    const states = descriptors.map(async (descriptor) => (await Deno.permissions.query(descriptor)).state);
    console.log(JSON.stringify(await Promise.all(states)));`,
  );
  assertEquals(states, ["prompt", "prompt", "prompt", "granted", "granted"]);
});
