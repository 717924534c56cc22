import { assert, assertEquals } from "@std/assert";
import { ApiAccess } from "../../lib/admin/api/access.ts";
import { AdminServer, TOKEN } from "../helpers/admin_server.ts";

Deno.test("Nothing of the admin API is told without the token; guesses are slowed down, and keep nobody out who has it", async () => {
  await using admin = await AdminServer.start();
  for (const path of ["/server", "/sessions", "/bans", "/stream", "/openapi.json", "/nothing"]) {
    assertEquals((await admin.ask(path, { token: "" })).status, 401, path);
  }
  for (const token of ["x", `${TOKEN}x`, TOKEN.slice(1)]) {
    const { status, body } = await admin.ask("/sessions", { token });
    assertEquals([status, body], [401, { error: "the token is missing or wrong" }]);
  }
  let status = 0;
  for (let tries = 0; tries < 20 && status !== 429; tries++) ({ status } = await admin.ask("/server", { token: "x" }));
  assertEquals(status, 429);
  assertEquals((await admin.ask("/server")).status, 200, "all of a host come from one address");
  const metrics = await fetch(`${admin.url}/metrics`);
  assertEquals([metrics.status, await metrics.text()], [429, '{"error":"too many wrong tokens, try again later"}']);
});

Deno.test("Pages of other sites can neither ask the admin API nor frame it, whatever name leads here", async () => {
  await using admin = await AdminServer.start();
  const port = admin.server.admin?.port;
  /** A request as a browser makes it, whose Host nobody else can choose. */
  const ask = async (headers: Readonly<Record<string, string>>, method = "POST", path = "/api/v1/reload") => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: port ?? 0 });
    const given = { authorization: `Bearer ${TOKEN}`, "content-length": "0", connection: "close", ...headers };
    const lines = Object.entries(given).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await connection.write(new TextEncoder().encode(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`));
    const text = await new Response(connection.readable).text();
    return { status: Number(text.slice(9, 12)), text };
  };
  const host = `127.0.0.1:${port}`;
  assertEquals((await ask({ host: `evil.example:${port}` })).status, 421); // DNS rebinding
  assertEquals((await ask({ host, origin: "https://evil.example" })).status, 403);
  assertEquals((await ask({ host, origin: "null" })).status, 403);
  assertEquals((await ask({ host, "sec-fetch-site": "cross-site" })).status, 403);
  assertEquals((await ask({ host, origin: `http://${host}`, "sec-fetch-site": "same-origin" })).status, 200);
  const { text } = await ask({ host: `localhost:${port}` }, "GET", "/");
  for (const header of ["x-frame-options: DENY", "x-content-type-options: nosniff", "referrer-policy: no-referrer"]) {
    assert(text.toLowerCase().includes(header.toLowerCase()), header);
  }
  assert(!text.toLowerCase().includes("access-control-allow"));
  const audit = admin.events.filter(({ event }) => event === "administered");
  assertEquals(audit.length, 1);
});

Deno.test("So many follow the stream, and no more; who leaves makes room", async () => {
  await using admin = await AdminServer.start();
  const follow = async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`${admin.url}/api/v1/stream`, { headers });
    const reader = response.body?.getReader();
    await reader?.read();
    return { status: response.status, leave: async () => await reader?.cancel() };
  };
  const followers = [];
  for (let count = 0; count < 32; count++) followers.push(await follow());
  assertEquals(followers.filter(({ status }) => status !== 200), []);
  const refused = await follow();
  await refused.leave();
  assertEquals(refused.status, 429);
  await followers.pop()?.leave();
  let status = 429;
  while (status !== 200) {
    const another = await follow();
    followers.push(another);
    ({ status } = another);
  }
  for (const { leave } of followers) await leave();
});

Deno.test("A body that does not end, or is too large, is refused", async () => {
  await using admin = await AdminServer.start();
  const { status } = await admin.ask("/kicks", { method: "POST", body: { account: "a".repeat(100_000) } });
  assertEquals(status, 413);
});

Deno.test("ApiAccess keeps a thousand clients in mind, and lets each ask so often", () => {
  let now = 0;
  const access = new ApiAccess({ token: () => TOKEN, isOpen: () => false, hosts: () => [], now: () => now });
  const request = new Request("http://localhost/", { headers: { authorization: `Bearer ${TOKEN}` } });
  const asked = Array.from({ length: 101 }, () => access.refuseClient("192.0.2.1", request)?.status);
  assertEquals([asked.filter((status) => status === undefined).length, asked.at(-1)], [100, 429]);
  now += 1000;
  assertEquals(access.refuseClient("192.0.2.1", request), undefined);
  for (let index = 0; index < 5000; index++) access.refuseClient(`2001:db8::${index.toString(16)}`, request);
  assertEquals(access.refuseClient("192.0.2.1", request), undefined);
});

Deno.test("ApiAccess counts guesses of all addresses that one host can take, and lets in nobody while the token is not known", () => {
  let token: string | undefined = TOKEN;
  const access = new ApiAccess({ token: () => token, isOpen: () => false, hosts: () => [], now: () => 0 });
  const guess = new Request("http://localhost/", { headers: { authorization: `Bearer ${TOKEN}x` } });
  const statuses = Array.from({ length: 11 }, (_, index) => access.refuseClient(`2001:db8::${index}`, guess)?.status);
  assertEquals([statuses[9], statuses[10]], [401, 429]);
  token = undefined;
  for (const authorization of ["", "Bearer", "Bearer undefined", `Bearer ${TOKEN}`]) {
    const request = new Request("http://localhost/", { headers: { authorization } });
    assertEquals(access.refuseClient("192.0.2.1", request)?.status, 401);
  }
});
