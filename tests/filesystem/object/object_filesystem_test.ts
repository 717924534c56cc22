import { testWholeUploads } from "../../conformance/filesystem_conformance.ts";
import { objectFixture, PART } from "../../helpers/object_store/object_fixture.ts";

for (const conditions of [{ put: true, copy: true, complete: true }, { put: false, copy: false, complete: false }]) {
  const name = `ObjectFileSystem on a store ${conditions.put ? "with" : "without"} conditions`;
  testWholeUploads(name, (files) => {
    const objects = Object.entries(files).map(([path, content]) => [`ftp/home${path}`, content]);
    const { fileSystem } = objectFixture(Object.fromEntries(objects), { path: "/home", stored: { conditions } });
    return Promise.resolve({ fileSystem, [Symbol.asyncDispose]: () => Promise.resolve() });
  }, { partBytes: PART });
}
