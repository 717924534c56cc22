import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Installation, PASSWORD, QUICK_USER } from "../cli/installation.ts";
import { denoArguments, SpawnedServer } from "../cli/spawned_server.ts";
import { programTest } from "../helpers/client_program.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { mountRefusal, SmallDisk } from "../helpers/small_disk.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const FAILING_STDERR = new URL("../helpers/failing_stderr.py", import.meta.url).pathname;
const CONTENT = new TextEncoder().encode("content");
/** More than may wait for the log. */
const DISK_KIBIBYTES = 4096;
/** Each of these commands makes a line of this length, together more than may wait for the log. */
const LINE_BYTES = 3000;
const LINES = 600;
/** So many are sent at once. */
const BATCH = 20;
const DROPPED = /\[E .*\] (\d+) lines of this log were dropped$/;

const REFUSAL = await mountRefusal();
const IGNORED = REFUSAL === undefined ? "" : ` (ignored: ${REFUSAL})`;

for (const workers of ["1", "2"]) {
  for (
    const [what, isBlocking] of [["nobody reads its log", true], [
      "its log is a full pipe that does not block",
      false,
    ]] as const
  ) {
    Deno.test(programTest({
      program: "python3",
      name: `A server goes on while ${what}, and counts the lines it drops, --workers ${workers}`,
      fn: async () => {
        await using folder = await TemporaryFolder.create();
        await using server = isBlocking
          ? await start(Deno.execPath(), denoArguments(options(folder.path, workers)))
          : await startFailing("nonblocking", folder.path, workers);
        await server.line(/Ctrl-C stops/);
        const readOn = server.stopReading();
        await assertGoesOn(server, folder.path);
        readOn();
        await server.line(DROPPED);
        server.kill("SIGTERM");
        assertStrictEquals((await server.exited()).code, 0);
      },
    }));
  }

  Deno.test(`A server of which nobody reads the log ends on SIGTERM, --workers ${workers}`, async () => {
    await using folder = await TemporaryFolder.create();
    await using server = await start(Deno.execPath(), denoArguments(options(folder.path, workers)));
    await server.line(/Ctrl-C stops/);
    const readOn = server.stopReading();
    await assertGoesOn(server, folder.path);
    server.kill("SIGTERM");
    assertStrictEquals((await server.status()).code, 0);
    readOn();
  });

  Deno.test(programTest({
    program: "python3",
    name: `A server goes on when the terminal of its log is gone, --workers ${workers}`,
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      await using server = await startFailing("terminal", folder.path, workers);
      await server.line(/the terminal is gone/);
      await assertGoesOn(server, folder.path);
      server.kill("SIGTERM");
      assertStrictEquals((await server.exited()).code, 0);
    },
  }));

  Deno.test({
    name:
      `A server goes on while the disk of its log is full, and counts the lines it drops, --workers ${workers}${IGNORED}`,
    ignore: REFUSAL !== undefined,
    fn: async () => {
      await using disk = await SmallDisk.mount(DISK_KIBIBYTES);
      await using folder = await TemporaryFolder.create();
      const log = `${disk.path}/log`;
      const program = [Deno.execPath(), ...denoArguments(options(folder.path, workers))];
      // What it logs comes here, too, as far as the disk has it.
      const script = 'log="$1"; shift; touch "$log"; tail -f -n +1 -s 0.1 --pid=$$ "$log" >&2 & exec "$@" 2>>"$log"';
      await using server = await start("bash", ["-c", script, "bash", log, ...program]);
      await server.line(/Ctrl-C stops/);
      await fill(disk.path);
      await assertGoesOn(server, folder.path);
      await Deno.remove(`${disk.path}/filler`);
      await Deno.truncate(log);
      await server.line(DROPPED);
      server.kill("SIGTERM");
      assertStrictEquals((await server.status()).code, 0);
    },
  });

  Deno.test({
    name: `A server goes on while the disk of log.transfers is full, and logs it, --workers ${workers}${IGNORED}`,
    ignore: REFUSAL !== undefined,
    fn: async () => {
      await using disk = await SmallDisk.mount(DISK_KIBIBYTES);
      await using installation = await Installation.create(
        `workers: ${workers}\nlog: { transfers: ${disk.path}/xferlog }\n${QUICK_USER}    permissions: elrw\n`,
      );
      const flags = ["--allow-net=127.0.0.1", "--allow-read", `--allow-write=${installation.path},${disk.path}`];
      await using server = await SpawnedServer.start({ flags, args: ["--config", installation.file] });
      await fill(disk.path);
      await using client = await server.login("user", PASSWORD);
      for (let count = 0; count < 5; count++) await client.store(`file${count}`, CONTENT);
      await server.line(/log\.transfers: cannot write to .*, trying again: .*No space left/i);
      for (const signal of ["SIGHUP", "SIGUSR2"] as const) server.kill(signal);
      await server.line(/configuration reloaded/);
      await Deno.remove(`${disk.path}/filler`);
      await client.store("last", CONTENT);
      server.kill("SIGTERM");
      assertStrictEquals((await server.exited()).code, 0);
      const lines = (await Deno.readTextFile(`${disk.path}/xferlog`)).trimEnd().split("\n");
      const names = lines.map((line) => / 7 \/(\w+) b _ i r user ftp 0 \* c$/.exec(line)?.[1]);
      assertEquals(names.toSorted(), ["file0", "file1", "file2", "file3", "file4", "last"]);
    },
  });
}

Deno.test({
  name: "A start that fails says why before it ends, also into a pipe that is read slowly",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const words = denoArguments({ flags: [], args: ["--nonsense"] });
    const script = '{ "$@"; echo "status $?" >&2; } 2>&1 >/dev/null | { sleep 1; cat; }';
    const { stdout } = await new Deno.Command("bash", { args: ["-c", script, "bash", Deno.execPath(), ...words] })
      .output();
    const text = new TextDecoder().decode(stdout);
    assert(/error: unknown option --nonsense/.test(text) && /status 2/.test(text), text);
  },
});

Deno.test({
  name: "A warning of the runtime goes to the log, and ends nothing where that cannot be written",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const module = new URL("../../lib/serve/log_writer.ts", import.meta.url).href;
    const program = `import process from "node:process";
      import { takeWarnings } from ${JSON.stringify(module)};
      takeWarnings((text) => console.log(text));
      process.emitWarning("too many");
      setTimeout(() => console.log("alive"), 100);`;
    await Deno.writeTextFile(`${folder.path}/program.ts`, program);
    const words = ["run", "--no-check", "--no-prompt", "--no-config", `${folder.path}/program.ts`];
    const command = new Deno.Command("sh", { args: ["-c", 'exec "$@" 2> /dev/full', "sh", Deno.execPath(), ...words] });
    const { code, stdout } = await command.output();
    assertEquals(
      { code, text: new TextDecoder().decode(stdout) },
      { code: 0, text: "warning of the runtime: Warning: too many\nalive\n" },
    );
  },
});

Deno.test({
  name: "A short command says that its output cannot be written",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const words = denoArguments({ flags: [], args: ["completions", "bash"] });
    const command = new Deno.Command("sh", {
      args: ["-c", 'exec "$@" > /dev/full', "sh", Deno.execPath(), ...words],
      env: { NO_COLOR: "1" },
    });
    const { code, stderr } = await command.output();
    assertEquals(code, 1);
    assert(/error: cannot write to standard output: No space left/.test(new TextDecoder().decode(stderr)));
  },
});

function options(folder: string, workers: string): Parameters<typeof denoArguments>[0] {
  return {
    flags: ["--allow-net=127.0.0.1", "--allow-read", `--allow-write=${folder}`],
    args: [folder, "--port", "0", "--workers", workers, "-w", "-u", "bob", "-P", "secret"],
  };
}

function start(executable: string, args: readonly string[]): Promise<SpawnedServer> {
  return SpawnedServer.start({ executable, flags: [], args, hasOwnPorts: true });
}

function startFailing(kind: string, folder: string, workers: string): Promise<SpawnedServer> {
  return start("python3", [FAILING_STDERR, kind, Deno.execPath(), ...denoArguments(options(folder, workers))]);
}

/** Two clients, so that each event loop may have one, cause more lines than may wait, and work on; signals count. */
async function assertGoesOn(server: SpawnedServer, home: string): Promise<void> {
  await using first = await server.login("bob", "secret");
  await using second = await server.login("bob", "secret");
  for (const [index, client] of [first, second].entries()) {
    await causeLines(client);
    await client.expect(200, "TYPE I");
    await client.store(`file${index}`, CONTENT);
    assertEquals(await client.retrieve(`file${index}`), CONTENT);
    for (const signal of ["SIGHUP", "SIGUSR2"] as const) server.kill(signal);
    await client.expect(200, "NOOP");
    await client.expect(221, "QUIT");
  }
  assertEquals(await Deno.readFile(`${home}/file0`), CONTENT);
  await using third = await server.login("bob", "secret");
  await third.expect(200, "NOOP");
}

async function causeLines(client: RawClient): Promise<void> {
  const line = `SIZE ${`${"x".repeat(250)}/`.repeat(LINE_BYTES / 250)}\r\n`;
  for (let count = 0; count < LINES; count += BATCH) {
    await client.send(line.repeat(BATCH));
    for (let replies = 0; replies < BATCH; replies++) assertStrictEquals((await client.readReply("SIZE")).code, 550);
  }
}

/** Takes all that is left of a disk. */
async function fill(folder: string): Promise<void> {
  using file = await Deno.open(`${folder}/filler`, { write: true, create: true });
  const piece = new Uint8Array(4096);
  try {
    for (;;) await file.write(piece);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
