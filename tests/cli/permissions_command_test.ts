import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import project from "../../deno.json" with { type: "json" };
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { HASH, Installation, PASSWORD, USER } from "./installation.ts";
import { MAIN, runMain, SpawnedServer } from "./spawned_server.ts";

/** A configuration as there are many, and what its accounts can do. */
interface TypicalConfiguration {
  readonly what: string;
  readonly text: string;
  /** Accounts and their homes; a writer may store. */
  readonly accounts: readonly { readonly name: string; readonly home: string; readonly mayWrite: boolean }[];
  readonly prepare?: (installation: Installation) => Promise<void>;
}

const PUBLISHED = `jsr:${project.name}@${project.version}/cli`;
const ANY_PORT = "listen: [{ port: 0 }]\n";

const TYPICAL: readonly TypicalConfiguration[] = [
  {
    what: "one user who reads",
    text: `${ANY_PORT}${USER}`,
    accounts: [{ name: "user", home: "home", mayWrite: false }],
  },
  {
    what: "two listeners and a user who writes",
    text: `listen: [{ port: 0 }, { port: 0, tls: implicit }]\n${USER}    permissions: elrw\n`,
    accounts: [{ name: "user", home: "home", mayWrite: true }],
  },
  {
    what: "anonymous readers of a folder with a space in its name",
    text: `${ANY_PORT}anonymous: { home: the home }\n`,
    accounts: [{ name: "anonymous", home: "the home", mayWrite: false }],
  },
  {
    what: "several homes, one of them writable in a part",
    text: `${ANY_PORT}${USER}  - name: writer
    password: ${HASH}
    home: in
    overrides: [{ path: /, permissions: elrw, recursive: true }]
anonymous: { home: pub }
`,
    accounts: [
      { name: "user", home: "home", mayWrite: false },
      { name: "writer", home: "in", mayWrite: true },
      { name: "anonymous", home: "pub", mayWrite: false },
    ],
  },
  {
    what: "certificate files, ports of its own and a log of transfers",
    text: `listen: [{ port: PORT1 }]
passive: { ports: PORT2-PORT2 }
tls: { certificate: server.crt, key: server.key }
log: { transfers: xferlog }
${USER}    permissions: elrw
`,
    accounts: [{ name: "user", home: "home", mayWrite: true }],
    prepare: async (installation) => {
      await installation.install(await createEphemeralCertificate({ names: ["127.0.0.1"] }));
      await installation.configure(withFreePorts(await Deno.readTextFile(installation.file)));
    },
  },
];

/** Ports that were free a moment ago in place of `PORT1` and `PORT2`. */
function withFreePorts(text: string): string {
  using one = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return text.replaceAll("PORT1", `${one.addr.port}`).replaceAll("PORT2", `${other.addr.port}`);
}

async function install({ text, accounts, prepare }: TypicalConfiguration): Promise<Installation> {
  const installation = await Installation.create(text);
  await prepare?.(installation);
  for (const { home } of accounts) {
    await Deno.mkdir(`${installation.path}/${home}`, { recursive: true, mode: 0o755 });
    await Deno.writeTextFile(`${installation.path}/${home}/old`, `old in ${home}`);
  }
  return installation;
}

/** Prints what the program needs, with no permission but to read the file. */
async function printed(installation: Installation, ...options: readonly string[]): Promise<string> {
  const { file } = installation;
  const args = ["permissions", "--config", file, ...options];
  const { code, stdout, stderr } = await runMain({ flags: [`--allow-read=${file}`], args });
  assertEquals([code, stderr], [0, ""]);
  return stdout.trimEnd();
}

/** The flags and the arguments of the line, as a shell would read it. */
async function lineOf(installation: Installation): Promise<{ readonly flags: string[]; readonly args: string[] }> {
  const words = (await requireProgram("sh", ["-c", `printf '%s\\n' ${await printed(installation)}`])).trimEnd().split(
    "\n",
  );
  const program = words.indexOf(MAIN);
  assertEquals(words.slice(0, 3), ["deno", "run", "--no-prompt"]);
  return { flags: words.slice(3, program), args: words.slice(program + 1) };
}

for (const typical of TYPICAL) {
  const { what, accounts } = typical;

  Deno.test(`ftpsd permissions prints a line that serves: ${what}`, async () => {
    await using installation = await install(typical);
    await using server = await SpawnedServer.start({ ...await lineOf(installation), hasOwnPorts: true });
    for (const { name, home, mayWrite } of accounts) {
      await using client = await server.login(name, PASSWORD);
      await client.expect(200, "TYPE I");
      assertEquals(new TextDecoder().decode(await client.retrieve("old")), `old in ${home}`);
      if (!mayWrite) continue;
      await client.store("new", new TextEncoder().encode("new"));
      assertEquals(await Deno.readTextFile(`${installation.path}/${home}/new`), "new");
    }
    assertEquals(server.lines.filter((line) => line.includes("risk ")), []);
  });

  Deno.test(`ftpsd permissions prints nothing that could be left out: ${what}`, async () => {
    await using installation = await install(typical);
    const { flags, args } = await lineOf(installation);
    const cases = flags.flatMap((flag) => lessOf(flag, flags));
    assertGreater(cases.length, flags.length - 1);
    for (const { left, missing } of cases) {
      const { code, stdout, stderr } = await runMain({ flags: left, args });
      const [error = "", hint = "", ...rest] = stderr.split("\n");
      assertEquals([code, stdout, rest], [1, "", [""]], `${missing} of ${flags.join(" ")}:\n${stderr}`);
      assertStringIncludes(error, missing);
      assertStringIncludes(hint, missing);
    }
  });

  Deno.test(`ftpsd permissions holds the same flags with --systemd and --compose: ${what}`, async () => {
    await using installation = await install(typical);
    const { flags, args } = await lineOf(installation);
    const command = (program: string) => ["run", "--no-prompt", ...flags, program, "serve", ...args];
    const compose = parse(await printed(installation, "--compose"), { schema: "core" }) as {
      readonly services: { readonly ftpsd: { readonly command: string[]; readonly volumes: string[] } };
    };
    assertEquals(compose.services.ftpsd.command, command(PUBLISHED));
    const { volumes } = compose.services.ftpsd;
    for (const { home, mayWrite } of accounts) {
      const path = `${installation.path}/${home}`;
      assertEquals(volumes.filter((volume) => volume.startsWith(`${path}:`)), [
        `${path}:${path}${mayWrite ? "" : ":ro"}`,
      ]);
    }
    const unit = await printed(installation, "--systemd");
    const quoted = command(MAIN).map((word) => word.includes(" ") ? `"${word}"` : word).join(" ");
    assertStringIncludes(unit, `\nExecStart=/usr/bin/deno ${quoted}\n`);
  });
}

/** The flags without one of them, and without each one value of it. */
function lessOf(flag: string, flags: readonly string[]): { readonly left: string[]; readonly missing: string }[] {
  const [name = "", list = ""] = flag.split("=");
  const others = flags.filter((other) => other !== flag);
  const values = list.split(",");
  const partly = values.length < 2 ? [] : values.map((value) => ({
    left: [...others, `${name}=${values.filter((other) => other !== value).join(",")}`],
    missing: value.includes(" ") ? `${name}='${value}'` : `${name}=${value}`,
  }));
  return [{ left: others, missing: name }, ...partly];
}

Deno.test("ftpsd permissions refuses --systemd and --compose together", async () => {
  await using installation = await Installation.create(USER);
  const args = ["permissions", "--config", installation.file, "--systemd", "--compose"];
  const { code, stderr } = await runMain({ flags: [`--allow-read=${installation.path}`], args });
  assertEquals(code, 2);
  assertStringIncludes(stderr, "error: --systemd and --compose together");
});

Deno.test("ftpsd permissions --systemd=true prints the unit of --systemd", async () => {
  await using installation = await Installation.create(USER);
  const args = ["permissions", "--config", installation.file];
  const flags = [`--allow-read=${installation.path}`];
  const plain = await runMain({ flags, args: [...args, "--systemd"] });
  assertEquals((await runMain({ flags, args: [...args, "--systemd=true"] })).stdout, plain.stdout);
  assertStringIncludes(plain.stdout, "[Service]");
});
