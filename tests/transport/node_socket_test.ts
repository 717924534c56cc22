import { assertEquals } from "@std/assert";
import { toSocketAddress } from "../../lib/transport/node_socket.ts";

Deno.test("toSocketAddress() returns mapped IPv4 addresses in their IPv4 form, and others as they are", () => {
  assertEquals(toSocketAddress("::ffff:192.0.2.7", 21), { host: "192.0.2.7", port: 21 });
  assertEquals(toSocketAddress("::FFFF:192.0.2.7", 21), { host: "192.0.2.7", port: 21 });
  assertEquals(toSocketAddress("192.0.2.7", 21), { host: "192.0.2.7", port: 21 });
  assertEquals(toSocketAddress("2001:db8::ffff:1", 21), { host: "2001:db8::ffff:1", port: 21 });
  assertEquals(toSocketAddress("::1", 21), { host: "::1", port: 21 });
});
