import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { verifyPassword } from "../../lib/accounts/password_verifier.ts";
import { StartError, UsageError } from "../../lib/check/exit_error.ts";
import type { PasswordInput } from "../../lib/cli/hash_password.ts";
import { replaceFile } from "../../lib/check/replace_file.ts";
import { userCommand } from "../../lib/cli/user.ts";
import { ConfigurationError } from "../../lib/settings/finding.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const PASSWORD = "correct horse";
const HASH = "$2b$10$abcdefghijklmnopqrstuuwRKPqk4mAhGSTXTVVxFDq5cZsHhAZ0a";

/** Standard input with a line. */
function typing(line: string): PasswordInput & { readonly warnings: string[] } {
  let rest = new TextEncoder().encode(`${line}\n`);
  const warnings: string[] = [];
  const read = (buffer: Uint8Array) => {
    const part = rest.subarray(0, buffer.length);
    buffer.set(part);
    rest = rest.subarray(part.length);
    return Promise.resolve(part.length === 0 ? null : part.length);
  };
  return { ask: () => null, read, warn: (text) => void warnings.push(text), warnings };
}

/** A file in a folder of its own. */
async function fileWith(folder: string, text: string, mode = 0o640): Promise<string> {
  const file = `${folder}/ftpsd.yaml`;
  await Deno.writeTextFile(file, text);
  if (Deno.build.os !== "windows") await Deno.chmod(file, mode);
  return file;
}

function usersOf(text: string) {
  return readConfiguration(text, { file: "f", resolve: (path) => path }).users;
}

Deno.test("userCommand() adds, changes, lists and removes a user of the file, and keeps its mode and comments", async () => {
  await using folder = await TemporaryFolder.create();
  const original = "# mine\nanonymous: { home: /srv/pub } # all\n";
  const file = await fileWith(folder.path, original);
  const user = (...args: string[]) => userCommand([...args, "-c", file], typing(PASSWORD));
  assertMatch(
    await user("add", "alice", "--home", folder.path, "--permissions", "elrw"),
    /^added alice in .*ftpsd\.yaml; a running server reads it on SIGHUP/,
  );
  const [alice] = usersOf(await Deno.readTextFile(file));
  assertEquals([alice?.home, alice?.permissions, alice?.enabled], [folder.path, "elrw", true]);
  assert(await verifyPassword(PASSWORD, alice?.password ?? ""));
  assertEquals(await user("list"), `alice\tfile\t${folder.path}\telrw`);
  assertMatch(
    await user("set", "alice", "--disabled", "--home", "/none"),
    /^warning: \/none is not a folder yet.*\nchanged alice/,
  );
  assertEquals(await user("list"), "alice\tfile\t/none\telrw\tdisabled");
  await Deno.writeTextFile(`${folder.path}/hash`, `${HASH}\n`);
  await user("set", "alice", "--enabled", "--password-file", `${folder.path}/hash`);
  assertEquals(usersOf(await Deno.readTextFile(file))[0]?.password, HASH);
  if (Deno.build.os !== "windows") assertEquals(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o640);
  await user("remove", "alice");
  assertEquals(await Deno.readTextFile(file), `${original}\nusers: []\n`);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), ["ftpsd.yaml", "hash"]);
});

Deno.test("userCommand() adds the first user of a file in which nobody can log in", async () => {
  await using folder = await TemporaryFolder.create();
  const file = await fileWith(folder.path, "");
  await userCommand(["add", "a b", "--home", folder.path, "--config", file], typing(PASSWORD));
  assertEquals(usersOf(await Deno.readTextFile(file)).map(({ name }) => name), ["a b"]);
  await assertRejects(() => userCommand(["remove", "a b", "-c", file]), ConfigurationError, "nobody can log in");
});

Deno.test("userCommand() changes nothing where it cannot do what is asked for", async () => {
  await using folder = await TemporaryFolder.create();
  const text =
    `users:\n  - { name: flow, password: "${HASH}", home: /f }\n  - name: bob\n    password: ${HASH}\n    home: /b\n`;
  const file = await fileWith(folder.path, text);
  const home = ["--home", "/x"];
  for (
    const [args, message] of [
      [["add", "bob", ...home], 'there is a user "bob" already'],
      [["set", "carol", "--disabled"], 'there is no user "carol"'],
      [["set", "bob"], "nothing to change was given"],
      [["set", "flow", ...home], "# in the entry of users with name flow\nhome: /x"],
      [["add", "carol"], "the home is missing"],
      [["add", "carol", "secret", ...home], "only one name can be given, and never a password"],
      [["add"], "the name of the user is missing"],
      [["destroy"], "what to do is missing, or unknown"],
      [["set", "bob", "--enabled", "--disabled"], "--enabled and --disabled together"],
      [["remove", "bob", ...home], "--home means nothing here"],
      [["set", "bob", "--store", "s"], "a store without a path in it"],
      [["set", "bob", "--in", "postgres", ...home], "accounts has no entry of type postgres"],
      [["list", "bob"], "list takes no name"],
    ] as const
  ) {
    const error = await assertRejects(() => userCommand([...args, "-c", file], typing(PASSWORD)), UsageError);
    assert(error.message.includes(message), error.message);
    assert(!error.message.includes("secret"));
  }
  for (
    const args of [["set", "bob", "--permissions", "x"], ["set", "bob", "--group", "none"], [
      "add",
      "anonymous",
      ...home,
    ]]
  ) {
    await assertRejects(() => userCommand([...args, "-c", file], typing(PASSWORD)), ConfigurationError);
  }
  await assertRejects(
    () => userCommand(["add", "carol", ...home, "-c", file], typing("")),
    UsageError,
    "the password is empty",
  );
  await assertRejects(() => userCommand(["list", "-c", `${file}.none`]), UsageError, "no such file");
  await assertRejects(() => userCommand(["list"]), UsageError, "the configuration file is missing");
  assertEquals(await Deno.readTextFile(file), text);
});

Deno.test({
  name: "replaceFile() refuses a link, and a file that was changed meanwhile, and leaves nothing behind",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const file = await fileWith(folder.path, "one");
    await Deno.symlink(file, `${folder.path}/link`);
    await assertRejects(
      () => replaceFile(`${folder.path}/link`, "one", "two"),
      UsageError,
      "is a link; name the file itself",
    );
    await assertRejects(() => replaceFile(file, "other", "two"), StartError, "was changed meanwhile");
    assertEquals(await Deno.readTextFile(file), "one");
    assertEquals([...Deno.readDirSync(folder.path)].length, 2);
  },
});

Deno.test({
  name: "userCommand() works on the table where it comes first, or --in says so",
  ignore: IS_POSTGRES_ABSENT,
  fn: async () => {
    await using database = await TestDatabase.open();
    await using folder = await TemporaryFolder.create();
    const { user: role, password, host, port, database: name } = database.address;
    await Deno.writeTextFile(`${folder.path}/db.url`, `postgres://${role}:${password}@${host}:${port}/${name}\n`, {
      mode: 0o600,
    });
    await Deno.writeTextFile(`${folder.path}/ca.pem`, database.authorities.join("\n"));
    await Deno.mkdir(`${folder.path}/homes/alice`, { recursive: true });
    const source = "{ type: postgres, urlFile: db.url, ca: ca.pem, homes: homes }";
    const file = await fileWith(folder.path, `accounts: [${source}, { type: file }]\ngroups: { partners: {} }\n`);
    const user = (...args: string[]) => userCommand([...args, "-c", file], typing(PASSWORD));
    assertEquals(await user("list"), "there are no users");
    assertEquals(
      await user("add", "alice", "--home", "alice", "--group", "partners"),
      "added alice in the table; it holds on all nodes",
    );
    const [row] = await database.query("SELECT password, settings FROM ftpsd.account");
    assert(await verifyPassword(PASSWORD, row?.password ?? ""));
    const passwordChanged = new Date().toISOString().slice(0, 10);
    assertEquals(JSON.parse(row?.settings ?? ""), { home: "alice", groups: ["partners"], passwordChanged });
    assertMatch(
      await user("set", "alice", "--disabled", "--home", "none"),
      /^warning: alice cannot log in yet: .*does not exist\nchanged/,
    );
    assertMatch(await user("set", "alice", "--home", "/etc"), /^warning: alice cannot log in yet: \/etc is not below /);
    assertEquals(await user("list"), "alice\tpostgres\t/etc\telr\tdisabled");
    await assertRejects(
      () => user("add", "alice", "--home", "alice"),
      UsageError,
      'there is an account "alice" already',
    );
    await assertRejects(() => user("set", "bob", "--enabled"), UsageError, 'there is no account "bob" in the table');
    await assertRejects(
      () => user("set", "alice", "--permissions", "x"),
      UsageError,
      'permissions: unknown letter "x"',
    );
    for (const name of ["'; DROP TABLE ftpsd.account; --", '"', "\\", "é"]) {
      await user("add", name, "--home", "alice", "--password-file", await hashFile(folder.path));
      await user("remove", name);
    }
    await database.query(
      `UPDATE ftpsd.account SET settings = '{"home": "\\u001b[2J\\u009b1m\\n", "permissions": "\\t"}'`,
    );
    assertEquals(await user("list"), 'alice\tpostgres\t"\\u001b[2J\\u{9b}1m\\n"\t"\\t"\tdisabled');
    await user("remove", "alice");
    await assertRejects(() => user("remove", "alice"), UsageError, "there is no account");
    await user("add", "filip", "--home", "/srv", "--in", "file", "--password-file", await hashFile(folder.path));
    assertEquals(await user("list"), "filip\tfile\t/srv\telr");
    await assertRejects(
      () => user("add", "x".repeat(2_000), "--home", "alice", "--password-file", `${folder.path}/hash`),
      StartError,
      "cannot use the table of accounts",
    );
  },
});

async function hashFile(folder: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/hash`, HASH);
  return `${folder}/hash`;
}
