import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import {
  isErrorBody,
  parseAnswer,
  parseError,
  readETag,
  readListPage,
  readObjectInfo,
  readOrRefuse,
  readUploadsPage,
  readWhole,
} from "../../../lib/filesystem/object/s3_answers.ts";

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

function contents(key: string): string {
  return `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>` +
    `<ETag>&quot;abc&quot;</ETag><Size>0012</Size></Contents>`;
}

async function keysOf(children: string): Promise<string[]> {
  const page = readListPage(
    await parseAnswer(`${HEAD}<ListBucketResult>${children}</ListBucketResult>`, "ListBucketResult"),
  );
  return page.objects.map(({ key }) => key);
}

Deno.test("readListPage() leaves keys as they are", async () => {
  const keys = [
    " a ",
    "0123",
    "1e5",
    "true",
    "",
    "&#x1;a&#31;",
    "\u0002",
    "\ufffe&#xffff;&#65534;",
    "&lt;b&gt;&amp;&#233;",
    "<![CDATA[<x>]]>",
    "__proto__",
  ];
  const expected = [
    " a ",
    "0123",
    "1e5",
    "true",
    "",
    "\u0001a\u001f",
    "\u0002",
    "\ufffe\uffff\ufffe",
    "<b>&é",
    "<x>",
    "__proto__",
  ];
  assertEquals(await keysOf(keys.map(contents).join("")), expected);
  assertEquals(await keysOf(contents("a%20b")), ["a%20b"]);
  const encoded = "<EncodingType>url</EncodingType>";
  assertEquals(await keysOf(encoded + ["a%20b", "a+b", "a%2Bb", "%C3%A9"].map(contents).join("")), [
    "a b",
    "a b",
    "a+b",
    "é",
  ]);
});

Deno.test("readListPage() and readUploadsPage() refuse answers that lack something", async () => {
  const bad = [
    contents("a").replace("<Key>a</Key>", ""),
    contents("a").replace("0012", "x"),
    contents("a").replace("2026", "x"),
    contents("a").replace("&quot;abc&quot;", ""),
    "<IsTruncated>true</IsTruncated>",
    `<EncodingType>url</EncodingType>${contents("%")}`,
  ];
  for (const children of bad) {
    const answer = await parseAnswer(`<A>${children}</A>`, "A");
    assertEquals(assertThrows(() => readOrRefuse(() => readListPage(answer)), FileSystemError).kind, "unavailable");
  }
  const uploads = await parseAnswer("<A><IsTruncated>true</IsTruncated></A>", "A");
  assertThrows(() => readOrRefuse(() => readUploadsPage(uploads)), FileSystemError);
});

Deno.test("parseAnswer() takes spaces before an answer, and refuses what is none", async () => {
  assertEquals((await parseAnswer(`  \n ${HEAD}<A><b>1</b></A>`, "A")).find("b"), "1");
  const entity = '<!DOCTYPE A [<!ENTITY x "y">]><A>&x;</A>';
  for (
    const text of ["", "<A>", "<B/>", "<html><br></html>", entity, "<A>&unknown;</A>", "{}", "<a>".repeat(100_000)]
  ) {
    const error = await assertRejects(() => parseAnswer(text, "A"), FileSystemError);
    assertEquals(error.kind, "unavailable");
  }
});

Deno.test("parseError() takes what there is, in one line", async () => {
  const text =
    `${HEAD}<Error><Code>NoSuchKey</Code><Message>a\nb\u0001c</Message><Condition>If-Match</Condition></Error>`;
  assertEquals(await parseError(404, text), {
    status: 404,
    code: "NoSuchKey",
    message: "a?b?c",
    condition: "If-Match",
  });
  for (const other of ["", "<html/>", "Bad gateway"]) {
    assertEquals(await parseError(502, other), { status: 502, code: "", message: "", condition: "" });
  }
});

Deno.test("isErrorBody() knows errors behind a status that says success", () => {
  for (const text of [`${HEAD}<Error>`, `  ${HEAD}${" ".repeat(99_999)}<Error xmlns="x">`, "<Error><Code/></Error>"]) {
    assert(isErrorBody(text), text);
  }
  for (const text of ["", HEAD, "<Errors>", `${HEAD}<CopyObjectResult><Error/>`, "<?x"]) {
    assert(!isErrorBody(text), text);
  }
});

Deno.test("readETag() and readWhole() take what stores send, and nothing else", () => {
  assertEquals(['"a"', "a", 'W/"a-2"', " a "].map(readETag), ['"a"', '"a"', '"a-2"', '"a"']);
  for (const text of ["", '""', 'a"b', "a b", "é"]) assertThrows(() => readETag(text), SyntaxError);
  assertEquals(["0", "007", "9007199254740991"].map(readWhole), [0, 7, 9007199254740991]);
  for (const text of ["", "-1", "1.5", "0x1", "9007199254740993", "1e3"]) {
    assertThrows(() => readWhole(text), SyntaxError);
  }
});

Deno.test("readObjectInfo() has metadata without names of its own", () => {
  const headers = new Headers({
    "content-length": "5",
    etag: '"a"',
    "last-modified": "Fri, 02 Jan 2026 03:04:05 GMT",
    "x-amz-meta-mtime": "12",
    "x-amz-meta-__proto__": "x",
  });
  const { size, modified, metadata } = readObjectInfo(headers);
  assertEquals([size, modified.toISOString(), metadata.mtime], [5, "2026-01-02T03:04:05.000Z", "12"]);
  assertEquals([metadata.constructor, metadata.missing], [undefined, undefined]);
});

Deno.test("readListPage() and others refuse more entries than a page has", async () => {
  assertEquals((await keysOf(contents("a").repeat(1000))).length, 1000);
  const crowded = await assertRejects(() => keysOf(contents("a").repeat(1001)), SyntaxError);
  assertEquals(crowded.message, 'The answer has 1001 of "Contents", more than a page');
  const prefixes = "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>".repeat(1001);
  await assertRejects(() => keysOf(prefixes), SyntaxError);
});

Deno.test("parseError() does not look at an answer that is longer than errors are", async () => {
  const answer = `<Error><Code>SlowDown</Code>${"<x/>".repeat(20_000)}</Error>`;
  assertEquals((await parseError(503, answer)).code, "");
});
