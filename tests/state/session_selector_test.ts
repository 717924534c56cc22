import { assertEquals } from "@std/assert";
import { formatSelector, isSelected, parseSelector } from "../../lib/state/session_selector.ts";

const SESSION = { session: "3f2a-1", remote: "[2001:db8::1]:40000", username: "alice", isLoggedIn: true };

Deno.test("isSelected() knows a session by its id, its account once it has logged in, or its address", () => {
  for (
    const [selector, session, is] of [
      [{ session: "3f2a-1" }, SESSION, true],
      [{ session: "alice" }, SESSION, false],
      [{ account: "alice" }, SESSION, true],
      [{ account: "Alice" }, SESSION, false],
      [{ account: "alice" }, { ...SESSION, isLoggedIn: false }, false],
      [{ address: "2001:db8::2" }, SESSION, true],
      [{ address: "2001:db8:0:1::2" }, SESSION, false],
      [{ address: "192.0.2.1" }, { ...SESSION, remote: "192.0.2.1:21" }, true],
      [{ address: "192.0.2.1" }, { ...SESSION, remote: "192.0.2.11:21" }, false],
      [{ address: "" }, SESSION, false],
    ] as const
  ) {
    assertEquals(isSelected(selector, session), is, formatSelector(selector));
  }
});

Deno.test("parseSelector() reads what formatSelector() writes, with names of any kind, and nothing else", () => {
  for (
    const selector of [{ session: "a" }, { account: "account b\nc " }, { account: "10.0.0.1" }, { address: "::1" }]
  ) {
    assertEquals(parseSelector(formatSelector(selector)), selector);
  }
  for (const text of ["", "alice", "account", "account ", "user alice", " account a"]) {
    assertEquals(parseSelector(text), undefined);
  }
});
