import { assert, assertEquals, assertMatch } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { COMMAND_ROWS } from "../../lib/cli/command_table.ts";
import { commandHelp, shortHelp } from "../../lib/cli/help_text.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { HASH, Installation } from "./installation.ts";
import { readFlags, runMain, SpawnedServer, writeFlags } from "./spawned_server.ts";

Deno.test("run() serves a folder read-only to anonymous, over TLS, by default", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/file.txt`, "text");
  await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args: [folder.path] });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  assertEquals(await client.list("NLST"), "file.txt\r\n");
  assertEquals(new TextDecoder().decode(await client.retrieve("file.txt")), "text");
  for (const line of ["STOR new.txt", "DELE file.txt", "MKD new", "RNFR file.txt"]) await client.expect(550, line);
  assertEquals((await Array.fromAsync(Deno.readDir(folder.path))).length, 1);
});

Deno.test("run() says at start what the server is like", async () => {
  await using folder = await TemporaryFolder.create();
  const args = [folder.path, "-n", "203.0.113.7", "-r", "50000-50100"];
  await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args });
  await server.line(/Ctrl-C stops/);
  const texts = server.lines.map((line) => /^\[I \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] (.*)$/.exec(line)?.[1] ?? line);
  const { pid } = server;
  assertEquals(texts.slice(0, 4), [
    `>>> starting FTPS (explicit TLS) server on 127.0.0.1:${await server.port()} <<<`,
    `sharing ${folder.path} for reading with anybody on this host (user anonymous, any password)`,
    "only this host can connect; --interface 0.0.0.0 lets others in",
    `pid ${pid}, one event loop; passive ports: 50000-50100; masquerade (NAT) address: 203.0.113.7`,
  ]);
  assertMatch(texts[4] ?? "", /^certificate: SHA-256 fingerprint ([0-9A-F]{2}:){31}[0-9A-F]{2}, valid to 2/);
  assertEquals(texts.slice(7), [
    `Ctrl-C stops; kill -USR2 ${pid} logs who is connected, kill -HUP ${pid} reads the configuration again`,
  ]);
});

Deno.test("run() says at start who can connect, and what is risky about it in the words of the options", async () => {
  await using folder = await TemporaryFolder.create();
  const flags = ["--allow-net=0.0.0.0", `--allow-read=${folder.path}`];
  await using server = await SpawnedServer.start({ flags, args: [folder.path, "-i", "0.0.0.0", "--tls", "control"] });
  await server.line(/^\[I .*for reading with anybody who can connect \(user anonymous, any password\)$/);
  await server.line(
    /^\[W .*risk clear-text-data accepted: --tls control: files and listings may cross the network in clear/,
  );
  await server.line(/^\[W .* --range: is not given: any port is used/);
  assertEquals(server.lines.filter((line) => line.includes("only this host")), []);
});

Deno.test("run() says the whole path of a folder that was given as seen from where it was started", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/shared`);
  const args = ["shared"];
  await using server = await SpawnedServer.start({ flags: ["--allow-net", "--allow-read"], args, cwd: folder.path });
  await server.line(new RegExp(`sharing ${await Deno.realPath(folder.path)}/shared for reading`));
});

Deno.test("run() counts accounts where they are many, and tells how to let others in with a file", async () => {
  const users = Array.from({ length: 4 }, (_, index) => `- { name: u${index}, password: "${HASH}", home: home }`);
  const text = `listen: [{ port: 0 }]\nusers:\n  ${
    users.join("\n  ").replace("home }", "home, permissions: elrw }")
  }\n`;
  await using installation = await Installation.create(text);
  await using server = await SpawnedServer.start({
    flags: writeFlags(installation.path),
    args: ["-c", installation.file],
    hasOwnPorts: true,
  });
  await server.line(/^\[I .*\] 4 accounts, 1 of which may write$/);
  await server.line(/^\[I .*\] only this host can connect; listen: \[\{ host: 0\.0\.0\.0 \}\] lets others in$/);
});

Deno.test("run() listens on each port asked for, with its kind of TLS", async () => {
  await using folder = await TemporaryFolder.create();
  const args = [folder.path, "--implicit-port", "0"];
  await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args });
  await server.line(/starting FTPS \(implicit TLS\) server on 127\.0\.0\.1:\d+/);
});

Deno.test("run() lets a user write with -w, and warns of a password on the command line", async () => {
  await using folder = await TemporaryFolder.create();
  const args = [folder.path, "-w", "-u", "bob", "-P", "s3cret"];
  await using server = await SpawnedServer.start({ flags: writeFlags(folder.path), args });
  await server.line(/^\[W .*password is on the command line.*--password-file/);
  await using client = await server.login("bob", "s3cret");
  await client.store("new.txt", new TextEncoder().encode("text"));
  assertEquals(await Deno.readTextFile(`${folder.path}/new.txt`), "text");
});

Deno.test("run() reads the password from a file", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/shared`);
  const file = `${folder.path}/password`;
  await Deno.writeTextFile(file, "s3cret\n", { mode: 0o600 });
  await using server = await SpawnedServer.start({
    flags: readFlags(`${folder.path}/shared,${file}`),
    args: [`${folder.path}/shared`, "-u", "bob", "--password-file", file],
  });
  await using client = await server.login("bob", "s3cret");
  await client.expect(221, "QUIT");
});

Deno.test({
  name: "run() refuses a password in clear that others can read, and warns of a hash",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const file = `${folder.path}/password`;
    await Deno.mkdir(`${folder.path}/shared`);
    const options = {
      flags: readFlags(folder.path),
      args: [`${folder.path}/shared`, "-u", "bob", "--password-file", file],
    };
    await Deno.writeTextFile(file, "s3cret\n", { mode: 0o644 });
    const { code, stderr } = await runMain({ ...options, args: [...options.args, "-p", "0"] });
    assertEquals(code, 2);
    assertMatch(stderr, /mode 0644.*chmod 600.*\(risk password-readable-by-others\)/);
    await Deno.writeTextFile(file, HASH);
    await using server = await SpawnedServer.start(options);
    await server.line(/^\[W .*mode 0644.*chmod 600/);
  },
});

Deno.test("run() refuses a folder that holds the password file or the key", async () => {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/in/password`;
  await Deno.mkdir(`${folder.path}/in`);
  await Deno.writeTextFile(file, HASH, { mode: 0o600 });
  const args = [folder.path, "-u", "bob", "--password-file", file, "-p", "0"];
  const { code, stderr } = await runMain({ flags: readFlags(folder.path), args });
  assertEquals(code, 2);
  assertMatch(stderr, /holds the password file .*\(risk secret-in-home\)/);
});

Deno.test("run() lets anybody write when forced to, and warns", async () => {
  await using folder = await TemporaryFolder.create();
  const args = [folder.path, "-w", "--force-anonymous-write"];
  await using server = await SpawnedServer.start({ flags: writeFlags(folder.path), args });
  await server.line(/^\[W .*anonymous-write/);
  await using client = await server.login();
  await client.store("new.txt", new TextEncoder().encode("text"));
  assertEquals(await Deno.readTextFile(`${folder.path}/new.txt`), "text");
});

/** Each ends at once; FOLDER stands for one that exists. */
const REFUSALS: readonly {
  readonly args: string;
  readonly code: number;
  readonly error: RegExp;
  readonly hint: RegExp;
}[] = [
  { args: "FOLDER -w", code: 2, error: /anonymous-write/, hint: /--username NAME .*--force-anonymous-write/ },
  { args: "FOLDER -u bob", code: 2, error: /"bob" has no password/, hint: /--password-file FILE/ },
  {
    args: "FOLDER -u bob --password-file FOLDER/none",
    code: 2,
    error: /no such file: .*none \(--password-file\)/,
    hint: /./,
  },
  { args: "FOLDER/none", code: 2, error: /none does not exist \(DIR\)/, hint: /mkdir -p/ },
  { args: "FOLDER/file", code: 2, error: /file is not a folder \(DIR\)/, hint: /help serve/ },
  { args: "FOLDER/file/none", code: 2, error: /none cannot be opened \(DIR\)/, hint: /ls -ld/ },
  {
    args: "FOLDER --wirte",
    code: 2,
    error: /unknown option --wirte; did you mean --write\?$/,
    hint: /ftpsd help serve/,
  },
  { args: "FOLDER --tls requird", code: 2, error: /"requird" .*; did you mean required\?$/, hint: /ftpsd --help/ },
  {
    args: "FOLDER --accept-risk x",
    code: 2,
    error: /there is no risk "x" \(--accept-risk\)$/,
    hint: /anonymous-write/,
  },
  { args: "FOLDER --port", code: 2, error: /--port needs a value/, hint: /ftpsd help serve/ },
  {
    args: "chek",
    code: 2,
    error: /there is no command "chek"; did you mean check\?$/,
    hint: /for a folder: ftpsd \.\/chek$/,
  },
  { args: "certs", code: 2, error: /there is no command "certs"; did you mean cert\?$/, hint: /ftpsd \.\/certs/ },
  {
    args: "help chek",
    code: 2,
    error: /there is no command "chek" \(help\); did you mean check\?$/,
    hint: /ftpsd --help/,
  },
  { args: "help check cert", code: 2, error: /one command at a time/, hint: /ftpsd --help/ },
  { args: "check --pirnt", code: 2, error: /--pirnt; did you mean --print\?$/, hint: /ftpsd check --help/ },
  { args: "permissions --systmd", code: 2, error: /did you mean --systemd\?$/, hint: /ftpsd permissions --help/ },
  { args: "cert --nmae x", code: 2, error: /did you mean --name\?$/, hint: /ftpsd cert \[--out DIR\]/ },
  { args: "completions bahs", code: 2, error: /; did you mean bash\?$/, hint: /ftpsd completions bash/ },
  {
    args: "FOLDER --tls off --implicit-port 0",
    code: 2,
    error: /--implicit-port is implicit, but --tls is off/,
    hint: /help serve/,
  },
  {
    args: "FOLDER/shared --certfile FOLDER/file --keyfile FOLDER/file",
    code: 2,
    error: /certificate.*\(--certfile\)/,
    hint: /./,
  },
  {
    args: "FOLDER/shared --certfile FOLDER/none --keyfile FOLDER/file",
    code: 2,
    error: /^error: no such file: \S+none \(--certfile\)$/,
    hint: /ftpsd cert makes a pair/,
  },
  { args: "FOLDER --timeout 9999999", code: 2, error: /9999999/, hint: /./ },
  { args: "FOLDER -i 203.0.113.1 -p 0", code: 1, error: /203\.0\.113\.1/, hint: /--interface/ },
];

for (const { args, code, error, hint } of REFUSALS) {
  Deno.test(`run() ends with status ${code}, an error and a hint: ftpsd ${args}`, async () => {
    await using folder = await TemporaryFolder.create();
    await Deno.writeTextFile(`${folder.path}/file`, "");
    await Deno.mkdir(`${folder.path}/shared`);
    const words = args.split(" ").map((word) => word.replace("FOLDER", folder.path));
    const output = await runMain({ flags: ["--allow-net", ...writeFlags(folder.path).slice(1)], args: words });
    assertRefusal(output, code, error, hint);
  });
}

Deno.test("run() ends with status 1 when the port is in use", async () => {
  await using folder = await TemporaryFolder.create();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const output = await runMain({ flags: readFlags(folder.path), args: [folder.path, "-p", `${port}`] });
  assertRefusal(output, 1, new RegExp(`port is in use \\(127\\.0\\.0\\.1 port ${port}\\)`), /--port/);
});

Deno.test("run() names the one of several ports that is in use", async () => {
  await using folder = await TemporaryFolder.create();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const args = [folder.path, "-p", "0", "--implicit-port", `${port}`];
  const output = await runMain({ flags: readFlags(folder.path), args });
  assertRefusal(output, 1, new RegExp(`port is in use \\(127\\.0\\.0\\.1 port ${port}\\)`), /--port/);
});

function assertRefusal(output: { code: number; stderr: string }, code: number, error: RegExp, hint: RegExp): void {
  const [first = "", second = "", ...rest] = output.stderr.split("\n");
  assertMatch(first, /^error: /);
  assertMatch(first, error);
  assertMatch(second, /^hint: /);
  assertMatch(second, hint);
  assertEquals([output.code, rest], [code, [""]]);
}

Deno.test("run() prints helps and the version without any permission", async () => {
  const helps: readonly (readonly [args: string, text: string])[] = [
    ["--help", shortHelp()],
    ["-h", shortHelp()],
    ["help", shortHelp()],
    ["help help", shortHelp()],
    ...COMMAND_ROWS.flatMap((row): [string, string][] => [
      [`help ${row.name}`, commandHelp(row)],
      [`${row.name} --help`, commandHelp(row)],
    ]),
  ];
  for (const [args, text] of helps) {
    assertEquals(await runMain({ flags: [], args: args.split(" ") }), { code: 0, stdout: `${text}\n`, stderr: "" });
  }
  const version = await runMain({ flags: [], args: ["-v"] });
  assertEquals(version, { code: 0, stdout: `ftpsd ${project.version}\n`, stderr: "" });
});

Deno.test("run() goes on when nobody reads its log", async () => {
  await using folder = await TemporaryFolder.create();
  const args = [folder.path];
  await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args, linesRead: 1 });
  await using client = await server.login();
  await client.expect(221, "QUIT");
});

Deno.test("deno task start needs no more than it says, and Deno has nothing to warn of", async () => {
  await using folder = await TemporaryFolder.create();
  const { flags } = /^(?:[A-Z_]+=1 )*deno run (?<flags>.*) main\.ts$/.exec(project.tasks.start.command)?.groups ?? {};
  await using server = await SpawnedServer.start({ flags: flags?.split(" ") ?? [], args: [folder.path] });
  await server.line(/lftp: /);
  assert(server.lines.every((line) => line.startsWith("[I ")), server.lines.join("\n"));
});
