import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { ExitError } from "../../lib/check/exit_error.ts";
import { adminCommand, type BriefCommandName } from "../../lib/cli/admin.ts";
import { topCommand } from "../../lib/cli/top.ts";
import { AdminServer } from "../helpers/admin_server.ts";

/** Runs a sub-command in this process. */
async function ask(admin: AdminServer, name: BriefCommandName, ...args: string[]) {
  return await adminCommand(name, [...args, "--url", admin.url, "--token-file", `${admin.folder}/admin.token`]);
}

/** What is told in place of an answer: message and hint. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => work, ExitError);
  return `${error.message} | ${error.hint}`;
}

Deno.test("ftpsd who and status tell of a server and of its sessions, for people and for programs", async () => {
  await using admin = await AdminServer.start({ ban: { duration: 900 } });
  assertEquals((await ask(admin, "who")).output, "nobody is connected");
  await using client = await admin.login();
  await using data = await client.passive();
  await client.expect(150, "STOR /evil\x1b[2J.bin");
  await data.secure();
  const { output } = await ask(admin, "who");
  const [titles, line, ...others] = output.split("\n");
  assertMatch(titles ?? "", /^SESSION +USER +FROM +TLS +FOR +TRANSFER$/);
  assertMatch(line ?? "", /^\S+ +alice +127\.0\.0\.1:\d+ +TLSv1\.3 +\d+s +STOR \/evil\\u001b\[2J\.bin 0 B 0 B\/s$/);
  assertEquals(others, []);
  const [session] = JSON.parse((await ask(admin, "who", "--json")).output);
  assertEquals([session.username, session.transfer.command], ["alice", "STOR"]);
  await data.finish();
  await client.readReply();
  await ask(admin, "ban", "192.0.2.7");
  const status = await ask(admin, "status");
  assert(status.isGood);
  for (const text of [/^ready +yes$/m, /^sessions +1$/m, /^certificate +\d+ days left, self-signed/m]) {
    assertMatch(status.output, text);
  }
  assertMatch(status.output, /^accepts +risk plaintext-password: a test$/m);
  assertMatch(status.output, /^banned +192\.0\.2\.7 for (15m 0s|14m \d+s) more$/m);
  const told = JSON.parse((await ask(admin, "status", "--json")).output);
  assertEquals([told.server.isReady, told.bans.length, told.quotasNearLimit], [true, 1, []]);
});

Deno.test("ftpsd kick, ban, unban, reload and drain steer a server, and say what holds", async () => {
  await using admin = await AdminServer.start({ ban: { duration: 77 } });
  await using first = await admin.login();
  await using second = await admin.login();
  const [{ session }] = JSON.parse((await ask(admin, "who", "--json")).output);
  assertEquals((await ask(admin, "kick", session)).output, "1 session ended");
  assertEquals(await ask(admin, "kick", "--user", "alice"), { output: "1 session ended", isGood: true });
  assertEquals(await ask(admin, "kick", "--address", "127.0.0.1"), { output: "0 sessions ended", isGood: false });
  for (const client of [first, second]) assertEquals((await client.readReply()).code, 421);
  assertEquals(
    await failureOf(ask(admin, "kick", "../x%2f")),
    "there is no session ../x%2f | ftpsd who and ftpsd status show what there is",
  );
  assertEquals((await ask(admin, "ban", "192.0.2.7")).output, "192.0.2.7 is banned for 1m 17s");
  const { output } = await ask(admin, "ban", "2001:db8::1", "--for", "3600");
  assertEquals(output, "2001:db8:0:0::/64 is banned for 1h 0m");
  await ask(admin, "unban", "2001:db8:0:0::/64");
  await ask(admin, "unban", "192.0.2.7");
  assertMatch(await failureOf(ask(admin, "unban", "192.0.2.7")), /^192\.0\.2\.7 is not banned/);
  assertMatch(
    (await ask(admin, "reload")).output,
    /^the configuration was read again\nrisk plaintext-password accepted/,
  );
  await using _third = await admin.login();
  await ask(admin, "drain");
  await admin.server.finished;
});

Deno.test("ftpsd reload says what is wrong, also to the log", async () => {
  await using admin = await AdminServer.start();
  const token = `${admin.folder}/token`;
  await Deno.rename(`${admin.folder}/admin.token`, token);
  const work = adminCommand("reload", ["--url", admin.url, "--token-file", token]);
  assertMatch(await failureOf(work), /no such file: .*admin\.token.* \| ftpsd check --config FILE$/);
});

Deno.test("What cannot be asked is said in a line, with what to do", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  await using admin = await AdminServer.start();
  const wrong = `${admin.folder}/wrong`;
  await Deno.writeTextFile(wrong, "x".repeat(40));
  const token = ["--token-file", `${admin.folder}/admin.token`];
  const cases = [
    [["--url", `http://127.0.0.1:${port}`, ...token], "the server cannot be reached: http://127.0.0.1"],
    [["--url", admin.url, "--token-file", wrong], "the token is missing or wrong | --token-file FILE"],
    [["--url", admin.url], "the token is missing (--token-file)"],
    [["--url", "http://192.0.2.1:8021", ...token], "the token would go to 192.0.2.1:8021 in clear"],
    [["--url", "http://127.evil.example:8021", ...token], "the token would go to 127.evil.example:8021 in clear"],
    [["--url", `${admin.url}/api`, ...token], "this is no URL of an admin listener"],
    [["--url", "ftp://127.0.0.1", ...token], "this is no URL of an admin listener"],
    [["--url", admin.url, "-c", "x"], "the server is named twice"],
    [[], "which server is not said | --config FILE, or --url URL"],
    [["more", "--url", admin.url, ...token], "unknown argument more (status)"],
  ] as const;
  for (const [args, expected] of cases) {
    const told = await failureOf(adminCommand("status", args));
    assertStringIncludes(told, expected);
    assertEquals(told.split("\n").length, 1);
  }
  assertStringIncludes(await failureOf(ask(admin, "ban", "example.org")), '"example.org" is no IPv4 or IPv6 address');
  assertStringIncludes(await failureOf(ask(admin, "ban", "192.0.2.1", "--for", "1h")), '"1h" is no number of seconds');
  assertStringIncludes(await failureOf(ask(admin, "kick")), "whose session is not said");
  assertStringIncludes(await failureOf(ask(admin, "kick", "a", "--user", "b")), "only one can be meant");
});

Deno.test("What answers but is no ftpsd gets no second request, and no token by a redirection", async () => {
  const asked: string[] = [];
  await using other = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url, headers }) => {
    asked.push(`${new URL(url).pathname} ${headers.has("authorization")}`);
    return new URL(url).pathname === "/api/v1/sessions"
      ? new Response("<html>\x1b[2J", { headers: { "content-type": "text/html" } })
      : Response.redirect("http://127.0.0.1:9/stolen");
  });
  await using admin = await AdminServer.start();
  const args = ["--url", `http://127.0.0.1:${other.addr.port}`, "--token-file", `${admin.folder}/admin.token`];
  assertMatch(await failureOf(adminCommand("who", args)), /^what answers is no ftpsd of this version: /);
  assertMatch(await failureOf(adminCommand("drain", args)), /^the server cannot be reached: /);
  assertEquals(asked, ["/api/v1/sessions true", "/api/v1/drain true"]);
});

Deno.test("ftpsd top prints one table where there is no terminal", async () => {
  await using admin = await AdminServer.start();
  await using _client = await admin.login();
  const output = await topCommand(["--url", admin.url, "--token-file", `${admin.folder}/admin.token`]);
  assertMatch(output, /^ftpsd \S+, up \d+s, ready, certificate \d+ days\nsessions 1, transfers 0;/);
  assertMatch(output, /^alice +127\.0\.0\.1 +\d+s$/m);
});
