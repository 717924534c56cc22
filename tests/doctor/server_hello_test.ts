import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { writeClientHello } from "../../lib/doctor/client_hello.ts";
import { readServerAnswer } from "../../lib/doctor/server_hello.ts";

function record(type: number, content: readonly number[]): number[] {
  return [type, 3, 3, content.length >> 8, content.length & 0xff, ...content];
}

function message(type: number, body: readonly number[]): number[] {
  return [type, 0, body.length >> 8, body.length & 0xff, ...body];
}

const hello = (version: number, extensions: readonly number[] = []) =>
  message(2, [3, version, ...new Array<number>(32).fill(7), 0, 0x13, 0x01, 0, 0, extensions.length, ...extensions]);
const CERTIFICATES = message(11, [0, 0, 10, 0, 0, 2, 1, 2, 0, 0, 2, 3, 4]);

Deno.test("readServerAnswer() reads the version and the certificates of TLS 1.2", () => {
  const bytes = new Uint8Array(record(22, [...hello(3), ...CERTIFICATES]));
  assertEquals(readServerAnswer(bytes), {
    version: 0x0303,
    certificates: [new Uint8Array([1, 2]), new Uint8Array([3, 4])],
    isWhole: true,
  });
});

Deno.test("readServerAnswer() puts messages together that come in several records", () => {
  const [first, second] = [[...hello(1), ...CERTIFICATES.slice(0, 5)], CERTIFICATES.slice(5)];
  const bytes = new Uint8Array([...record(22, first), ...record(22, second)]);
  assertEquals(readServerAnswer(bytes.subarray(0, -1)), { version: 0x0301, isWhole: false });
  assertEquals(readServerAnswer(bytes).certificates?.length, 2);
});

Deno.test("readServerAnswer() finds TLS 1.3 in the extension", () => {
  const bytes = new Uint8Array(record(22, hello(3, [0, 0x2b, 0, 2, 3, 4])));
  assertEquals(readServerAnswer(bytes), { version: 0x0304, isWhole: true });
});

Deno.test("readServerAnswer() tells alerts, and what is no TLS", () => {
  assertEquals(readServerAnswer(new Uint8Array(record(21, [2, 70]))), { alert: 70, isWhole: true });
  assertEquals(readServerAnswer(new TextEncoder().encode("220 ready")), { isOther: true, isWhole: true });
  assertEquals(readServerAnswer(new Uint8Array(0)), { isWhole: false });
});

Deno.test("readServerAnswer() takes whatever comes", () => {
  const parts = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => [...bytes]),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => record(22, [...bytes])),
    fc.constantFrom(record(22, hello(3)), record(22, CERTIFICATES), record(21, [])),
  );
  fc.assert(fc.property(fc.array(parts, { maxLength: 5 }), (all) => {
    readServerAnswer(new Uint8Array(all.flat()));
  }));
});

Deno.test("writeClientHello() leaves addresses out of the server's name", () => {
  const text = (name: string) => new TextDecoder("latin1").decode(writeClientHello("TLS 1.2", name));
  assert(text("ftp.example.org").includes("ftp.example.org"));
  assert(!text("192.0.2.1").includes("192.0.2.1"));
});
