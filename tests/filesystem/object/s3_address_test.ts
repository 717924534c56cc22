import { assertEquals, assertThrows } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { BucketAddress, checkKey } from "../../../lib/filesystem/object/s3_address.ts";

Deno.test("BucketAddress puts the bucket into the path, or into the host's name", () => {
  const url = (endpoint: string, bucket: string, options: { pathStyle?: boolean } = {}) => {
    return new BucketAddress({ endpoint, bucket, ...options }).url("a/b").href;
  };
  assertEquals(url("http://127.0.0.1:9000", "files"), "http://127.0.0.1:9000/files/a/b");
  assertEquals(url("https://s3.example.org/store/", "files"), "https://s3.example.org/store/files/a/b");
  assertEquals(url("https://s3.eu-west-1.amazonaws.com", "files"), "https://files.s3.eu-west-1.amazonaws.com/a/b");
  assertEquals(url("https://s3.eu-west-1.amazonaws.com", "f.s"), "https://s3.eu-west-1.amazonaws.com/f.s/a/b");
  assertEquals(url("https://s3.example.org", "files", { pathStyle: false }), "https://files.s3.example.org/a/b");
  assertEquals(
    url("https://s3.eu-west-1.amazonaws.com", "files", { pathStyle: true }),
    "https://s3.eu-west-1.amazonaws.com/files/a/b",
  );
});

Deno.test("BucketAddress encodes keys and queries so that they come as they are", () => {
  const address = new BucketAddress({ endpoint: "http://[::1]:9000", bucket: "files" });
  const keys = ["a b", "a+b", "100%", "ü/😀", "/x", "a//b", "?x=1", "#x", "dir/", "'()*!", "%2F", "\u0001", "..x/.y"];
  for (const key of keys) {
    const { pathname, search, hash } = address.url(key);
    assertEquals([decodeURIComponent(pathname), search, hash], [`/files/${key}`, "", ""]);
  }
  const query = { prefix: "a b+c&d=é", uploads: "" };
  assertEquals(Object.fromEntries(address.url(undefined, query).searchParams), query);
  assertEquals(address.copySource("a b+ü"), "/files/a%20b%2B%C3%BC");
  assertEquals(address.name, "s3 [::1]:9000/files");
});

Deno.test("BucketAddress refuses what is no address", () => {
  for (const endpoint of ["", "ftp://a", "http://u:p@a", "http://a?x", "http://a#x", "s3.example.org"]) {
    assertThrows(() => new BucketAddress({ endpoint, bucket: "files" }), TypeError);
  }
  for (const bucket of ["", "a/b", "..", "a b", "?"]) {
    assertThrows(() => new BucketAddress({ endpoint: "http://a", bucket }), TypeError);
  }
});

Deno.test("checkKey() refuses keys that no request can have", () => {
  for (const key of ["a", "a/b/", "..a", "a..", "...", "ü".repeat(512), "x".repeat(1024)]) checkKey(key);
  const refused = ["", ".", "..", "a/../b", "./a", "a/.", "\ud800", "ü".repeat(513), "x".repeat(1025)];
  for (const key of refused) {
    assertEquals(assertThrows(() => checkKey(key), FileSystemError).kind, "invalidName", key.slice(0, 9));
  }
});
