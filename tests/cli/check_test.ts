import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { checkCommand } from "../../lib/cli/check.ts";
import { RISK_IDS, RISKS } from "../../lib/settings/risks.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { HASH, Installation, USER } from "./installation.ts";
import { readFlags, runMain, writeFlags } from "./spawned_server.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const TLS_FILES = "tls: { certificate: server.crt, key: server.key }\n";

interface Checked {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function check(
  { path, file }: Installation,
  options: { readonly args?: readonly string[]; readonly flags?: (folder: string) => string[] } = {},
): Promise<Checked> {
  const { args = [], flags = readFlags } = options;
  return runMain({ flags: flags(path), args: ["check", "--config", file, ...args] });
}

/** Files, what is found in them, and the exit status; FOLDER stands for their folder. */
const FILES: readonly {
  readonly what: string;
  readonly text: string;
  readonly code: 0 | 2;
  readonly findings: readonly string[];
  readonly flags?: (folder: string) => string[];
  readonly prepare?: (installation: Installation) => Promise<void>;
}[] = [
  { what: "nothing", text: USER, code: 0, findings: [] },
  {
    what: "a wrong value, a misspelt key and a syntax that holds",
    text: `baner: Hello.\ntimes: swiss\n${USER}`,
    code: 2,
    findings: [
      "error: FOLDER/ftpsd.yaml:1: baner: unknown key; did you mean banner?",
      "error: FOLDER/ftpsd.yaml:2: times: ",
    ],
  },
  { what: "bad syntax", text: `${USER}bad: [`, code: 2, findings: ["error: FOLDER/ftpsd.yaml:5: not YAML: "] },
  {
    what: "several problems at once",
    text: `tls: { policy: control }\n${USER.replace(HASH, "secret").replace("home: home", "home: none")}`,
    code: 2,
    findings: [
      "risk: users[0].password: the password of user is in clear",
      "error: users[0].home: FOLDER/none does not exist",
      "risk: tls.policy control: ",
    ],
  },
  {
    what: "a home that is a file",
    text: USER.replace("home: home", "home: ftpsd.yaml"),
    code: 2,
    findings: ["error: users[0].home: FOLDER/ftpsd.yaml is not a folder"],
  },
  {
    what: "an accepted risk",
    text: `${USER.replace(HASH, "secret")}acceptRisks: [{ risk: plaintext-password, reason: a test }]\n`,
    code: 0,
    findings: ["accepted: users[0].password: "],
  },
  {
    what: "an acceptance that has ended",
    text: `${
      USER.replace(HASH, "s3cret")
    }acceptRisks: [{ risk: plaintext-password, reason: a test, until: 2020-01-31 }]\n`,
    code: 2,
    findings: [
      "risk: users[0].password: ",
      "warning: acceptRisks[0]: the acceptance of plaintext-password ended on 2020-01-31",
    ],
  },
  {
    what: "a cheap hash",
    text: USER.replace("ln=17", "ln=12"),
    code: 0,
    findings: ["warning: users[0].password: the hash of user should be made anew: "],
  },
  {
    what: "a damaged hash",
    text: USER.replace("ln=17", "ln=17x"),
    code: 2,
    findings: ["error: users[0].password: "],
  },
  {
    what: "a doubtful network",
    text: `listen: [{ host: 0.0.0.0 }]\npassive: { address: 10.0.0.1, ports: 5000-5100 }\n${USER}`,
    code: 0,
    findings: [
      "warning: passive.address: 10.0.0.1 is private",
      "warning: passive.ports: has 5060, 5061, which",
      "warning: permissions: wider than needed: --allow-net;",
    ],
    flags: (folder) => ["--allow-net", `--allow-read=${folder}`],
  },
  {
    what: "an expired certificate",
    text: `${TLS_FILES}${USER}`,
    code: 2,
    findings: ["error: tls.certificate: expired on "],
    prepare: (installation) => installCertificate(installation, { now: new Date(Date.now() - 60 * DAY_MS) }),
  },
  {
    what: "a certificate that will expire",
    text: `${TLS_FILES}${USER}`,
    code: 0,
    findings: ["warning: tls.certificate: expires on "],
    prepare: (installation) => installCertificate(installation, { validForDays: 13 }),
  },
  {
    what: "a certificate that is not valid yet",
    text: `${TLS_FILES}${USER}`,
    code: 2,
    findings: ["error: tls.certificate: is valid only from "],
    prepare: (installation) => installCertificate(installation, { now: new Date(Date.now() + 2 * DAY_MS) }),
  },
  {
    what: "a certificate that is not there",
    text: `${TLS_FILES}${USER}`,
    code: 2,
    findings: ["error: tls.certificate: no such file: FOLDER/server.crt"],
  },
  {
    what: "permissions that are missing",
    text: `${USER}    permissions: elrw\n`,
    code: 2,
    findings: ["error: permissions: Deno does not permit what this needs; add --allow-write=FOLDER/home"],
  },
  {
    what: "what is wrong besides missing permissions",
    text: `tls: { policy: "off" }\n${USER.replace("ln=17", "ln=17x")}    permissions: elrw\n`,
    code: 2,
    findings: [
      "error: permissions: ",
      "error: users[0].password: ",
      "risk: tls.policy",
      "risk: tls.policy",
    ],
  },
  {
    what: "permissions that nobody needs",
    text: USER,
    code: 2,
    findings: ["risk: permissions: not needed: --allow-write"],
    flags: (folder) => [...writeFlags(folder).slice(0, 2), "--allow-write"],
  },
  { what: "a ban without a window", text: `ban: { window: 0 }\n${USER}`, code: 2, findings: ["error: "] },
];

async function installCertificate(
  installation: Installation,
  options: { readonly now?: Date; readonly validForDays?: number },
): Promise<void> {
  await installation.install(await createEphemeralCertificate({ names: ["127.0.0.1"], ...options }));
}

for (const { what, text, code, findings, prepare, ...options } of FILES) {
  Deno.test(`ftpsd check finds ${what}: status ${code}`, async () => {
    await using installation = await Installation.create(text);
    await prepare?.(installation);
    const checked = await check(installation, options);
    const [verdict, ...lines] = checked.stdout.trimEnd().split("\n").reverse();
    assertEquals([checked.code, checked.stderr], [code, ""]);
    assertMatch(verdict ?? "", code === 0 ? /^the server would start$/ : /^the server would not start: \d obstacles?$/);
    assertEquals(lines.length, findings.length, checked.stdout);
    for (const [index, finding] of findings.entries()) {
      const line = lines.toReversed()[index] ?? "";
      const wanted = finding.replaceAll("FOLDER", installation.path);
      assertEquals(line.slice(0, wanted.length), wanted);
    }

    const json = await check(installation, { ...options, args: ["--format", "json"] });
    const { clean, findings: found } = JSON.parse(json.stdout);
    assertEquals([json.code, clean, found.length], [code, code === 0, findings.length]);
    assert(
      found.every((finding: { readonly severity: string; readonly message: string }) =>
        ["error", "risk", "warning"].includes(finding.severity) && finding.message !== ""
      ),
    );
  });
}

Deno.test("ftpsd check --print shows the settings as they hold, and no secret", async () => {
  await using installation = await Installation.create(
    `banner: Hello.\n${USER}  - { name: bob, password: tr0ub4dor, home: home }\nacceptRisks: [{ risk: plaintext-password, reason: a test }]\n`,
  );
  for (const format of ["text", "json"]) {
    const { code, stdout } = await check(installation, { args: ["--print", "--format", format] });
    assertEquals(code, 0);
    const settings = format === "json"
      ? JSON.parse(stdout).settings
      : JSON.parse(stdout.slice(0, stdout.lastIndexOf("}") + 1));
    assertEquals([settings.banner, settings.timeouts.idle, settings.users.length], ["Hello.", 300, 2]);
    assertEquals(settings.users.map(({ password }: { readonly password: string }) => password), ["***", "***"]);
    for (const secret of [HASH, "$scrypt", HASH.slice(-20), "tr0ub4dor"]) assert(!stdout.includes(secret), secret);
  }
});

Deno.test("ftpsd check --print shows no password of the command line, nor one of a file", async () => {
  await using installation = await Installation.create("");
  const file = `${installation.path}/password`;
  await Deno.writeTextFile(file, "tr0ub4dor\n", { mode: 0o600 });
  for (const password of [["-P", "tr0ub4dor"], ["--password-file", file]]) {
    const args = ["check", installation.home, "-u", "bob", ...password, "--print"];
    const { code, stdout, stderr } = await runMain({ flags: readFlags(installation.path), args });
    assertEquals(code, 0, stdout);
    assert(!`${stdout}${stderr}`.includes("tr0ub4dor"), stdout);
  }
});

Deno.test("ftpsd check --explain says of each risk what can happen and what to do, without any permission", async () => {
  for (const id of RISK_IDS) {
    const { output } = await checkCommand(["--explain", id]);
    for (const text of [id, RISKS[id].title, RISKS[id].danger, RISKS[id].instead]) assertStringIncludes(output, text);
  }
  const { code, stdout } = await runMain({ flags: [], args: ["check", "--explain", "anonymous-write"] });
  assertEquals(code, 0);
  assertStringIncludes(stdout, RISKS["anonymous-write"].title);
});

/** Command lines that cannot be used. */
const REFUSED: readonly (readonly [args: string, error: string])[] = [
  ["--explain everything", 'there is no risk "everything" (--explain)'],
  ["--format xml", '"xml" is not one of text, json (--format)'],
  ["--fromat json", "unknown option --fromat; did you mean --format?"],
];

for (const [args, error] of REFUSED) {
  Deno.test(`ftpsd check ${args} ends with status 2`, async () => {
    const { code, stderr } = await runMain({ flags: [], args: ["check", ...args.split(" ")] });
    assertEquals(code, 2);
    assertStringIncludes(stderr, `error: ${error}\nhint: `);
  });
}

Deno.test("ftpsd check says which flag is missing to read the file", async () => {
  await using installation = await Installation.create(USER);
  const { code, stdout } = await check(installation, { flags: () => [] });
  assertEquals(code, 2);
  assertStringIncludes(stdout, `--allow-read=${installation.file}`);
});
