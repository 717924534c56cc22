/**
 * A hook for accounts (docs/accounts.md): a server asks it who may log in, with name and password, and it answers what the account
 * is. Here they are in a list; look into whatever you have instead.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 --allow-read=hook.token examples/account_hook.ts hook.token 8080
 * ```
 *
 * It listens on the loopback address alone, in clear: put a web server with HTTPS in front of it, or give `Deno.serve()` a `cert` and
 * a `key`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { timingSafeEqual } from "node:crypto";
import { hashPassword, verifyPassword } from "@ftpsd/ftpsd";

const [file = "hook.token", port = "8080"] = Deno.args;
const expected = new TextEncoder().encode(`Bearer ${Deno.readTextFileSync(file).trim()}`);
const users = new Map([["alice", { hash: await hashPassword("correct horse"), home: "alice", permissions: "elrw" }]]);
const nobody = { hash: await hashPassword(crypto.randomUUID()) }; // so that unknown names take as long as known ones

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  onListen: ({ hostname, port }) => console.log(`Listening on ${hostname}:${port}`),
}, async (request) => {
  const given = new TextEncoder().encode(request.headers.get("authorization") ?? "");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return new Response(null, { status: 500 });
  const { username, password } = await request.json();
  const { hash, ...account } = users.get(username) ?? nobody;
  const isRight = await verifyPassword(password, hash) && users.has(username);
  console.log(`${isRight ? "let in" : "refused"} ${JSON.stringify(username)}`);
  return isRight ? Response.json(account) : new Response(null, { status: 403 });
});
Deno.addSignalListener("SIGINT", () => void server.shutdown());
