import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { verifyPassword } from "../../lib/accounts/password_verifier.ts";
import { UsageError } from "../../lib/check/exit_error.ts";
import { initCommand, makePassword } from "../../lib/cli/init.ts";
import type { InitDialog } from "../../lib/cli/init_plan.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import { ShellScript } from "../docs/shell_script.ts";
import { programTest } from "../helpers/client_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { QUICK_HASH } from "./installation.ts";
import { MAIN } from "./spawned_server.ts";

/** Somebody who types lines, and `null` where they have ended. */
function typing(lines: readonly string[], secrets: readonly string[] = []) {
  const [left, leftSecrets] = [[...lines], [...secrets]];
  const told: string[] = [];
  const asked: string[] = [];
  const dialog: InitDialog = {
    ask: (question, fallback) => {
      asked.push(question);
      const line = left.shift();
      return line === undefined ? null : line || fallback;
    },
    askSecret: () => leftSecrets.shift() ?? "",
    tell: (line) => told.push(line),
  };
  return { dialog, told, asked };
}

const ENTER_FIVE_TIMES = ["", "", "", "", ""];

async function read(folder: string) {
  const text = await Deno.readTextFile(`${folder}/ftpsd.yaml`);
  const { listen, passive, tls, users, anonymous } = readConfiguration(text, { file: "f", resolve: (path) => path });
  return { text, listen, passive, tls, users, anonymous };
}

async function modesIn(folder: string): Promise<Record<string, string>> {
  const names = ["ftpsd.yaml", "ftpsd.service", "certs/server.crt", "certs/server.key", "files"];
  const modes = names.map(async (name) => {
    const info = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
    return [name, info === undefined ? "none" : ((info.mode ?? 0) & 0o777).toString(8)] as const;
  });
  return Object.fromEntries(await Promise.all(modes));
}

async function treeOf(folder: string): Promise<string> {
  const names = ["ftpsd.yaml", "ftpsd.service", "certs/server.crt", "certs/server.key"];
  return (await Promise.all(names.map((name) => Deno.readTextFile(`${folder}/${name}`).catch(() => "")))).join("\n");
}

Deno.test("initCommand() makes a server of five times Enter", async () => {
  await using folder = await TemporaryFolder.create();
  const { dialog, asked } = typing(ENTER_FIVE_TIMES);
  const output = await initCommand([folder.path], dialog);
  assertEquals(asked.length, 5);
  assertMatch(output, /^checked: the server would start$/m);
  const { listen, passive, tls, users: [user] } = await read(folder.path);
  assertEquals(listen.map(({ host, port }) => [host, port]), [["0.0.0.0", 2121]]);
  assertEquals([passive.ports, passive.address], [{ from: 50_000, to: 50_099 }, undefined]);
  assertEquals([tls.certificate, tls.key, tls.policy], ["certs/server.crt", "certs/server.key", "required"]);
  assertEquals([user?.name, user?.home, user?.permissions], ["user", "files", "elradfmw"]);
  const [, password = ""] = /^password: (\S+) \(shown this once/m.exec(output) ?? [];
  assert(await verifyPassword(password, user?.password ?? ""));
  assert(!(await treeOf(folder.path)).includes(password));
  if (Deno.build.os === "linux") {
    assertEquals(await modesIn(folder.path), {
      "ftpsd.yaml": "600",
      "ftpsd.service": "644",
      "certs/server.crt": "644",
      "certs/server.key": "600",
      files: "750",
    });
  }
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
  assertEquals(names.toSorted(), ["certs", "files", "ftpsd.service", "ftpsd.yaml"]);
  assertMatch(output, /ufw allow 2121\/tcp && ufw allow 50000:50099\/tcp/);
  assertMatch(output, /doctor --self -c /);
  assertMatch(output, /systemctl enable --now ftpsd/);
});

Deno.test("initCommand() overwrites nothing unless somebody says so, and never a certificate", async () => {
  await using folder = await TemporaryFolder.create();
  const args = [folder.path, "--yes", "--anybody"];
  await initCommand(args, undefined);
  const before = await treeOf(folder.path);
  const certificate = await Deno.readTextFile(`${folder.path}/certs/server.crt`);
  await assertRejects(() => initCommand(args, undefined), UsageError, "exists and is not overwritten");
  for (const word of ["", "no", "y"]) {
    await assertRejects(() => initCommand([folder.path], typing([word]).dialog), UsageError, "is not overwritten");
  }
  assertEquals(await treeOf(folder.path), before);
  await Deno.remove(`${folder.path}/ftpsd.yaml`);
  await assertRejects(() => initCommand(args, undefined), UsageError, "ftpsd.service exists");
  await initCommand([...args, "--force", "--user", "bob"].filter((word) => word !== "--anybody"), undefined);
  const { users } = await read(folder.path);
  assertEquals(users.map(({ name }) => name), ["bob"]);
  assertEquals(await Deno.readTextFile(`${folder.path}/certs/server.crt`), certificate);
  await initCommand([folder.path], typing(["yes", "", "anybody", "host", "", "yes", "unit", "yes"]).dialog);
  assertEquals((await read(folder.path)).users, []);
});

Deno.test("initCommand() asks again where an answer is none, and gives up at last", async () => {
  await using folder = await TemporaryFolder.create();
  const lines = [
    ".",
    "..",
    "in",
    "anonymous",
    "scanner",
    "nowhere",
    "ftp.example.org",
    "a b c",
    "new",
    "perhaps",
    "no",
  ];
  const { dialog, told } = typing(lines, ["secret word", "other word", "secret word", "secret word"]);
  const output = await initCommand([folder.path], dialog);
  assertEquals(told.map((line) => line.trim().replace(folder.path, "DIR").replace(/^\/.* would/, "… would")), [
    "DIR would hold the configuration and the key, too; give another folder (--share)",
    "… would hold the configuration and the key, too; give another folder (--share)",
    "anonymous is anybody: --anybody (--user)",
    "the two passwords differ",
    "neither host nor network, nor the name of a server: nowhere (--from)",
    "two files are needed, and no more (--certfile, --keyfile)",
    "not one of unit, install, no: perhaps (--service)",
  ]);
  const { users: [user], passive } = await read(folder.path);
  assertEquals([user?.name, user?.home, passive.address], ["scanner", "in", "ftp.example.org"]);
  assert(await verifyPassword("secret word", user?.password ?? ""));
  assertMatch(output, /^names: ftp\.example\.org, localhost/m);
  assertMatch(output, /doctor ftp\.example\.org:2121 /);
  assert(!output.includes("secret word"));
  await using other = await TemporaryFolder.create();
  await assertRejects(() => initCommand([other.path], typing(new Array(9).fill(".")).dialog), UsageError, "would hold");
  await assertRejects(() => initCommand([other.path], typing(["", ""]).dialog), UsageError, "the input has ended");
  await assertRejects(() => initCommand([other.path], undefined), UsageError, "no terminal");
  assertEquals([...Deno.readDirSync(other.path)], []);
});

Deno.test("initCommand() takes answers from options, and asks for the others", async () => {
  await using folder = await TemporaryFolder.create();
  const { path } = folder;
  await initCommand(
    [`${path}/a`, "--yes", "--share", `${path}/pub`, "--anybody", "--from", "host", "--service", "no"],
    undefined,
  );
  const first = await read(`${path}/a`);
  assertEquals([first.anonymous?.home, first.anonymous?.permissions], [`${path}/pub`, "elr"]);
  assertEquals([first.listen[0]?.host, first.passive.ports], ["127.0.0.1", undefined]);
  await Deno.writeTextFile(`${path}/secret`, `${QUICK_HASH}\n`);
  const files = ["--certfile", `${path}/a/certs/server.crt`, "--keyfile", `${path}/a/certs/server.key`];
  const { dialog, asked } = typing(["in", "host"]);
  const options = ["--user", 'o"b', "--password-file", `${path}/secret`, "--service", "no", "--port", "2990"];
  const output = await initCommand([`${path}/b`, ...options, ...files], dialog);
  assertEquals(asked.length, 2);
  const { users: [user], tls, listen } = await read(`${path}/b`);
  assertEquals([user?.name, tls.certificate, listen[0]?.port], ['o"b', `${path}/a/certs/server.crt`, 2990]);
  assertEquals(user?.password, QUICK_HASH);
  assert(!/^password:/m.test(output));
});

const REFUSED: readonly (readonly [readonly string[], string])[] = [
  [["--yes", "b"], "only one folder"],
  [["--yes", "--anybody", "--user", "bob"], "--anybody beside"],
  [["--yes", "--share", "."], "would hold the configuration"],
  [["--yes", "--keyfile", "k"], "--keyfile without --certfile"],
  [["--yes", "--from", "my server"], "neither host nor network"],
  [["--yes", "--port", "99999"], "not a port"],
  [["--yes", "--user", "anonymous"], "anonymous is anybody"],
  [["--yes", "--service", "maybe"], "--service"],
  [["--yes", "--acme"], "acme needs the name"],
  [["--yes", "--acme", "--from", "192.0.2.1"], "acme needs the name"],
  [["--yes", "--acme", "--from", "ftp.example.org", "--certfile", "c"], "--acme beside"],
];
for (const [args, message] of REFUSED) {
  Deno.test(`initCommand() refuses ${args.join(" ")}, and writes nothing`, async () => {
    await using folder = await TemporaryFolder.create();
    const own = args.map((word) => word === "." || /^[ab]$/.test(word) ? folder.path : word);
    await assertRejects(
      () => initCommand(args[0] === "a" ? own : [folder.path, ...own], undefined),
      UsageError,
      message,
    );
    assertEquals([...Deno.readDirSync(folder.path)], []);
  });
}

Deno.test("initCommand() tells what is wrong with what it was given, and no next steps", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/none.pem`, "no certificate\n");
  const output = await initCommand([folder.path, "--yes", "--certfile", `${folder.path}/none.pem`], undefined);
  assertMatch(output, /^error: .*tls\.certificate: .*no CERTIFICATE block/m);
  assertMatch(output, /checked: the server would not start$/);
});

Deno.test("initCommand() leaves the certificate to a CA where that is the answer", async () => {
  await using folder = await TemporaryFolder.create();
  const args = [folder.path, "--yes", "--anybody", "--from", "ftp.example.org", "--acme"];
  const output = await initCommand(args, undefined);
  const { tls } = await read(folder.path);
  assertEquals([tls.acme?.domains, tls.acme?.storage, tls.certificate], [["ftp.example.org"], "acme", undefined]);
  assertMatch(output, /^checked: the server would start$/m);
  assertMatch(output, / cert acme -c /);
  assertMatch(output, /ufw allow 80\/tcp && ufw allow 2121\/tcp/);
  assert(!output.includes("--ca"));
});

Deno.test("makePassword() makes others each time, of letters and digits that nobody confuses", () => {
  const passwords = Array.from({ length: 100 }, makePassword);
  assertEquals(new Set(passwords).size, 100);
  for (const password of passwords) assertMatch(password, /^(?:[a-km-np-z2-9]{5}-){3}[a-km-np-z2-9]{5}$/);
});

Deno.test(programTest({
  program: "curl",
  name: "ftpsd init: from an empty folder to an upload with verification, by the lines that it prints",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const options = { folder: folder.path };
    const init = `deno run --no-prompt --allow-read --allow-write=. ${MAIN} init --yes --from host --port 0`;
    const printed = await ShellScript.run(init, options);
    const lineAfter = (title: string) => printed.split(`${title}\n`)[1]?.split("\n")[0]?.trim() ?? "";
    const [, password = ""] = /^password: (\S+)/m.exec(printed) ?? [];
    await using server = new ShellScript(lineAfter("Start it:"), options);
    const [, port = ""] = await server.output(/>>> starting .*:(\d+) <<<[^]*\bpid \d+/);
    const upload = lineAfter("Upload something, from a second terminal:");
    await ShellScript.run(
      upload.replace("-u user", `-sS --max-time 20 -u 'user:${password}'`).replace(":0/", `:${port}/`),
      options,
    );
    assertEquals(
      await Deno.readTextFile(`${folder.path}/files/server.crt`),
      await Deno.readTextFile(`${folder.path}/certs/server.crt`),
    );
    await server.stop();
  },
}));
