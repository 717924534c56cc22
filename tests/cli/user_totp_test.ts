import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Secret, TOTP, URI } from "otpauth";
import { UsageError } from "../../lib/check/exit_error.ts";
import type { PasswordInput } from "../../lib/cli/hash_password.ts";
import { drawModules, qrTextOf } from "../../lib/cli/qr_text.ts";
import { userCommand } from "../../lib/cli/user.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { encode } from "uqr";

const HASH = "$2b$10$abcdefghijklmnopqrstuuwRKPqk4mAhGSTXTVVxFDq5cZsHhAZ0a";
const FILE = `# mine
users:
  - name: alice # the first
    password: "${HASH}"
    home: /srv/alice
  - name: "böse/name"
    password: "${HASH}"
    home: /srv/other
`;

/** Nobody is there. */
const NOBODY: PasswordInput = { ask: () => null, read: () => Promise.resolve(null), warn: () => {}, isTerminal: false };

/** Somebody at a terminal, who answers; a function reads the code off what was shown. */
function person(answers: readonly ("right" | string)[]): PasswordInput & { readonly shown: string[] } {
  const shown: string[] = [];
  const rest = [...answers];
  const ask = () => {
    const answer = rest.shift() ?? null;
    return answer === "right" ? codeOf(shown.join("\n")) : answer;
  };
  return { ask, read: () => Promise.resolve(null), warn: (text) => void shown.push(text), isTerminal: true, shown };
}

function uriIn(text: string): string {
  return /otpauth:\S+/.exec(text)?.[0] ?? "";
}

function codeOf(text: string): string {
  return URI.parse(uriIn(text)).generate();
}

async function fileIn(folder: string, text = FILE): Promise<string> {
  const file = `${folder}/ftpsd.yaml`;
  await Deno.writeTextFile(file, text, { mode: 0o640 });
  return file;
}

function modeOf(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}

Deno.test("userCommand() totp writes a secret beside the file, which its URI has, and takes it away again", async () => {
  await using folder = await TemporaryFolder.create();
  const file = await fileIn(folder.path);
  const text = await userCommand(["totp", "alice", "-c", file], NOBODY);
  assertMatch(
    text,
    /\nalice needs a code behind the password, once a running server reads .*ftpsd\.yaml: kill -HUP PID$/,
  );
  const secret = await Deno.readTextFile(`${folder.path}/alice.totp`);
  assertMatch(secret, /^[A-Z2-7]{32}\n$/);
  const totp = URI.parse(uriIn(text));
  assert(totp instanceof TOTP);
  assertEquals([totp.label, totp.issuer, totp.algorithm, totp.digits, totp.period, `${totp.secret.base32}\n`], [
    ...["alice", "ftpsd", "SHA1", 6, 30],
    secret,
  ]);
  assertEquals(
    await Deno.readTextFile(file),
    FILE.replace("home: /srv/alice\n", "home: /srv/alice\n    totp: { secretFile: alice.totp }\n"),
  );
  if (Deno.build.os !== "windows") assertEquals(modeOf(`${folder.path}/alice.totp`), "640"); // the group of the file
  await userCommand(["totp", "alice", "-c", file], NOBODY);
  assert(await Deno.readTextFile(`${folder.path}/alice.totp`) !== secret);
  assertMatch(await userCommand(["totp", "alice", "--remove", "-c", file], NOBODY), /^alice needs no code any more/);
  assertEquals(await Deno.readTextFile(file), FILE);
});

Deno.test("userCommand() totp shows a QR code on a terminal, and changes nothing before a code of it was typed", async () => {
  await using folder = await TemporaryFolder.create();
  const file = await fileIn(folder.path);
  const names = () => [...Deno.readDirSync(folder.path)].map(({ name }) => name);
  await assertRejects(
    () => userCommand(["totp", "alice", "-c", file], person(["000000", "", "x"])),
    UsageError,
    "no code was right",
  );
  assertEquals([await Deno.readTextFile(file), names()], [FILE, ["ftpsd.yaml"]]);
  const somebody = person(["000000", "right"]);
  const text = await userCommand(["totp", "böse/name", "-c", file], somebody);
  assert(!text.includes("otpauth:")); // it is on the screen, and in no file that output may go to
  assert(somebody.shown[0]?.includes(await qrTextOf(uriIn(somebody.shown[0])) ?? "nothing"));
  assertEquals(names().toSorted(), ["b_C3_B6se_2Fname.totp", "ftpsd.yaml"]);
  if (Deno.build.os !== "windows") assertEquals(modeOf(`${folder.path}/b_C3_B6se_2Fname.totp`), "640");
});

Deno.test("userCommand() totp leaves the secret of a file to its owner where the file is the owner's alone, and keeps settings", async () => {
  await using folder = await TemporaryFolder.create();
  const given = FILE.replace("home: /srv/alice\n", "home: /srv/alice\n    totp: { digits: 8, secretFile: a.totp }\n");
  const file = await fileIn(folder.path, given);
  if (Deno.build.os !== "windows") await Deno.chmod(file, 0o600);
  const text = await userCommand(["totp", "alice", "-c", file], NOBODY);
  assertMatch(text, /digits=8/);
  assertEquals(await Deno.readTextFile(file), given);
  if (Deno.build.os !== "windows") assertEquals(modeOf(`${folder.path}/a.totp`), "600");
});

Deno.test("userCommand() totp refuses names that are not there, and options that mean nothing", async () => {
  await using folder = await TemporaryFolder.create();
  const file = await fileIn(folder.path);
  for (
    const args of [["totp", "bob"], ["totp"], ["totp", "alice", "--home", "/x"], [
      "set",
      "alice",
      "--remove",
      "--disabled",
    ]]
  ) {
    await assertRejects(() => userCommand([...args, "-c", file], NOBODY), UsageError);
  }
  assertEquals(await Deno.readTextFile(file), FILE);
});

Deno.test({
  name: "userCommand() totp puts the secret into the table, and takes it away again",
  ignore: IS_POSTGRES_ABSENT,
  fn: async () => {
    await using database = await TestDatabase.open();
    await using folder = await TemporaryFolder.create();
    const { user, password, host, port, database: name } = database.address;
    await Deno.writeTextFile(`${folder.path}/db.url`, `postgres://${user}:${password}@${host}:${port}/${name}\n`);
    await Deno.writeTextFile(`${folder.path}/ca.pem`, database.authorities.join("\n"));
    await Deno.mkdir(`${folder.path}/homes/tina`, { recursive: true });
    const accounts = "accounts: [{ type: postgres, urlFile: db.url, ca: ca.pem, homes: homes }]\n";
    const file = await fileIn(folder.path, accounts);
    await database.query(
      `INSERT INTO ftpsd.account (name, password, settings) VALUES ('tina', $1, '{"home":"tina","permissions":"el"}')`,
      [HASH],
    );
    const settings = async () =>
      JSON.parse((await database.query("SELECT settings FROM ftpsd.account"))[0]?.settings ?? "");
    const text = await userCommand(["totp", "tina", "-c", file], NOBODY);
    const { totp, ...others } = await settings();
    assertEquals(others, { home: "tina", permissions: "el" });
    assertEquals(Secret.fromBase32(totp.secret).base32, URI.parse(uriIn(text)).secret.base32);
    await userCommand(["totp", "tina", "--remove", "-c", file], NOBODY);
    assertEquals(await settings(), { home: "tina", permissions: "el" });
    await assertRejects(() => userCommand(["totp", "nobody", "-c", file], NOBODY), UsageError, "there is no account");
  },
});

Deno.test("qrTextOf() draws each module of the code, black on white, and nothing for a text that is too long", async () => {
  const text = new TOTP({ issuer: "ftpsd", label: "alice", secret: Secret.fromUTF8("1".repeat(20)) }).toString();
  const drawn = await qrTextOf(text) ?? "";
  const lines = drawn.split("\n");
  assert(lines.every((line) => line.startsWith("\x1b[38;5;16;48;5;231m") && line.endsWith("\x1b[0m")));
  const rows = lines.flatMap((line) => {
    const blocks = [...line.slice(line.indexOf("m") + 1, line.lastIndexOf("\x1b"))];
    return [blocks.map((block) => "▀█".includes(block)), blocks.map((block) => "▄█".includes(block))];
  });
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  assertEquals(rows.slice(0, size), data);
  assert(!rows.slice(size).flat().some((isDark) => isDark));
  assert(data.slice(0, 4).flat().every((isDark) => !isDark)); // the quiet zone
  assertEquals(drawModules([[true, true, false, false], [true, false, true, false], [true]]), ["█▀▄ ", "▀"]);
  assertEquals(await qrTextOf("x".repeat(5000)), undefined);
});
