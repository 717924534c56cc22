import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { runProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { Installation } from "./installation.ts";
import { readFlags, SpawnedServer } from "./spawned_server.ts";

/** A configuration with nothing but implicit TLS. */
const IMPLICIT = "listen: [{ port: 0, tls: implicit }]\nanonymous: { home: home }\n";

/** The lines to paste, and what in them says whom to trust. lftp reads its commands from stdin, as it would from you. */
const CLIENTS = [
  { program: "curl", paste: (line: string) => line, trust: /sha256\/\/[^']/ },
  { program: "lftp", paste: (line: string) => `echo cls | ${line}`, trust: /verify-certificate\/[0-9A-F]/ },
] as const;

for (const { program, paste, trust } of CLIENTS) {
  for (const host of ["127.0.0.1", "::1"]) {
    Deno.test(programTest({
      program,
      name: `run() prints a line for ${program} that lists the folder when it is pasted, ${host}`,
      fn: async () => {
        await using folder = await sharedFolder();
        await using server = await startOn(host, folder.path);
        const output = await runInShell(paste(await lineFor(server, program)));
        assertEquals(output.code, 0, output.stderr);
        assertStringIncludes(output.stdout, "shared file.txt");
      },
    }));
  }

  Deno.test(programTest({
    program,
    name: `run() prints a line for ${program} that lists the folder where TLS is implicit`,
    fn: async () => {
      await using installation = await Installation.create(IMPLICIT);
      await Deno.writeTextFile(`${installation.home}/shared file.txt`, "");
      const args = ["-c", installation.file];
      await using server = await SpawnedServer.start({ flags: readFlags(installation.path), args, hasOwnPorts: true });
      const output = await runInShell(paste(await lineFor(server, program)));
      assertEquals(output.code, 0, output.stderr);
      assertStringIncludes(output.stdout, "shared file.txt");
    },
  }));

  Deno.test(programTest({
    program,
    name: `run() prints a line for ${program} that trusts no other certificate`,
    fn: async () => {
      await using folder = await sharedFolder();
      await using server = await startOn("127.0.0.1", folder.path);
      const line = await lineFor(server, program);
      const altered = line.replace(trust, (text) => `${text.slice(0, -1)}${text.endsWith("A") ? "B" : "A"}`);
      assertNotEquals(altered, line);
      const output = await runInShell(paste(altered));
      assertNotEquals(output.code, 0);
      assertEquals(output.stdout, "");
    },
  }));

  Deno.test(`run() prints a line for ${program} with the user's name as one word`, async () => {
    await using folder = await sharedFolder();
    const name = "o'brien; echo $HOME";
    await using server = await startOn("127.0.0.1", folder.path, ["-u", name, "-P", "secret"]);
    const output = await runInShell(`${program}() { printf '%s\\n' "$@"; }; ${await lineFor(server, program)}`);
    const words = output.stdout.split("\n");
    assertEquals(words[words.indexOf("-u") + 1], name);
  });
}

for (const [host, policy] of [["127.0.0.1", "off"], ["127.0.0.1", "optional"], ["127.0.0.1", "control"]] as const) {
  Deno.test(programTest({
    program: "curl",
    name: `run() prints a line for curl that works with --tls ${policy}, and warns`,
    fn: async () => {
      await using folder = await sharedFolder();
      await using server = await startOn(host, folder.path, ["--tls", policy]);
      const output = await runInShell(await lineFor(server, "curl"));
      assertEquals(output.code, 0, output.stderr);
      assertStringIncludes(output.stdout, "shared file.txt");
      await server.line(/^\[W .*clear-text-data accepted/);
    },
  }));
}

async function sharedFolder(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/shared file.txt`, "");
  return folder;
}

function startOn(host: string, folder: string, args: readonly string[] = []): Promise<SpawnedServer> {
  const [, ...flags] = readFlags(folder);
  const net = host.includes(":") ? `[${host}]` : host;
  return SpawnedServer.start({ flags: [`--allow-net=${net}`, ...flags], args: [folder, "-i", host, ...args] });
}

async function lineFor(server: SpawnedServer, program: string): Promise<string> {
  const [, line = ""] = await server.line(new RegExp(`^\\[I [^\\]]*\\] ${program}: (${program} .*)$`));
  return line;
}

function runInShell(command: string) {
  return runProgram("sh", ["-c", command], { deadlineMs: 20_000 });
}
