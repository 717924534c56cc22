import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FileSystemError, type WriteMode } from "../../../lib/filesystem/filesystem.ts";
import type { Fault } from "../../helpers/object_store/memory_object_store.ts";
import { type ObjectFixture, objectFixture, PART, sampleBytes } from "../../helpers/object_store/object_fixture.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const OLD = sampleBytes(5 * PART + 3, 5);
const DAY_MS = 86_400_000;

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** An operation, what it makes of the store, and the state before it that is just as right. */
interface Scenario {
  readonly name: string;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  run(fixture: ObjectFixture): Promise<void>;
}

function upload(name: string, mode: WriteMode, bytes: Uint8Array, expected: string, old = text(OLD)): Scenario {
  const isThere = old !== "";
  return {
    name: `upload ${name}`,
    before: isThere ? { "ftp/d/a": old, "ftp/d/b": "other" } : { "ftp/d/b": "other" },
    after: { "ftp/d/a": expected, "ftp/d/b": "other" },
    run: async ({ fileSystem }) => {
      const file = await fileSystem.openWrite("/d/a", mode, UNABORTED);
      try {
        for (let at = 0; at < bytes.length; at += 5) await file.write(bytes.slice(at, at + 5), UNABORTED);
        await file.finish(UNABORTED);
      } finally {
        await file.close();
      }
    },
  };
}

const NEW = sampleBytes(3 * PART + 1, 9);
const SMALL = NEW.slice(0, 3);
const old = text(OLD);

const SCENARIOS: readonly Scenario[] = [
  upload("of a new file", "place", NEW, text(NEW), ""),
  upload("of a small file", "place", SMALL, text(SMALL), ""),
  upload("of an empty file", "replace", new Uint8Array(), ""),
  upload("in place of another", "replace", NEW, text(NEW)),
  upload("of a small one in place of another", "replace", SMALL, text(SMALL)),
  upload("behind a large one", "append", NEW, old + text(NEW)),
  upload("behind a small one", "append", NEW, "old" + text(NEW), "old"),
  upload("into a large one", { offset: PART + 1 }, SMALL, old.slice(0, PART + 1) + text(SMALL) + old.slice(PART + 4)),
  upload("over the end of one", { offset: 4 * PART }, NEW, old.slice(0, 4 * PART) + text(NEW)),
  {
    name: "rename of a file",
    before: { "ftp/d/a": "a", "ftp/d/b": "b" },
    after: { "ftp/d/": "", "ftp/e": "a" },
    run: async ({ fileSystem }) => {
      await fileSystem.rename("/d/a", "/e", UNABORTED);
      await fileSystem.remove("/d/b", UNABORTED);
    },
  },
  {
    name: "rename of a file onto another",
    before: { "ftp/d/a": "a", "ftp/d/b": "b" },
    after: { "ftp/d/b": "a" },
    run: ({ fileSystem }) => fileSystem.rename("/d/a", "/d/b", UNABORTED),
  },
];

function contentOf({ store }: ObjectFixture): Record<string, string> {
  return Object.fromEntries([...store.objects.keys()].sort().map((key) => [key, store.text(key) ?? ""]));
}

/** Runs a scenario in which a request fails; returns whether it was said to have worked, and whether the request came. */
async function runWith(scenario: Scenario, fault: (count: number) => Fault, stored = {}) {
  let now = Date.now();
  const fixture = objectFixture(scenario.before, { now: () => now, stored: { now: () => new Date(now), ...stored } });
  let isHit = false;
  fixture.store.fault = ({ count }) => {
    const result = fault(count);
    isHit ||= result !== undefined;
    return result;
  };
  let isDone = true;
  try {
    await scenario.run(fixture);
  } catch (error) {
    assert(error instanceof FileSystemError, String(error));
    assertStrictEquals(error.kind, "unavailable", error.message);
    isDone = false;
  }
  fixture.store.fault = () => undefined;
  const seen = contentOf(fixture);
  now += 2 * DAY_MS;
  await fixture.fileSystem.sweepUploads(UNABORTED.signal);
  assertStrictEquals(fixture.buffers.usedBytes, 0);
  assertStrictEquals(fixture.store.uploads.size, 0);
  assertStrictEquals(fixture.store.openBodies, 0);
  assertEquals(fixture.records.list("renames"), []);
  assertEquals(fixture.records.list("uploads"), []);
  return { isDone, isHit, seen, swept: contentOf(fixture) };
}

for (const scenario of SCENARIOS) {
  for (const kind of ["before", "after"] as const) {
    for (const lasts of [false, true]) {
      const what = `${kind === "before" ? "a request fails" : "an answer is lost"}${
        lasts ? ", and all behind it" : ""
      }`;
      Deno.test(`ObjectFileSystem: ${scenario.name}, when ${what}`, async () => {
        for (
          const conditions of [{ put: true, copy: true, complete: true }, { put: false, copy: false, complete: false }]
        ) {
          for (let number = 1;; number++) {
            const fault = (count: number) => count === number || (lasts && count > number) ? kind : undefined;
            const { isDone, isHit, seen, swept } = await runWith(scenario, fault, { conditions });
            if (!isHit) {
              assertEquals([isDone, seen, swept], [true, scenario.after, scenario.after]);
              break;
            }
            checkOutcome(scenario, { isDone, seen, swept }, `request ${number}`);
          }
        }
      });
    }
  }
}

function checkOutcome(
  { before, after, name }: Scenario,
  { isDone, seen, swept }: { isDone: boolean; seen: Record<string, string>; swept: Record<string, string> },
  where: string,
): void {
  if (isDone) {
    assertEquals(seen, after, where);
    return assertEquals(swept, after, where);
  }
  if (name.startsWith("upload")) {
    // Whether it has come or not, it is whole, and the old one is there until then
    return assert(
      [before, after].some((content) => JSON.stringify(content) === JSON.stringify(seen)),
      `${where} ${JSON.stringify(seen)}`,
    );
  }
  assert(Object.values(swept).includes("a"), where);
  assert(Object.values(seen).includes("a"), where);
}

Deno.test("ObjectFileSystem: a directory is renamed to the end by the sweep, wherever it was cut", async () => {
  const objects = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`ftp/d/${index % 3}/${index}`, `${index}`]),
  );
  for (const kind of ["before", "after"] as const) {
    for (let number = 1;; number++) {
      let now = 5_000_000;
      const fixture = objectFixture({ ...objects, "ftp/d/empty/": "" }, {
        now: () => now,
        stored: { now: () => new Date(now) },
      });
      const { store, fileSystem, records } = fixture;
      await fileSystem.setModified("/d/1", new Date(7), UNABORTED);
      await fileSystem.setModified("/d/1/1", new Date(8), UNABORTED);
      const first = store.requests.length;
      store.fault = ({ count }) => count >= number + first ? kind : undefined;
      const outcome = await fileSystem.rename("/d", "/e", UNABORTED).then(() => "done", (error) => error.kind);
      store.fault = () => undefined;
      now += 2 * DAY_MS;
      const isBegun = records.list("renames").length > 0;
      await fileSystem.sweepUploads(UNABORTED.signal);
      const keys = [...store.objects.keys()];
      assertStrictEquals(keys.length, 21);
      assertEquals(records.list("renames"), []);
      if (outcome !== "done") assertStrictEquals(outcome, "unavailable");
      const place = keys.every((key) => key.startsWith("ftp/e/")) ? "e" : "d";
      assert(keys.every((key) => key.startsWith(`ftp/${place}/`)), `request ${number}: ${keys}`);
      assertStrictEquals(place, isBegun || outcome === "done" ? "e" : "d");
      assertEquals((await fileSystem.stat(`/${place}/1`, UNABORTED)).modified, new Date(7));
      assertEquals((await fileSystem.stat(`/${place}/1/1`, UNABORTED)).modified, new Date(8));
      if (outcome === "done") break;
    }
  }
});
