import { assertEquals } from "@std/assert";
import { NodeOrders } from "../../lib/serve/node_orders.ts";
import type { SessionInfo } from "../../lib/session/session.ts";

const WITHIN_MS = 500;

Deno.test("NodeOrders looks at an account that is changed just when a look ends", async () => {
  const asked = await Promise.all(Array.from({ length: 12 }, (_, turns) => askedWhenChanged(turns)));
  assertEquals(asked, asked.map(() => ["bob", "bob", "alice"]));
});

/** Changes another account so many turns after the last thing that a look has waited for; returns who was looked at. */
async function askedWhenChanged(turns: number): Promise<readonly string[]> {
  const asked: string[] = [];
  const looked = Promise.withResolvers<void>();
  const all = Promise.withResolvers<void>();
  await using orders = new NodeOrders({ log: () => {} });
  orders.attach({
    sessions: () =>
      Promise.resolve(["alice", "bob"].map((username) => ({ isLoggedIn: true, username }) as SessionInfo)),
    disconnect: () => Promise.resolve(0),
    hasAccount: (name) => {
      asked.push(name);
      if (name === "alice") all.resolve();
      else if (asked.length === 2) looked.resolve(); // each is looked at twice
      return Promise.resolve(asked.length > 0);
    },
  });
  orders.accountChanged("bob");
  await looked.promise;
  for (let turn = 0; turn < turns; turn++) await undefined;
  orders.accountChanged("alice");
  const timer = setTimeout(() => all.resolve(), WITHIN_MS);
  await all.promise;
  clearTimeout(timer);
  return asked;
}
