import { assertEquals } from "@std/assert";
import { findSecretRisks } from "../../lib/check/secret_findings.ts";
import { inspectStateFiles } from "../../lib/check/state_file.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { problemsOf, read } from "../settings/configuration_text.ts";

async function findingsOf(file: string): Promise<string[]> {
  const configuration = read(`state: { type: sqlite, file: '${file}' }\nanonymous: { home: /srv/pub }\n`);
  return (await inspectStateFiles(configuration)).map(({ severity, message }) => `${severity}: ${message}`);
}

Deno.test("inspectStateFiles() finds nothing about a file that is the server's alone, or not there yet", async () => {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/state.db`;
  assertEquals(await findingsOf(file), []);
  await Deno.writeTextFile(file, "", { mode: 0o600 });
  assertEquals(await findingsOf(file), []);
});

Deno.test({
  name: "inspectStateFiles() refuses a file that others have a hand in",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const file = `${folder.path}/state.db`;
    await Deno.writeTextFile(file, "");
    const withMode = async (mode: number) => {
      await Deno.chmod(file, mode);
      return await findingsOf(file);
    };
    const changed = (mode: string) => [`error: ${file} has mode ${mode}, which lets others on this host change it`];
    assertEquals(await withMode(0o606), changed("0606"));
    assertEquals(await withMode(0o660), changed("0660"));
    assertEquals(await withMode(0o640), [
      `warning: ${file} has mode 0640, which lets others on this host read it`,
    ]);
    await Deno.chmod(file, 0o600);
    await Deno.symlink(file, `${folder.path}/link`);
    assertEquals(await findingsOf(`${folder.path}/link`), [
      `error: ${folder.path}/link is a symbolic link; name the file itself`,
    ]);
    assertEquals(await findingsOf(folder.path), [`error: ${folder.path} is no file`]);
    assertEquals(await findingsOf(`${folder.path}/missing/state.db`), [
      `error: ${folder.path}/missing does not exist`,
    ]);
    await Deno.chmod(folder.path, 0o777);
    assertEquals(await findingsOf(file), [
      `error: others on this host may put another file in the place of ${file}`,
    ]);
  },
});

Deno.test("findSecretRisks() finds a state that lies in a home", async () => {
  await using folder = await TemporaryFolder.create();
  const text = `state: { type: sqlite, file: '${folder.path}/state.db' }\nanonymous: { home: '${folder.path}' }\n`;
  const findings = await findSecretRisks(read(text), {});
  assertEquals(findings.map(({ risk, message }) => [risk, message]), [[
    "secret-in-home",
    `${folder.path} holds the state (${folder.path}/state.db), which users must not reach; move one of them`,
  ]]);
});

Deno.test("readConfiguration() wants a file for a state in SQLite, and only then", () => {
  const SOMEBODY = "anonymous: { home: pub }\n";
  assertEquals(problemsOf(`state: { type: sqlite }\n${SOMEBODY}`), [
    "ftpsd.yaml:1: state.file: is missing; give a file",
  ]);
  assertEquals(problemsOf(`state: { file: state.db }\n${SOMEBODY}`), [
    "ftpsd.yaml:1: state.file: is given, but state.type is memory",
  ]);
});
