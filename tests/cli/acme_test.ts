import { assert, assertEquals, assertMatch } from "@std/assert";
import { IS_PEBBLE_ABSENT, Pebble, type PebbleOptions } from "../helpers/acme/pebble.ts";
import { isInstalled } from "../helpers/client_program.ts";
import { runProgram } from "../helpers/run_program.ts";
import { Installation, PASSWORD, QUICK_HASH } from "./installation.ts";
import { runMain, SpawnedServer } from "./spawned_server.ts";

const NAME = "ftp.example.org";

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_PEBBLE_ABSENT, fn: run });
}

/** A CA, and an installation whose configuration names it. */
async function scene(options: PebbleOptions = {}, domains: readonly string[] = [NAME]) {
  await using opened = new AsyncDisposableStack();
  const pebble = opened.use(await Pebble.start(options));
  const installation = opened.use(await Installation.create(""));
  await Deno.writeTextFile(`${installation.path}/ca.pem`, pebble.ca);
  const { http: { host, port }, directory } = pebble;
  const settings = {
    listen: [{ host: "127.0.0.1", port: 0 }],
    tls: { acme: { domains, storage: "acme", directory, ca: "ca.pem", httpHost: host, httpPort: port } },
    workers: 1,
    users: [{ name: "alice", password: QUICK_HASH, home: "home", permissions: "elradfmw" }],
  };
  await installation.configure(JSON.stringify(settings));
  const all = opened.move();
  return { pebble, installation, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The flags that `ftpsd permissions` prints. */
async function flagsFor({ file }: Installation): Promise<string[]> {
  const { stdout } = await runMain({ flags: ["--allow-read"], args: ["permissions", "-c", file] });
  return stdout.trim().split(" ").filter((word) => word.startsWith("--allow"));
}

const serveArgs = ({ file }: Installation) => ["serve", "-c", file];

Deno.test({
  name: "From a folder without a certificate, one command leads to an upload that curl verifies",
  ignore: IS_PEBBLE_ABSENT || !isInstalled("curl") && Deno.env.get("CI") === undefined,
  fn: async () => {
    await using all = await scene();
    const { pebble, installation } = all;
    await Deno.writeTextFile(`${installation.path}/root.pem`, await pebble.root());
    await Deno.writeTextFile(`${installation.path}/report.pdf`, "a report");
    const flags = await flagsFor(installation);
    const startedAt = performance.now();
    await using server = await SpawnedServer.start({ flags, args: serveArgs(installation), hasOwnPorts: true });
    const port = await server.port();
    const { code, stderr } = await runProgram("curl", [
      ...["-sS", "--ssl-reqd", "--cacert", `${installation.path}/root.pem`, "-u", `alice:${PASSWORD}`],
      ...["--resolve", `${NAME}:${port}:127.0.0.1`, "-T", `${installation.path}/report.pdf`, `ftp://${NAME}:${port}/`],
    ]);
    assertEquals([code, stderr], [0, ""]);
    assert(performance.now() - startedAt < 15_000);
    assertEquals(await Deno.readTextFile(`${installation.home}/report.pdf`), "a report");
    assert(server.lines.some((line) => line.endsWith(`curl: curl --ssl-reqd -u alice ftp://${NAME}:${port}/`)));
  },
});

test("A server that is killed in the middle of an order goes on with it, and makes no second one", async () => {
  await using all = await scene({ isSlow: true });
  const { pebble, installation } = all;
  const flags = await flagsFor(installation);
  const options = { flags, args: serveArgs(installation), hasOwnPorts: true };
  {
    await using first = SpawnedServer.spawn(options);
    await first.line(/the CA asks for ftp\.example\.org on port 80/);
    first.kill("SIGKILL");
    await first.exited();
  }
  assertEquals(pebble.issued, 0);
  await using second = await SpawnedServer.start(options);
  assert(!second.lines.some((line) => /making an account/.test(line)));
  await second.line(/certificate: going on with the order that was begun|certificate for ftp\.example\.org renewed/);
  assertEquals(pebble.issued, 1);
});

test("ftpsd check and ftpsd permissions say what ACME needs and lacks", async () => {
  await using all = await scene();
  const { pebble, installation } = all;
  const flags = await flagsFor(installation);
  assert(flags.some((flag) => flag.includes(`${pebble.http.host}:${pebble.http.port}`)), flags.join(" "));
  assert(flags.some((flag) => flag.startsWith("--allow-write=") && flag.endsWith("/acme")), flags.join(" "));
  await Deno.mkdir(`${installation.path}/acme`, { mode: 0o755 });
  await Deno.chmod(`${installation.path}/acme`, 0o755);
  const check = { flags, args: ["check", "-c", installation.file] };
  const open = await runMain(check);
  assertEquals(open.code, 2);
  assertMatch(open.stdout + open.stderr, /tls\.acme\.storage: .*mode 0755, which gives others on this host rights/);
  await Deno.chmod(`${installation.path}/acme`, 0o700);
  assertEquals((await runMain(check)).code, 0);
});

test("ftpsd cert acme tries it without touching anything, and says what is wrong", async () => {
  await using all = await scene({ refusedNames: ["blocked.example.org"] });
  const { pebble, installation } = all;
  const flags = ["--allow-net", `--allow-read=${installation.path}`];
  const args = ["cert", "acme", "-c", installation.file];
  const good = await runMain({ flags, args });
  assertEquals([good.code, good.stderr], [0, ""]);
  assertMatch(
    good.stdout,
    /certificate for ftp\.example\.org, valid to .*\n\nIt works\. The certificate was thrown away/,
  );
  assertEquals(
    await Array.fromAsync(Deno.readDir(installation.path), ({ name }) => name).then((names) => names.sort()),
    [
      "ca.pem",
      "ftpsd.yaml",
      "home",
    ],
  );

  const blocked = await runMain({ flags, args: [...args, "--domain", "blocked.example.org"] });
  assertEquals(blocked.code, 1);
  assertMatch(blocked.stderr, /error: the CA gives no certificate for the name: .*\nhint: a public CA gives/);

  const elsewhere = await runMain({ flags, args: [...args, "--http-host", `${pebble.http.host}1`] });
  assertEquals(elsewhere.code, 1);
  assertMatch(
    elsewhere.stderr,
    /error: ftp\.example\.org: the CA could not reach this server on port 80: .*\nhint: open port 80/s,
  );

  await pebble.stop();
  const away = await runMain({ flags, args });
  assertMatch(away.stderr, /error: no answer of .*\nhint: look whether this host reaches tls\.acme\.directory/);
  const both = await runMain({ flags, args: [...args, "--staging", "--directory", "https://ca.example.org/dir"] });
  assertEquals(both.code, 2);
});
