/**
 * Receives the hooks of a server (docs/hooks.md): checks that they come from it, and works on each once. Whatever a file that has
 * come is to start, start it here: the server itself runs no programs.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 --allow-read=hook.token examples/hook_receiver.ts hook.token 8080
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { createHmac, timingSafeEqual } from "node:crypto";

const [file = "hook.token", port = "8080"] = Deno.args;
const token = Deno.readTextFileSync(file).trim();
const key = token.startsWith("whsec_") ? Uint8Array.fromBase64(token.slice(6)) : new TextEncoder().encode(token);
const done = new Set<string>(); // Better a table beside what they change: it has to outlive this program.

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  onListen: ({ hostname, port }) => console.log(`Listening on ${hostname}:${port}`),
}, async ({ headers, body }) => {
  const [id, time, signatures] = ["id", "timestamp", "signature"].map((name) => headers.get(`webhook-${name}`) ?? "");
  const text = await new Response(body).text();
  const expected = new TextEncoder().encode(
    `v1,${createHmac("sha256", key).update(`${id}.${time}.${text}`).digest("base64")}`,
  );
  const isSigned = (signatures ?? "").split(" ").map((signature) => new TextEncoder().encode(signature))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
  if (!isSigned || Math.abs(Date.now() / 1000 - Number(time)) > 300) return new Response(null, { status: 401 });
  if (id !== undefined && !done.has(id)) {
    const { event, path, username } = JSON.parse(text);
    console.log(`${event} ${path} of ${username}`);
    done.add(id); // Only now: what fails before is sent again.
  }
  return new Response(null, { status: 204 });
});
Deno.addSignalListener("SIGINT", () => void server.shutdown());
