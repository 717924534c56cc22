import { assert, assertEquals, assertMatch } from "@std/assert";
import { findAccountProblems } from "../../lib/check/account_findings.ts";
import { inspectCodeSecrets } from "../../lib/check/code_secrets.ts";
import { findPermissionNeeds } from "../../lib/check/permissions.ts";
import { resolveConfiguration } from "../../lib/settings/validate.ts";
import { CODE_SECRET } from "../helpers/codes.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const HASH = "$2b$10$abcdefghijklmnopqrstuuwRKPqk4mAhGSTXTVVxFDq5cZsHhAZ0a";

/** A configuration with one user who needs codes. */
function configurationWith(totp: object, others: object = {}) {
  return resolveConfiguration({ users: [{ name: "alice", password: HASH, home: "/srv/alice", totp }], ...others });
}

Deno.test("inspectCodeSecrets() reads secrets, and tells what is wrong with their files without showing them", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/alice.totp`;
  const inspect = () => inspectCodeSecrets(configurationWith({ secretFile: path }));
  const absent = await inspect();
  assertEquals([absent.findings.map(({ severity }) => severity), absent.codeSecrets], [["error"], {}]);
  await Deno.writeTextFile(path, `${CODE_SECRET}\n`, { mode: 0o600 });
  assertEquals(await inspect(), { findings: [], codeSecrets: { alice: CODE_SECRET } });
  if (Deno.build.os !== "windows") {
    await Deno.chmod(path, 0o644);
    assertEquals((await inspect()).findings.map(({ risk, path }) => [risk, path]), [
      ["key-readable-by-others", ["users", 0, "totp", "secretFile"]],
    ]);
  }
  await Deno.writeTextFile(path, "geheim!");
  const [finding] = (await inspect()).findings;
  assertMatch(finding?.message ?? "", /holds no secret of codes: it is not base32/);
  assert(!finding?.message.includes("geheim"));
});

Deno.test("findAccountProblems() takes a secret of codes in the configuration for a password in clear", () => {
  const findings = findAccountProblems(configurationWith({ secret: CODE_SECRET }));
  assertEquals(findings.filter(({ severity }) => severity === "risk").map(({ risk, path }) => [risk, path]), [
    ["plaintext-password", ["users", 0, "totp", "secret"]],
  ]);
  assert(!JSON.stringify(findings).includes(CODE_SECRET));
});

Deno.test("findPermissionNeeds() lets secrets of codes be read, and the folder of the file be written where users change passwords", () => {
  const needs = (passwords: object) =>
    findPermissionNeeds(configurationWith({ secretFile: "/etc/ftpsd/a.totp" }, { passwords }), "/etc/ftpsd/ftpsd.yaml");
  const [off, on] = [needs({}), needs({ change: true })];
  assertEquals([off.read.includes("/etc/ftpsd/a.totp"), off.write], [true, []]);
  assertEquals([on.read.includes("/etc/ftpsd"), on.write], [true, ["/etc/ftpsd"]]);
});
