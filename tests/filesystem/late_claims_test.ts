import { assertEquals, assertRejects } from "@std/assert";
import type { FileClaims } from "../../lib/filesystem/file_claims.ts";
import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { LocalFileSystem } from "../../lib/filesystem/local/local_filesystem.ts";
import { WriteClaims } from "../../lib/filesystem/write_claims.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

/** Claims on files of one number, as where a file gets the number of one that is gone. */
class OneNumberClaims implements FileClaims {
  readonly #claims = new WriteClaims();
  refused = 0;
  onRefused: () => void = () => {};

  claim(): Disposable {
    try {
      return this.#claims.claim("number");
    } catch (error) {
      this.refused++;
      this.onRefused();
      throw error;
    }
  }
}

for (const mode of ["truncate", "createNew", "place"] as const) {
  Deno.test(`LocalFileSystem waits for the end of a claim on a file that is gone, ${mode}`, async () => {
    await using folder = await TemporaryFolder.create();
    const claims = new OneNumberClaims();
    const gone = claims.claim();
    claims.onRefused = () => gone[Symbol.dispose]();
    const fileSystem = new LocalFileSystem(folder.path, { writeClaims: claims });
    const file = await fileSystem.openWrite("/new", mode, UNABORTED);
    await file.finish(UNABORTED);
    await file.close();
    assertEquals([claims.refused, (await Deno.stat(`${folder.path}/new`)).size], [1, 0]);
  });
}

Deno.test("LocalFileSystem waits for no claim on a file that was there", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/old`, "old");
  const claims = new OneNumberClaims();
  using _writer = claims.claim();
  const fileSystem = new LocalFileSystem(folder.path, { writeClaims: claims });
  await assertRejects(() => fileSystem.openWrite("/old", "truncate", UNABORTED), FileSystemError);
  assertEquals([claims.refused, await Deno.readTextFile(`${folder.path}/old`)], [1, "old"]);
});
