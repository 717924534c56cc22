import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { RISK_IDS, type RiskId } from "../../lib/settings/risks.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { HASH, Installation, USER } from "./installation.ts";
import { readFlags, runMain, type ServerOptions, SpawnedServer, writeFlags } from "./spawned_server.ts";

/** A configuration that has one risk, beside those that cannot be without it. */
interface RiskyConfiguration {
  readonly risk: RiskId;
  /** Risks that come with it, and are accepted from the start. */
  readonly with?: readonly RiskId[];
  readonly text: string;
  /** The line of the file that has it; absent: none has. */
  readonly line?: number;
  /** Permission flags for a folder; absent: reading. */
  readonly flags?: (folder: string) => string[];
  /** Makes what the configuration names. */
  readonly prepare?: (installation: Installation) => Promise<void>;
}

const ALL_ADDRESSES = (folder: string) => ["--allow-net", `--allow-read=${folder}`];

const RISKY: readonly RiskyConfiguration[] = [
  {
    risk: "anonymous-write",
    text: "anonymous:\n  home: home\n  permissions: elrw\n",
    line: 3,
    flags: writeFlags,
  },
  { risk: "clear-text-control", with: ["clear-text-data"], text: `tls:\n  policy: optional\n${USER}`, line: 2 },
  { risk: "clear-text-data", text: `tls:\n  policy: control\n${USER}`, line: 2 },
  { risk: "plaintext-password", text: USER.replace(HASH, "secret"), line: 3 },
  {
    risk: "foreign-data-address",
    text: `active:\n  enabled: true\n  foreignAddresses: true\n${USER}`,
    line: 3,
    flags: ALL_ADDRESSES,
  },
  {
    risk: "privileged-data-port",
    text: `active:\n  enabled: true\n  privilegedPorts: true\n${USER}`,
    line: 3,
    flags: ALL_ADDRESSES,
  },
  {
    risk: "clear-text-store",
    text:
      "stores:\n  s: { type: s3, endpoint: 'http://127.0.0.1:9', bucket: files, accessKeyFile: id, secretKeyFile: key }\n" +
      USER,
    line: 2,
    prepare: async ({ path }) => {
      for (const name of ["id", "key"]) await Deno.writeTextFile(`${path}/${name}`, "word", { mode: 0o600 });
    },
  },
  {
    risk: "admin-beyond-loopback",
    text: `admin:\n  host: 0.0.0.0\n  port: 0\n  tokenFile: token\n${USER}`,
    line: 2,
    flags: ALL_ADDRESSES,
    prepare: ({ path }) => Deno.writeTextFile(`${path}/token`, "t".repeat(32), { mode: 0o600 }),
  },
  {
    risk: "clear-text-hook",
    text: "hooks:\n  queue: hooks.db\n  fileReceived:\n    url: http://127.0.0.1:9\n    tokenFile: token\n" + USER,
    line: 4,
    flags: (folder) => ["--allow-net=127.0.0.1", `--allow-read=${folder}`, `--allow-write=${folder}/hooks.db`],
    prepare: ({ path }) => Deno.writeTextFile(`${path}/token`, "0123456789abcdef01234567", { mode: 0o600 }),
  },
  {
    risk: "clear-text-directory",
    text: "accounts:\n  - type: file\n  - type: http\n    url: http://127.0.0.1:9\n    tokenFile: token\n" + USER,
    line: 4,
    flags: (folder) => ["--allow-net=127.0.0.1", `--allow-read=${folder}`],
    prepare: ({ path }) => Deno.writeTextFile(`${path}/token`, "0123456789abcdef", { mode: 0o600 }),
  },
  {
    risk: "root-directory-home",
    text: USER.replace("home: home", "home: /"),
    line: 4,
    flags: () => ["--allow-net=127.0.0.1", "--allow-read"],
  },
  {
    risk: "home-writable-by-others",
    text: USER,
    line: 4,
    prepare: ({ home }) => Deno.chmod(home, 0o777),
  },
  { risk: "secret-in-home", text: USER.replace("home: home", "home: ."), line: 4 },
  {
    risk: "key-readable-by-others",
    text: `tls:\n  certificate: server.crt\n  key: server.key\n${USER}`,
    line: 3,
    prepare: async (installation) => await installation.install(await pair(), 0o644),
  },
  { risk: "excess-permissions", text: USER, flags: (folder) => [...readFlags(folder), "--allow-run"] },
  { risk: "no-close-notify", text: `tls:\n  requireCloseNotify: false\n${USER}`, line: 2 },
];

async function pair(): Promise<{ readonly certificate: string; readonly key: string }> {
  return await createEphemeralCertificate({ names: ["127.0.0.1"] });
}

/** A program ready to be started with a risky configuration. */
async function install(
  { text, flags = readFlags, prepare, with: others = [] }: RiskyConfiguration,
  acceptance = "",
): Promise<{ readonly installation: Installation; readonly options: ServerOptions }> {
  const accepted = others.map((risk) => `  - { risk: ${risk}, reason: it comes along }\n`).join("");
  const list = accepted + acceptance === "" ? "" : `acceptRisks:\n${accepted}${acceptance}`;
  const installation = await Installation.create(`${text}${list}`);
  await prepare?.(installation);
  return { installation, options: { flags: flags(installation.path), args: ["--config", installation.file] } };
}

/** Starts a server that has to listen, and returns its warnings. */
async function warningsOf(options: ServerOptions): Promise<string[]> {
  await using server = await SpawnedServer.start(options);
  server.kill("SIGTERM");
  assertEquals((await server.exited()).code, 0);
  return server.lines.filter((line) => line.startsWith("[W "));
}

Deno.test("RISKS has a risky configuration for each id here", () => {
  // That of a password file is told on the command line only: run_test.ts. Where to listen is told there, too, in these tests.
  // That of a database needs one: state_database_test.ts.
  const elsewhere: readonly string[] = ["password-readable-by-others", "proxy-from-anywhere", "clear-text-state"];
  const risks = RISK_IDS.filter((risk) => !elsewhere.includes(risk));
  assertEquals(RISKY.map(({ risk }) => risk).sort(), risks.sort());
});

for (const risky of RISKY) {
  const { risk, line } = risky;

  Deno.test(`run() refuses to start with the risk ${risk}, or with an acceptance of it that has ended`, async () => {
    for (const acceptance of ["", `  - { risk: ${risk}, reason: for a while, until: 2020-01-31 }\n`]) {
      const { installation, options } = await install(risky, acceptance);
      await using _installation = installation;
      const { code, stdout, stderr } = await runMain({ ...options, args: ["--port", "0", ...options.args] });
      const [error = "", hint = "", ...rest] = stderr.split("\n");
      // Nothing else is written: no listener was there.
      assertEquals([code, stdout, rest], [2, "", [""]], stderr);
      const place = line === undefined ? "ftpsd.yaml: " : `ftpsd.yaml:${line}: `;
      assertStringIncludes(error, `error: ${installation.path}/${place}`);
      assertStringIncludes(error, `(risk ${risk})`);
      assertEquals(error.endsWith("; its acceptance ended on 2020-01-31"), acceptance !== "", error);
      assertMatch(hint, new RegExp(`^hint: .*(--explain ${risk}|--force-anonymous-write)`));
    }
  });

  Deno.test(`run() starts with the risk ${risk} once it is accepted, with one warning that names it`, async () => {
    const inFile = await install(risky, `  - { risk: ${risk}, reason: a test, until: 2999-12-31 }\n`);
    await using _inFile = inFile.installation;
    const onLine = await install(risky);
    await using _onLine = onLine.installation;
    const args = [...onLine.options.args, "--accept-risk", risk];
    for (const options of [inFile.options, { ...onLine.options, args }]) {
      const warnings = await warningsOf(options);
      assertEquals(warnings.filter((warning) => warning.includes(`risk ${risk} accepted: `)).length, 1);
      const ofRisks = warnings.filter((warning) => warning.includes("] risk "));
      assertEquals(ofRisks.length, 1 + (risky.with ?? []).length, warnings.join("\n"));
    }
  });
}

/** Options that can mean nothing but a risk; WRITE stands for the permission to. */
const MEANT: readonly (readonly [args: string, risks: readonly RiskId[], flags?: (folder: string) => string[]])[] = [
  ["--tls control", ["clear-text-data"]],
  ["--tls optional", ["clear-text-control", "clear-text-data"]],
  ["--tls off", ["clear-text-control", "clear-text-data"]],
  ["--permit-foreign-addresses", ["foreign-data-address"]],
  ["--active --permit-foreign-addresses", ["foreign-data-address", "foreign-data-address"], ALL_ADDRESSES],
  ["--active --permit-privileged-ports", ["privileged-data-port"], ALL_ADDRESSES],
  ["--write --force-anonymous-write", ["anonymous-write"], writeFlags],
];

for (const [args, risks, flags = readFlags] of MEANT) {
  Deno.test(`run() takes ${args} for the acceptance of its risk, and warns`, async () => {
    await using installation = await Installation.create("");
    const { home } = installation;
    const warnings = await warningsOf({ flags: flags(home), args: [home, ...args.split(" ")] });
    assertEquals(warnings.map((warning) => /risk (\S+) accepted/.exec(warning)?.[1]), [...risks]);
  });
}

Deno.test("run() reports each risk that is not accepted, a line for each", async () => {
  await using installation = await Installation.create(
    `tls:\n  policy: "off"\n${USER.replace(HASH, "secret").replace("home: home", "home: none")}`,
  );
  const { code, stderr } = await runMain({
    flags: readFlags(installation.path),
    args: ["--port", "0", "--config", installation.file],
  });
  const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
  assertEquals(code, 2);
  assertEquals(errors.map((error) => /\(risk (\S+)\)|(does not exist)/.exec(error)?.slice(1).find(Boolean)).sort(), [
    "clear-text-control",
    "clear-text-data",
    "does not exist",
    "plaintext-password",
  ]);
});
