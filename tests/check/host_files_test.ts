import { formatPath } from "../../lib/settings/key_path.ts";
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { PemFileError, readCertificateFiles, readPemFile } from "../../lib/check/host_files.ts";
import { runProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const MODULE = new URL("../../lib/check/host_files.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

Deno.test("readCertificateFiles() returns both texts and the mode of the key", async () => {
  await using folder = await TemporaryFolder.create();
  const files = { certificate: `${folder.path}/a.crt`, key: `${folder.path}/a.key` };
  await Deno.writeTextFile(files.certificate, "certificate");
  await Deno.writeTextFile(files.key, "key", { mode: 0o640 });
  const { certificate, key, keyMode } = await readCertificateFiles(files);
  assertEquals([certificate, key], ["certificate", "key"]);
  if (Deno.build.os !== "windows") assertEquals((keyMode ?? 0) & 0o777, 0o640);
});

Deno.test("readCertificateFiles() names the file and its key when it cannot read", async () => {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/a.crt`;
  await Deno.writeTextFile(file, "certificate");
  const cases = [
    [{ certificate: `${folder.path}/none`, key: file }, "tls.certificate", `no such file: ${folder.path}/none`],
    [{ certificate: file, key: `${folder.path}/none` }, "tls.key", `no such file: ${folder.path}/none`],
    [{ certificate: file, key: folder.path }, "tls.key", `not a file: ${folder.path}`],
  ] as const;
  for (const [files, where, message] of cases) {
    const error = await assertRejects(() => readCertificateFiles(files), PemFileError);
    assertEquals([error.status, formatPath(error.path), error.message], [2, where, message]);
  }
});

Deno.test("readPemFile() follows a link with the permission for the link alone", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/archive`);
  await Deno.writeTextFile(`${folder.path}/archive/a1.pem`, "certificate");
  const link = `${folder.path}/a.pem`;
  await Deno.symlink("archive/a1.pem", link);
  const program =
    `import { readPemFile } from "${MODULE}"; console.log((await readPemFile("${link}", "tls.key")).text);`;
  await Deno.writeTextFile(`${folder.path}/read.ts`, program);
  const { stdout } = await runProgram(Deno.execPath(), [
    ...["run", "--no-prompt", `--config=${CONFIG}`, `--allow-read=${link}`, `${folder.path}/read.ts`],
  ]);
  assertEquals(stdout.trim(), "certificate");
});

Deno.test({
  name: "readPemFile() refuses a pipe, rather than to wait for it",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const path = `${folder.path}/pipe`;
    await new Deno.Command("mkfifo", { args: [path] }).output();
    const error = await assertRejects(() => readPemFile(path, ["tls", "key"]), PemFileError);
    assertEquals(error.message, `not a file: ${path}`);
  },
});

Deno.test({
  name: "readPemFile() says when the system denies the file",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const path = `${folder.path}/a.key`;
    await Deno.writeTextFile(path, "key", { mode: 0o000 });
    const error = await assertRejects(() => readPemFile(path, ["tls", "key"]), PemFileError);
    assertEquals([error.status, error.message], [1, `cannot read ${path}`]);
    assertMatch(error.hint, /readable/);
  },
});

Deno.test("readPemFile() names the flag that is missing", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/a key`;
  await Deno.writeTextFile(path, "key");
  const script = `
    import { readPemFile } from ${JSON.stringify(MODULE)};
    console.log(await readPemFile(Deno.args[0], "tls.key").then(({ text }) => text, (error) => error.message));
  `;
  await Deno.writeTextFile(`${folder.path}/script.ts`, script);
  const run = (...flags: string[]) =>
    runProgram(Deno.execPath(), [
      ...["run", "--no-check", "--no-prompt", "--config", CONFIG],
      ...flags,
      `${folder.path}/script.ts`,
      path,
    ]);
  const refused = await run();
  assertEquals(refused.stdout, `Deno does not permit what this needs (--allow-read='${path}' missing)\n`);
  const { stdout } = await run(`--allow-read=${path}`);
  assertEquals(stdout, "key\n");
});
