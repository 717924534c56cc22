import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { certCommand } from "../../lib/cli/cert.ts";
import { readCertificateFiles } from "../../lib/check/host_files.ts";
import { ExitError } from "../../lib/check/exit_error.ts";
import { examineCertificate } from "../../lib/check/certificate_findings.ts";
import { runProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const MODULE = new URL("../../lib/cli/cert.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const DAY_MS = 24 * 60 * 60 * 1000;

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  await using folder = await TemporaryFolder.create();
  await run(folder.path);
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

Deno.test("certCommand() writes a pair that a server can use, for loopback and the names given", () =>
  withFolder(async (folder) => {
    const directory = `${folder}/new/certs`;
    const names = ["--name", "ftp.example.org", "--name=*.example.org", "--name", "192.0.2.7"];
    const text = await certCommand(["--out", directory, "--days", "30", ...names]);
    const files = { certificate: `${directory}/server.crt`, key: `${directory}/server.key` };
    const listenHosts = ["192.0.2.7", "ftp.example.org", "files.example.org"];
    const { info, findings } = await examineCertificate(await readCertificateFiles(files), {
      now: new Date(),
      listenHosts,
    });
    assertEquals(findings, []);
    assert(info !== undefined && info.selfSigned);
    assertEquals(info.names.slice(0, 5), ["ftp.example.org", "*.example.org", "192.0.2.7", "localhost", "127.0.0.1"]);
    assertEquals(Math.round((info.validTo.getTime() - Date.now()) / DAY_MS), 30);
    const { asymmetricKeyDetails } = new X509Certificate(await Deno.readTextFile(files.certificate)).publicKey;
    assertEquals(asymmetricKeyDetails?.namedCurve, "prime256v1");
    for (const part of [files.certificate, files.key, info.fingerprint, "--certfile", "--cacert"]) {
      assert(text.includes(part), part);
    }
  }));

Deno.test("certCommand() makes a certificate for a year when nothing is said", () =>
  withFolder(async (folder) => {
    await certCommand(["--out", folder]);
    const { validTo } = new X509Certificate(await Deno.readTextFile(`${folder}/server.crt`));
    assertEquals(Math.round((Date.parse(validTo) - Date.now()) / DAY_MS), 365);
  }));

Deno.test({
  name: "certCommand() creates the key for its owner only, whatever the umask",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const umask = Deno.umask(0);
      try {
        await certCommand(["--out", folder]);
      } finally {
        Deno.umask(umask);
      }
      const modes = ["server.key", "server.crt"].map((name) => (Deno.statSync(`${folder}/${name}`).mode ?? 0) & 0o777);
      assertEquals(modes, [0o600, 0o644]);
    }),
});

for (const existing of ["server.crt", "server.key"]) {
  Deno.test(`certCommand() overwrites no ${existing}, and leaves nothing else behind`, () =>
    withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/${existing}`, "precious");
      const error = await assertRejects(() => certCommand(["--out", folder]), ExitError);
      assertEquals(error.status, 2);
      assertMatch(error.message, new RegExp(`^the file exists and is not overwritten: .*/${existing}$`));
      assertMatch(error.hint, /--out/);
      assertEquals(await Deno.readTextFile(`${folder}/${existing}`), "precious");
      assertEquals(await namesIn(folder), [existing]);
    }));
}

Deno.test({
  name: "certCommand() writes through no symbolic link that stands in the place of the key",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      await Deno.symlink(`${folder}/elsewhere`, `${folder}/server.key`);
      assertEquals((await assertRejects(() => certCommand(["--out", folder]), ExitError)).status, 2);
      assertEquals(await namesIn(folder), ["server.key"]);
    }),
});

Deno.test({
  name: "certCommand() leaves no file when the disk is full",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (folder) => {
      const script = `
        import { certCommand } from ${JSON.stringify(MODULE)};
        console.log(await certCommand(["--out", Deno.args[0]]).catch((error) => error.status + " " + error.message));
      `;
      await Deno.writeTextFile(`${folder}/script.ts`, script);
      // In blocks of 512 or 1024 bytes: none at all
      const line = 'trap "" XFSZ; ulimit -f 0; exec "$0" run --no-check --no-prompt --config "$1" -A "$2" "$3"';
      const args = ["-c", line, Deno.execPath(), CONFIG, `${folder}/script.ts`, `${folder}/out`];
      const { stdout } = await runProgram("sh", args);
      assertMatch(stdout, /^1 cannot write to .*File too large/);
      assertEquals(await namesIn(`${folder}/out`), []);
    }),
});

Deno.test("certCommand() says what is wrong with its options", async () => {
  const cases: readonly (readonly [string[], string])[] = [
    [["--nmae", "a.example"], "unknown option --nmae"],
    [["--nmae=a.example"], "unknown option --nmae"],
    [["certs"], "unknown argument certs"],
    [["--out"], "--out needs a value"],
    [["--out="], "--out needs a value"],
    [["--name", "a b"], 'neither a DNS name nor an IP address: "a b" (--name)'],
    [["--name"], "--name needs a value"],
    [["--name=-a.example"], 'neither a DNS name nor an IP address: "-a.example" (--name)'],
    [["--name", "a..example"], 'neither a DNS name nor an IP address: "a..example" (--name)'],
    [["--name", "a.*.example"], 'neither a DNS name nor an IP address: "a.*.example" (--name)'],
    [["--days", "0"], "not a number of days from 1 to 3650: 0 (--days)"],
    [["--days", "3651"], "not a number of days from 1 to 3650: 3651 (--days)"],
    [["--days", "1.5"], "not a number of days from 1 to 3650: 1.5 (--days)"],
    [["--days"], "--days needs a value"],
  ];
  for (const [args, message] of cases) {
    const error = await assertRejects(() => certCommand(args), ExitError);
    assertEquals([error.status, error.message], [2, message]);
    assertMatch(error.hint, /^ftpsd cert /);
  }
});

Deno.test("certCommand() says why it cannot write", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const error = await assertRejects(() => certCommand(["--out", `${folder}/file`]), ExitError);
    assertEquals(error.status, 1);
    assertMatch(error.message, /^cannot write to .*\/file: [^']+$/);
  }));

Deno.test("certCommand() needs leave to write to the folder and no more, and names the flag", () =>
  withFolder(async (folder) => {
    const script = `
      import { certCommand } from ${JSON.stringify(MODULE)};
      console.log(await certCommand(["--out", Deno.args[0]]).catch((error) => error.status + " " + error.message));
    `;
    await Deno.writeTextFile(`${folder}/script.ts`, script);
    const out = `${folder}/out`;
    const run = (...flags: string[]) =>
      runProgram(Deno.execPath(), [
        ...["run", "--no-check", "--no-prompt", "--config", CONFIG],
        ...flags,
        `${folder}/script.ts`,
        out,
      ]);
    const refused = await run();
    assertEquals(refused.stdout, `1 Deno does not permit what this needs (--allow-write=${out} missing)\n`);
    assertMatch((await run(`--allow-write=${out}`)).stdout, /^certificate: /);
    assertEquals(await namesIn(out), ["server.crt", "server.key"]);
  }));
