import { assert, assertEquals, assertMatch } from "@std/assert";
import { RawClient } from "../helpers/raw_client.ts";
import { AdminServer } from "../helpers/admin_server.ts";

Deno.test("The API tells who is connected in all event loops, with the progress of transfers", async () => {
  await using admin = await AdminServer.start();
  await using clients = new AsyncDisposableStack();
  for (let count = 0; count < 6; count++) clients.use(await admin.login());
  await using uploading = await admin.login();
  await using data = await uploading.passive();
  await uploading.expect(150, "STOR /up.bin");
  await data.secure();
  await data.write(new Uint8Array(70_000));
  let transfers: { path: string; bytes: number }[] = [];
  while (transfers[0]?.bytes !== 70_000) transfers = (await admin.ask("/transfers")).body;
  assertEquals(transfers.map(({ path }) => path), ["/up.bin"]);
  const { body: sessions } = await admin.ask("/sessions");
  assertEquals(sessions.length, 7);
  for (const session of sessions) {
    assertEquals([session.username, session.isLoggedIn, session.tls], ["alice", true, "TLSv1.3"]);
    assertMatch(session.since, /^\d{4}-\d\d-\d\dT/);
  }
  await data.finish();
  assertEquals((await uploading.readReply()).code, 226);
  const { body: quotas } = await admin.ask("/quotas");
  assertEquals(quotas, [{
    name: "user alice",
    limits: { bytes: 1_000_000, files: 10 },
    used: { bytes: 70_000, files: 1 },
  }]);
  const { body: server } = await admin.ask("/server");
  assertEquals([server.workers, server.sessions, server.isReady, server.certificate.selfSigned], [2, 7, true, true]);
  assertEquals(server.acceptedRisks, [{ risk: "plaintext-password", reason: "a test" }]);
  assertEquals((await admin.ask("/nodes")).body, []);
});

Deno.test("The API ends a session, in whichever event loop it is, and writes that down", async () => {
  await using admin = await AdminServer.start();
  await using clients = new AsyncDisposableStack();
  const all = [];
  for (let count = 0; count < 6; count++) all.push(clients.use(await admin.login()));
  const { body: sessions } = await admin.ask("/sessions");
  const ended = sessions.slice(0, 3);
  const end = async (session: string) => (await admin.ask(`/sessions/${session}`, { method: "DELETE" })).status;
  for (const { session } of ended) assertEquals(await end(session), 204);
  while ((await admin.ask("/sessions")).body.length > 3); // their clients have been told
  for (const { session } of ended) assertEquals(await end(session), 404);
  assertEquals((await admin.ask("/kicks", { method: "POST", body: { account: "alice" } })).body, { sessions: 3 });
  for (const client of all) assertEquals((await client.readReply()).text, "421 Disconnected by the server.");
  const audit = admin.events.flatMap((event) => event.event === "administered" ? [event] : []);
  assertEquals(audit.map(({ action, by }) => `${action} ${by}`), [
    ...Array.from({ length: 6 }, () => "disconnect 127.0.0.1"),
    "kick 127.0.0.1",
  ]);
  assertEquals(audit.at(-1)?.subject, "account alice");
});

Deno.test("The API bans and lifts bans, which hold for the next connection in all event loops", async () => {
  await using admin = await AdminServer.start();
  const ban = { address: "127.0.0.1", seconds: 60 };
  assertEquals((await admin.ask("/bans", { method: "POST", body: ban })).body, ban);
  const [listed] = (await admin.ask("/bans")).body;
  assertEquals(listed.address, "127.0.0.1");
  assert(listed.seconds > 50 && listed.seconds <= 60);
  for (let count = 0; count < 6; count++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port: admin.server.addresses[0]?.port ?? 0 });
    assertEquals((await client.readReply()).code, 421);
  }
  assertEquals((await admin.ask("/bans/127.0.0.1", { method: "DELETE" })).status, 204);
  assertEquals((await admin.ask("/bans/127.0.0.1", { method: "DELETE" })).status, 404);
  for (let count = 0; count < 6; count++) await (await admin.connect())[Symbol.asyncDispose]();
  assertEquals((await admin.ask("/bans")).body, []);
});

Deno.test("A ban without a time lasts as the configuration says, and is told as it holds", async () => {
  await using admin = await AdminServer.start({ ban: { duration: 77 } });
  const { body } = await admin.ask("/bans", { method: "POST", body: { address: "2001:db8::1" } });
  assertEquals(body, { address: "2001:db8:0:0::/64", seconds: 77 });
  const lift = (address: string) => admin.ask(`/bans/${encodeURIComponent(address)}`, { method: "DELETE" });
  assertEquals((await lift("2001:db8:0:0::/64")).status, 204);
});

Deno.test("The API tells of accounts that are logged in, or have a quota, with what is stored", async () => {
  await using admin = await AdminServer.start();
  await using first = await admin.login();
  await using _second = await admin.login();
  await using _stranger = await admin.connect();
  await using data = await first.passive();
  await first.expect(150, "STOR /up.bin");
  await data.secure();
  const limits = { bytes: 1_000_000, files: 10 };
  assertEquals((await admin.ask("/accounts")).body, [
    { account: "alice", sessions: 2, transfers: 1, quota: { limits, used: { bytes: 0, files: 1 } } },
  ]);
  await data.finish();
  assertEquals((await first.readReply()).code, 226);
});

Deno.test("The API tells what went wrong last, and what of a request it cannot use", async () => {
  await using admin = await AdminServer.start();
  await using client = await admin.login();
  await client.expect(550, "SIZE /missing");
  let incidents: { event: string; text: string; code: number }[] = [];
  while (incidents.length === 0) incidents = (await admin.ask("/incidents")).body;
  assertEquals(incidents.map(({ event, code }) => [event, code]), [["commandRefused", 550]]);
  const post = (path: string, body: unknown) => admin.ask(path, { method: "POST", body });
  const cases = [
    [await post("/bans", { address: "localhost", seconds: 60 }), 400, "address: is no IPv4 or IPv6 address"],
    [await post("/bans", { address: "192.0.2.1", seconds: 0 }), 400, undefined],
    [await post("/kicks", { account: "a", session: "b" }), 400, undefined],
    [await post("/kicks", "alice"), 400, undefined],
    [await admin.ask("/kicks", { method: "POST" }), 415, "the body must be application/json"],
    [await admin.ask("/bans/nobody", { method: "DELETE" }), 400, "address: is no IPv4 or IPv6 address"],
    [await admin.ask("/history?span=week"), 400, "span: is not one of hour, day"],
    [await admin.ask("/sessions", { method: "PUT" }), 405, "not by this method"],
    [await admin.ask("/nothing"), 404, "there is nothing here"],
  ] as const;
  for (const [{ status, body }, expected, error] of cases) {
    assertEquals(status, expected);
    if (error !== undefined) assertEquals(body.error, error);
  }
  assertEquals((await admin.ask("/history")).body, []);
  assertEquals((await admin.ask("/openapi.json")).body.openapi, "3.1.0");
});

Deno.test("The stream tells of the server each second, with what is new, and ends with the server", async () => {
  await using admin = await AdminServer.start();
  const response = await fetch(`${admin.url}/api/v1/stream`, {
    headers: { authorization: "Bearer 0123456789abcdef0123456789abcdef" },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => JSON.parse(((await reader?.read())?.value ?? "").replace(/^data: /, ""));
  const first = await next();
  assertEquals([first.sessions, first.incidents, first.totals.logins], [[], [], 0]);
  await using client = await admin.login();
  await client.expect(550, "SIZE /missing");
  let message = await next();
  while (message.incidents.length === 0) message = await next();
  assertEquals([message.sessions.length, message.totals.logins, message.incidents.length], [1, 1, 1]);
  await admin.server.shutdown();
  while (!(await reader?.read())?.done);
});

Deno.test("The API reads the configuration again, or says what is wrong with it, and lets the server stop", async () => {
  await using admin = await AdminServer.start();
  const { status: good, body: reloaded } = await admin.ask("/reload", { method: "POST" });
  assertEquals(good, 200);
  assertMatch(reloaded.remarks.join("\n"), /^risk plaintext-password accepted: /m);
  await Deno.writeTextFile(`${admin.folder}/admin.token`, "short");
  const { status, body } = await admin.ask("/reload", { method: "POST" });
  assertEquals(status, 409);
  assertMatch(body.error, /holds no token/);
  await using client = await admin.login();
  assertEquals((await admin.ask("/drain", { method: "POST" })).status, 204);
  assertEquals((await client.readReply()).text, "421 Service is stopping.");
  await admin.server.finished;
});
