import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UsageError } from "../../lib/check/exit_error.ts";
import { doctorCommand } from "../../lib/cli/doctor.ts";
import { CHECKS } from "../../lib/doctor/checks.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer, USER } from "../helpers/test_server.ts";
import { QUICK_HASH } from "./installation.ts";
import { runMain, SpawnedServer } from "./spawned_server.ts";

const NET = "--allow-net=127.0.0.1";

/** Runs `ftpsd doctor` with no more permissions than it needs. */
async function doctor(args: readonly string[], flags: readonly string[] = [NET]) {
  return await runMain({ flags, args: ["doctor", ...args] });
}

/** A folder with the server's certificate, and the password of the user. */
async function clientFiles(server: TestServer): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/ca.pem`, server.caCert);
  await Deno.writeTextFile(`${folder.path}/secret`, `${USER.password}\n`);
  return folder;
}

Deno.test("ftpsd doctor needs no more than --allow-net=HOST, and ends with 1 when something is wrong", async () => {
  await using server = await TestServer.start();
  const { code, stdout, stderr } = await doctor([`127.0.0.1:${server.port}`]);
  assertEquals([code, stderr], [1, ""]);
  assertMatch(stdout, /^error {4}certificate-trust: .*self-signed.* → .*--ca FILE.*see docs\//m);
  assertMatch(stdout, /^skipped {2}login, .*: needs a login: --user NAME$/m);
  assertMatch(stdout, /\n1 error, 0 warnings\n$/);
});

Deno.test("ftpsd doctor names the flag that is missing", async () => {
  const { code, stderr } = await doctor(["[::1]:2121"], []);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Deno does not permit to connect to ::1 \(--allow-net=\[::1\] missing\)\n/);
});

Deno.test("ftpsd doctor by name needs the name alone, and ends with 0 when nothing is wrong", async () => {
  await using server = await TestServer.start();
  await using files = await clientFiles(server);
  const { code, stdout, stderr } = await doctor([
    `localhost:${server.port}`,
    ...["--user", USER.name, "--password-file", `${files.path}/secret`, "--ca", `${files.path}/ca.pem`, "--json"],
  ], ["--allow-net=localhost", `--allow-read=${files.path}`]);
  assertEquals([code, stderr], [0, ""]);
  const { version, hasErrors, servers: [first, ...others], unseen } = JSON.parse(stdout);
  assertEquals([version, hasErrors, others, unseen], [1, false, [], []]);
  assertEquals([first.host, first.port, first.tls], ["localhost", server.port, "explicit"]);
  const ids = CHECKS.map(({ id }) => id);
  for (const { id, severity, finding } of first.findings) {
    assert(ids.includes(id), id);
    assert(["ok", "note", "skipped"].includes(severity), `${id}: ${finding}`);
  }
  assert(!stdout.includes(USER.password));
});

Deno.test("ftpsd doctor ends with 2 when the command line cannot be used", async () => {
  assertEquals((await doctor([])).code, 2);
  for (
    const [args, message] of [
      [[], /^which server is missing/],
      [["a", "b"], /^one server at a time/],
      [["ftp://127.0.0.1/"], /^neither a name nor an address/],
      [["127.0.0.1:70000"], /^neither a name nor an address/],
      [["[::1"], /^neither a name nor an address/],
      [["127.0.0.1", "--timeout", "0"], /^not a number of seconds from 1 to 300: 0/],
      [["127.0.0.1", "--user", "alice"], /^user "alice" has no password/],
      [["127.0.0.1", "--password-file", "x"], /^a password without a user/],
      [["127.0.0.1", "--folder", "/a", "--no-upload"], /^--folder with --no-upload/],
      [["127.0.0.1", "--folder", "a\r\nDELE b"], /^control characters in --folder/],
      [["127.0.0.1", "-c", "x.yaml"], /^--config goes with --self/],
      [["--self"], /^--self needs a configuration/],
      [["--self", "-c", "x.yaml", "127.0.0.1"], /^--self takes no other server/],
      [["127.0.0.1", "--jsonn"], /^unknown option --jsonn$/],
    ] as const
  ) {
    const error = await assertRejects(() => doctorCommand(args, () => null), UsageError);
    assertMatch(error.message, message);
  }
});

Deno.test("ftpsd doctor --self compares with the configuration, and says what only others can see", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/alice`);
  const port = freePort();
  await Deno.writeTextFile(
    `${folder.path}/ftpsd.yaml`,
    `listen: [{ host: 0.0.0.0, port: ${port} }]\npassive: { address: 203.0.113.7, ports: 40000-40099 }\n` +
      `users: [{ name: alice, password: '${QUICK_HASH}', home: alice, permissions: elradfmw }]\n`,
  );
  await Deno.writeTextFile(`${folder.path}/secret`, "12345");
  const config = ["-c", `${folder.path}/ftpsd.yaml`];
  const server = {
    flags: ["--allow-net", `--allow-read`, `--allow-write=${folder.path}`],
    args: config,
    hasOwnPorts: true,
  };
  await using _running = await SpawnedServer.start(server);
  const login = ["--user", "alice", "--password-file", `${folder.path}/secret`, "--insecure"];
  const { stdout, stderr } = await doctor(["--self", ...config, ...login], [NET, `--allow-read=${folder.path}`]);
  assertEquals(stderr, "");
  assertMatch(stdout, new RegExp(`^127\\.0\\.0\\.1:${port}, explicit TLS$`, "m"));
  assertMatch(stdout, /^ok {7}passive-address: PASV announces 203\.0\.113\.7, as the configuration says$/m);
  assertMatch(stdout, /^ok {7}round-trip: /m);
  assertMatch(stdout, /^only from outside:\n {2}whether .*port \d+\n {2}whether .* the passive ports 40000 to 40099$/m);
});

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
