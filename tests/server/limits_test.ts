import { assertEquals } from "@std/assert";
import { ConnectionLimits } from "../../lib/server/limits.ts";

const NONE = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };
const FULL = "Too many connections. Service temporarily unavailable.";
const SAME_ADDRESS = "Too many connections from the same IP address.";
const BEFORE_LOGIN = "Too many connections that have not logged in, try again later.";

Deno.test("ConnectionLimits refuses what is over the share before the login, and takes it after a login or an end", () => {
  const limits = new ConnectionLimits({ ...NONE, connections: 4, connectionsBeforeLogin: 2 });
  const first = limits.count("192.0.2.1");
  const second = limits.count("192.0.2.2");
  assertEquals(limits.refusal("192.0.2.3"), BEFORE_LOGIN);
  first.loggedIn();
  assertEquals(limits.refusal("192.0.2.3"), undefined);
  limits.count("192.0.2.3");
  assertEquals(limits.refusal("192.0.2.4"), BEFORE_LOGIN);
  second[Symbol.dispose]();
  assertEquals(limits.refusal("192.0.2.4"), undefined);
});

Deno.test("ConnectionLimits counts one login of a connection, however often it is told and whenever it ends", () => {
  const limits = new ConnectionLimits({ ...NONE, connectionsBeforeLogin: 1 });
  const first = limits.count("192.0.2.1");
  for (let times = 0; times < 3; times++) first.loggedIn();
  first[Symbol.dispose]();
  first.loggedIn();
  limits.count("192.0.2.1");
  assertEquals(limits.refusal("192.0.2.1"), BEFORE_LOGIN);
});

Deno.test("ConnectionLimits counts connections in all whether or not they have logged in", () => {
  const limits = new ConnectionLimits({ ...NONE, connections: 2, connectionsBeforeLogin: 1 });
  limits.count("192.0.2.1").loggedIn();
  const last = limits.count("192.0.2.2");
  last.loggedIn();
  assertEquals(limits.refusal("192.0.2.3"), FULL);
  last[Symbol.dispose]();
  assertEquals(limits.refusal("192.0.2.3"), undefined);
});

Deno.test("ConnectionLimits counts addresses, of IPv6 by /64", () => {
  const limits = new ConnectionLimits({ ...NONE, connectionsPerAddress: 1 });
  const one = limits.count("2001:db8::1");
  assertEquals(limits.refusal("2001:db8::2"), SAME_ADDRESS);
  assertEquals(limits.refusal("2001:db8:0:1::1"), undefined);
  one[Symbol.dispose]();
  assertEquals(limits.refusal("2001:db8::2"), undefined);
});

Deno.test("ConnectionLimits.configure() holds for connections that were counted before", () => {
  const limits = new ConnectionLimits(NONE);
  limits.count("192.0.2.1");
  assertEquals(limits.refusal("192.0.2.2"), undefined);
  limits.configure({ ...NONE, connectionsBeforeLogin: 1 });
  assertEquals(limits.refusal("192.0.2.2"), BEFORE_LOGIN);
});
