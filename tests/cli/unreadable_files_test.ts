import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { NotRegularFileError, readRegularFile } from "../../lib/check/host_files.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { programTest } from "../helpers/client_program.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { StoppableMount, stoppableMountRefusal } from "../helpers/stoppable_mount.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { Installation, PASSWORD, USER } from "./installation.ts";
import { readFlags, runMain, SpawnedServer } from "./spawned_server.ts";

const IMPATIENT = new URL("impatient_program.ts", import.meta.url).pathname;
const TLS = "tls: { certificate: server.crt, key: server.key, clientCertificates: { mode: request, ca: ca.crt } }\n";
const PAIR = await createEphemeralCertificate({ names: ["localhost"] });

/** Files that a start and a reload read. */
const NAMES = ["ftpsd.yaml", "server.crt", "server.key", "ca.crt"];

for (const name of NAMES) {
  Deno.test(programTest({
    program: "mkfifo",
    name: `run() keeps all as it was on SIGHUP when ${name} has become a pipe, and ends on SIGTERM`,
    fn: async () => {
      await using installation = await install();
      await using server = await SpawnedServer.start({
        flags: readFlags(installation.path),
        args: ["--config", installation.file],
      });
      await becomePipe(`${installation.path}/${name}`);
      server.kill("SIGHUP");
      await server.line(
        new RegExp(`reload failed, keeping the current configuration: .*not a file: \\S*${name.replace(".", "\\.")}`),
      );
      await using client = await server.login("user", PASSWORD);
      await client.expect(200, "NOOP");
      server.kill("SIGTERM");
      assertStrictEquals((await server.exited()).code, 0);
    },
  }));

  Deno.test(programTest({
    program: "mkfifo",
    name: `run() does not start, nor wait, when ${name} is a pipe`,
    fn: async () => {
      await using installation = await install();
      await becomePipe(`${installation.path}/${name}`);
      const args = ["--config", installation.file, "--port", "0"];
      const { code, stderr } = await runMain({ flags: readFlags(installation.path), args });
      assertMatch(stderr, /not a file: /);
      assertStrictEquals(code, 2);
    },
  }));
}

Deno.test(programTest({
  program: "mkfifo",
  name: "run() keeps all as it was on SIGHUP when the password file has become a pipe",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const file = `${folder.path}/password`;
    await Deno.writeTextFile(file, "secret", { mode: 0o600 });
    await Deno.mkdir(`${folder.path}/home`, { mode: 0o755 });
    const args = [`${folder.path}/home`, "-u", "bob", "--password-file", file];
    await using server = await SpawnedServer.start({ flags: readFlags(folder.path), args });
    await becomePipe(file);
    server.kill("SIGHUP");
    await server.line(/reload failed, keeping the current configuration: not a file: .*password/);
    server.kill("SIGTERM");
    assertStrictEquals((await server.exited()).code, 0);
  },
}));

Deno.test(programTest({
  program: "mkfifo",
  name: "run() keeps its certificate when a file of it has become a pipe, and takes the next one",
  fn: async () => {
    await using installation = await install();
    await using server = await SpawnedServer.start({
      flags: readFlags(installation.path),
      args: ["--config", installation.file],
      program: IMPATIENT,
    });
    await becomePipe(`${installation.path}/server.crt`);
    await server.line(/keeping the current certificate: tls\.certificate: not a file/);
    await Deno.remove(`${installation.path}/server.crt`);
    await installation.install(await createEphemeralCertificate({ names: ["localhost"] }));
    await server.line(/certificate replaced: /);
    server.kill("SIGTERM");
    assertStrictEquals((await server.exited()).code, 0);
  },
}));

const REFUSAL = await stoppableMountRefusal();

Deno.test({
  name: `run() serves on and ends on SIGTERM while a reload waits for a file system that does not answer${
    REFUSAL === undefined ? "" : ` (ignored: ${REFUSAL})`
  }`,
  ignore: REFUSAL !== undefined,
  fn: async () => {
    await using mount = await StoppableMount.create();
    await using installation = await Installation.create(USER);
    const file = `${mount.path}/ftpsd.yaml`;
    await Deno.writeTextFile(file, USER.replace("home: home", `home: ${installation.home}`));
    await using server = await SpawnedServer.start({ flags: readFlags("/"), args: ["--config", file] });
    await using client = await server.login("user", PASSWORD);
    mount.stop();
    server.kill("SIGHUP");
    // Answered in order, so the reload has begun.
    server.kill("SIGUSR2");
    await server.line(/1 session, no transfers/);
    await client.expect(200, "NOOP");
    server.kill("SIGTERM");
    assertStrictEquals((await server.exited()).code, 0);
  },
});

Deno.test({
  name: "readRegularFile() refuses what is no regular file, and too much",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    for (const path of [folder.path, "/dev/zero"]) {
      await assertRejects(() => readRegularFile(path), NotRegularFileError);
    }
    await assertRejects(() => readRegularFile(`${folder.path}/none`), Deno.errors.NotFound);
    await Deno.writeFile(`${folder.path}/large`, new Uint8Array());
    await Deno.truncate(`${folder.path}/large`, 1 << 30);
    await assertRejects(() => readRegularFile(`${folder.path}/large`), Error, "more than");
  },
});

Deno.test("readRegularFile() reads a file whole, and its mode", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/file`;
  const content = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
  await Deno.writeFile(path, content, { mode: 0o600 });
  const { bytes, info } = await readRegularFile(path);
  assertEquals(bytes, content);
  assertEquals(info.mode, (await Deno.stat(path)).mode);
});

Deno.test("readRegularFile() waits no longer than its signal", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  const reason = new Error("enough");
  const error = await assertRejects(() =>
    readRegularFile(`${folder.path}/file`, { signal: AbortSignal.abort(reason) })
  );
  assert(error === reason);
});

async function install(): Promise<Installation> {
  await using stack = new AsyncDisposableStack();
  const installation = stack.use(await Installation.create(`${TLS}${USER}`));
  await installation.install(PAIR);
  await Deno.writeTextFile(`${installation.path}/ca.crt`, PAIR.certificate);
  stack.move();
  return installation;
}

async function becomePipe(path: string): Promise<void> {
  await Deno.remove(path);
  await requireProgram("mkfifo", [path]);
}
