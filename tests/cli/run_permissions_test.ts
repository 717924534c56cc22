import { assertEquals } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { runMain, SpawnedServer } from "./spawned_server.ts";

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  /** All that is needed. */
  readonly flags: readonly string[];
}

/** HOME stands for a folder of its own; the program's own files need no permission. */
const CASES: readonly Case[] = [
  { name: "to serve", args: ["HOME/shared"], flags: ["--allow-net=127.0.0.1", "--allow-read=HOME/shared"] },
  {
    name: "to serve on ::1",
    args: ["HOME/shared", "-i", "::1"],
    flags: ["--allow-net='[::1]'", "--allow-read=HOME/shared"],
  },
  {
    name: "to serve a folder behind a link",
    args: ["HOME/link"],
    flags: ["--allow-net=127.0.0.1", "--allow-read=HOME/link", "--allow-read=HOME/shared"],
  },
  {
    name: "to serve a folder whose name has spaces",
    args: ["HOME/shared/with spaces"],
    flags: ["--allow-net=127.0.0.1", "--allow-read='HOME/shared/with spaces'"],
  },
  {
    name: "to let a user write",
    args: ["HOME/shared", "-w", "-u", "bob", "-P", "secret"],
    flags: ["--allow-net=127.0.0.1", "--allow-read=HOME/shared", "--allow-write=HOME/shared"],
  },
  {
    name: "to read a password",
    args: ["HOME/shared", "-u", "bob", "--password-file", "HOME/password"],
    flags: ["--allow-net=127.0.0.1", "--allow-read=HOME/shared", "--allow-read=HOME/password"],
  },
];

for (const { name, args, flags } of CASES) {
  Deno.test(`run() needs only ${flags.join(" ")} ${name}`, async () => {
    await using home = await createHome();
    await using server = await SpawnedServer.start(inHome(home, { args, flags: flags.map(unquoted) }));
    await server.line(/lftp: /);
  });

  for (const missing of flags) {
    Deno.test(`run() ends with status 1 and names ${missing} when it is missing ${name}`, async () => {
      await using home = await createHome();
      const others = flags.filter((flag) => flag !== missing).map(unquoted);
      const { code, stderr } = await runMain(inHome(home, { args, flags: others }));
      const flag = missing.replaceAll("HOME", home.path);
      assertEquals([code, stderr], [
        1,
        `error: Deno does not permit what this needs (${flag} missing)\nhint: deno run ${flag} …\n`,
      ]);
    });
  }
}

Deno.test("run() names all missing flags at once", async () => {
  await using home = await createHome();
  const args = ["HOME/shared", "-w", "-u", "bob", "-P", "secret"];
  const { stderr } = await runMain(inHome(home, { args, flags: [] }));
  const flags = `--allow-net=127.0.0.1 --allow-read=${home.path}/shared --allow-write=${home.path}/shared`;
  assertEquals(stderr.split("\n")[1], `hint: deno run ${flags} …`);
});

Deno.test("run() asks for all paths where Deno could not be told of one with a comma", async () => {
  await using home = await createHome();
  await Deno.mkdir(`${home.path}/a,b`);
  const { stderr } = await runMain(inHome(home, { args: ["HOME/a,b"], flags: ["--allow-net=127.0.0.1"] }));
  assertEquals(stderr.split("\n")[1], "hint: deno run --allow-read …");
});

async function createHome(): Promise<TemporaryFolder> {
  const home = await TemporaryFolder.create();
  await Deno.mkdir(`${home.path}/shared/with spaces`, { recursive: true });
  await Deno.symlink(`${home.path}/shared`, `${home.path}/link`);
  await Deno.writeTextFile(`${home.path}/password`, "secret\n", { mode: 0o600 });
  return home;
}

function inHome(home: TemporaryFolder, { args, flags }: Pick<Case, "args" | "flags">): Pick<Case, "args" | "flags"> {
  const resolve = (word: string) => word.replaceAll("HOME", home.path);
  return { args: args.map(resolve), flags: flags.map(resolve) };
}

/** The flag as Deno gets it once the shell has read it. */
function unquoted(flag: string): string {
  return flag.replaceAll("'", "");
}
