import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { CommandSpec } from "../../lib/commands/command.ts";
import { COMMANDS } from "../../lib/commands/table.ts";
import { linesWithArgument } from "../helpers/command_examples.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

const SECRET = "nobody may read this";

/** Links in the home, name to target; `{}` stands for the folder around the home. */
const LINKS = {
  absolute: "{}/outside/secret",
  relative: "../outside/secret",
  "folder": "{}/outside",
  "folder-relative": "../outside",
  "around": "..",
  "system": "/",
  "chain": "folder/empty",
  "inner/link": "../../outside",
  "dangling": "../outside/new",
};

/** Paths that lead out, or would if dots were left to the system. */
const OUTSIDE_BY_LINK = [
  "absolute",
  "relative",
  "folder",
  "folder/",
  "/folder/secret",
  "folder/empty",
  "folder/new",
  "folder-relative/secret",
  "folder-relative/full/x",
  "around/outside/secret",
  "around/outside/new",
  "system/etc/passwd",
  "chain",
  "chain/new",
  "inner/link/secret",
  "./inner/../inner/link/new",
  "dangling",
];
/** Where the link itself is removed or replaced, as it leads nowhere, or is but the beginning of a new name. */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  DELE: ["dangling"],
  RNTO: ["dangling"],
  STOU: ["absolute", "relative", "folder", "folder/", "chain", "dangling"],
};
const OUTSIDE_BY_DOTS = [
  "../outside/secret",
  "/../outside/secret",
  "/../../../../../../../../etc/passwd",
  "inner/../../outside/secret",
  "../outside/new",
  "..",
  "/..",
  "../",
  "..\\outside\\secret",
  "....//outside/secret",
  "%2e%2e/outside/secret",
  "~/secret",
  "//outside/secret",
];

/** A home with links out of it, and the things outside that must stay as they are. */
class Scene implements AsyncDisposable {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  static async create(): Promise<Scene> {
    const scene = new Scene(await TemporaryFolder.create());
    for (const path of ["home", "outside/full", "outside/empty"]) {
      await Deno.mkdir(`${scene.path}/${path}`, { recursive: true });
    }
    for (const path of ["outside/secret", "outside/full/x"]) await Deno.writeTextFile(`${scene.path}/${path}`, SECRET);
    return scene;
  }

  get path(): string {
    return this.#folder.path;
  }

  /** Puts back what a command may rightly have changed in the home. */
  async repair(): Promise<void> {
    await Deno.remove(`${this.path}/home`, { recursive: true });
    for (const name of ["", "inner", "hollow"]) await Deno.mkdir(`${this.path}/home/${name}`);
    await Deno.writeTextFile(`${this.path}/home/in.txt`, "inside");
    for (const [name, target] of Object.entries(LINKS)) {
      await Deno.symlink(target.replace("{}", this.path), `${this.path}/home/${name}`);
    }
  }

  /** All that is outside: names, kinds, contents, modes, times. */
  async outside(): Promise<unknown> {
    const found: Record<string, unknown> = {};
    const walk = async (path: string) => {
      const { isFile, mtime, mode, nlink } = await Deno.lstat(path);
      found[path] = { mtime, mode, nlink, content: isFile ? await Deno.readTextFile(path) : undefined };
      if (!isFile) { for await (const { name } of Deno.readDir(path)) await walk(`${path}/${name}`); }
    };
    await walk(`${this.path}/outside`);
    found.around = (await Array.fromAsync(Deno.readDir(this.path), ({ name }) => name)).sort();
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** What a command has brought the client: its replies and, on the data connection, its bytes. */
interface Outcome {
  readonly codes: readonly number[];
  readonly text: string;
}

async function attempt(client: RawClient, row: CommandSpec, path: string): Promise<Outcome> {
  if (row.verb === "RNTO") await client.expect(350, "RNFR /in.txt");
  const line = linesWithArgument(row, { path }).at(-1) ?? row.verb;
  if (row.dataConnection !== "uses") {
    const { code, text } = await client.command(line);
    return { codes: [code], text };
  }
  await using data = await client.passive();
  const first = await client.command(line);
  if (first.code !== 150) return { codes: [first.code], text: first.text };
  const isUpload = row.needs === "openWrite";
  if (isUpload) {
    await data.write(new TextEncoder().encode("attack"));
    await data.finish();
  }
  const bytes = isUpload ? new Uint8Array(0) : await data.readAll();
  const last = await client.readReply(line);
  return { codes: [150, last.code], text: `${first.text}\n${new TextDecoder().decode(bytes)}\n${last.text}` };
}

for (const row of COMMANDS.filter((row) => row.pathname !== undefined && row.argument !== "none")) {
  Deno.test({
    name: `${row.verb} never leaves the home, by dots or by links`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using scene = await Scene.create();
      await using server = await TestServer.start({ protection: "clear", home: `${scene.path}/home` });
      await using client = await server.login();
      await client.expect(200, "TYPE I");
      const before = await scene.outside();
      for (const path of [...OUTSIDE_BY_LINK, ...OUTSIDE_BY_DOTS]) {
        await scene.repair();
        await client.expect(250, "CWD /");
        const { codes, text } = await attempt(client, row, path);
        const what = `${row.verb} ${path}: ${text}`;
        const isRefused = OUTSIDE_BY_LINK.includes(path) && !HARMLESS[row.verb]?.includes(path);
        if (isRefused) assert(codes.length === 1 && (codes[0] ?? 0) >= 500, what);
        assert(!text.includes(SECRET) && !text.includes(scene.path) && !text.includes("root:"), what);
        assertEquals(await scene.outside(), before, what);
      }
      await assertUsefulInside(client, row, scene);
    },
  });
}

/** The same command works inside, so that its refusals above are not those of a broken test. */
async function assertUsefulInside(client: RawClient, row: CommandSpec, scene: Scene): Promise<void> {
  await scene.repair();
  await client.expect(250, "CWD /");
  const path = { CWD: "inner", MLSD: "inner", RMD: "hollow", RNTO: "new", MKD: "new" }[row.verb] ?? "in.txt";
  const { codes, text } = await attempt(client, row, path);
  assert((codes.at(-1) ?? 0) < 400, `${row.verb} ${path}: ${text}`);
}

Deno.test("CDUP and CWD .. stay at the root", async () => {
  await using scene = await Scene.create();
  await scene.repair();
  await using server = await TestServer.start({ protection: "clear", home: `${scene.path}/home` });
  await using client = await server.login();
  for (const line of ["CDUP", "CWD ..", "CWD ../../..", "XCUP"]) {
    assertEquals((await client.command(line)).text, '250 "/" is the current directory.');
  }
  assertNotEquals((await client.list("NLST")).indexOf("in.txt"), -1);
});

Deno.test({
  name: "A current directory that is swapped for a link out of the home leads nowhere",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using scene = await Scene.create();
    await scene.repair();
    await using server = await TestServer.start({ protection: "clear", home: `${scene.path}/home` });
    await using client = await server.login();
    await client.expect(250, "CWD inner");
    await Deno.rename(`${scene.path}/home/inner`, `${scene.path}/home/away`);
    await Deno.symlink("../outside", `${scene.path}/home/inner`);
    const before = await scene.outside();
    await client.expect(257, "PWD");
    for (const line of ["MLST secret", "SIZE secret", "STAT .", "MKD new", "DELE secret", "CWD full"]) {
      assertEquals((await client.command(line)).code, 550, line);
    }
    assertEquals(await scene.outside(), before);
  },
});
