import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { posix } from "node:path";
import {
  baseName,
  isWithin,
  joinPathname,
  parentPath,
  quotePathname,
  resolvePathname,
} from "../../lib/protocol/pathname.ts";
import { formatReply, reply } from "../../lib/protocol/reply.ts";
import { assertProperty } from "../helpers/property.ts";
import { anyText, clientPathname, fileName, virtualPath } from "../helpers/property_values.ts";

/** A home on the host. */
const ROOT = "/srv/ftp/alice";

Deno.test("resolvePathname() returns a normalised path for every pathname", () => {
  assertProperty(fc.property(virtualPath(), clientPathname(), (directory, pathname) => {
    const path = resolvePathname(directory, pathname);
    const [before, ...components] = path.split("/");
    assertEquals(before, "");
    if (path !== "/") assertEquals(components.filter((it) => it === "" || it === "." || it === ".."), []);
  }));
});

Deno.test("resolvePathname() never leads out of the folder that its paths are taken from", () => {
  assertProperty(fc.property(virtualPath(), clientPathname(), (directory, pathname) => {
    const hostPath = posix.normalize(ROOT + resolvePathname(directory, pathname)).replace(/\/$/, "");
    assert(hostPath === ROOT || hostPath.startsWith(`${ROOT}/`), hostPath);
  }));
});

Deno.test("resolvePathname() leaves its own results alone, whatever the directory", () => {
  assertProperty(fc.property(virtualPath(), virtualPath(), clientPathname(), (directory, elsewhere, pathname) => {
    const path = resolvePathname(directory, pathname);
    assertEquals(resolvePathname(elsewhere, path), path);
    assertEquals(resolvePathname(path, ""), path);
  }));
});

Deno.test("resolvePathname() resolves in one step as in two", () => {
  const relative = clientPathname().map((pathname) => pathname.replace(/^\/+/, ""));
  assertProperty(fc.property(virtualPath(), clientPathname(), relative, (directory, first, second) => {
    assertEquals(
      resolvePathname(resolvePathname(directory, first), second),
      resolvePathname(directory, first === "" ? second : `${first}/${second}`),
    );
  }));
});

Deno.test("resolvePathname() agrees with the resolution of POSIX", () => {
  assertProperty(fc.property(virtualPath(), clientPathname(), (directory, pathname) => {
    assertEquals(resolvePathname(directory, pathname), posix.resolve(directory, pathname));
  }));
});

Deno.test("joinPathname() is undone by parentPath() and baseName(), and stays within the directory", () => {
  assertProperty(fc.property(virtualPath(), fileName(), (directory, name) => {
    const path = joinPathname(directory, name);
    assertEquals([parentPath(path), baseName(path)], [directory, name]);
    assertEquals(path, resolvePathname(directory, name));
    assert(isWithin(directory, path));
    assert(!isWithin(path, directory));
  }));
});

Deno.test("isWithin() is true exactly where the relative path does not go up", () => {
  const relations = fc.constantFrom<(directory: string, other: string) => string>(
    (_, other) => other,
    (directory, other) => resolvePathname(directory, `.${other}`),
    (directory, other) => resolvePathname(`${directory}x`, `.${other}`),
    (directory, other) => resolvePathname(parentPath(directory), `.${other}`),
  );
  assertProperty(fc.property(virtualPath(), virtualPath(), relations, (directory, other, relate) => {
    const path = relate(directory, other);
    assertEquals(isWithin(directory, path), !/^\.\.(\/|$)/.test(posix.relative(directory, path)));
  }));
});

Deno.test("quotePathname() is read back by a client, whatever text follows", () => {
  assertProperty(fc.property(virtualPath(), anyText(), (path, text) => {
    assertEquals(readQuoted(`${quotePathname(path)} ${text}`), path);
  }));
});

Deno.test("quotePathname() is read back from the reply to PWD", () => {
  // deno-lint-ignore no-control-regex -- control characters are made visible in replies
  const printable = virtualPath().map((path) => path.replace(/[\x00-\x1f\x7f]/g, ""));
  assertProperty(fc.property(printable, (path) => {
    const line = formatReply(reply(257, `${quotePathname(path)} is the current directory.`));
    assertEquals(readQuoted(line.slice(4)), path);
  }));
});

/** Reads as RFC 959 appendix II tells clients to: a doubled quote is one, a single one ends the name. */
function readQuoted(text: string): string {
  const [, quoted = ""] = /^"((?:[^"]|"")*)"(?!")/s.exec(text) ?? [];
  return quoted.replaceAll('""', '"');
}
