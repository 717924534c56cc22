import { assertEquals, assertMatch } from "@std/assert";
import { examine, type Findings, idsOf } from "../doctor/examine.ts";
import { programTest } from "../helpers/client_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { OtherServer, programOf, type ServerName, type ServerSetup } from "./other_servers.ts";

/** What `ftpsd doctor` says of other servers, as docs/doctor.md has it. */
const VERDICTS: readonly {
  readonly name: ServerName;
  readonly setup: ServerSetup;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly notes?: readonly string[];
}[] = [
  {
    name: "vsftpd",
    setup: "shipped",
    errors: ["tls-offered", "clear-text-login"],
    warnings: ["greeting-version", "utf8", "mlsd"],
  },
  {
    name: "vsftpd",
    setup: "tls",
    errors: [],
    warnings: ["greeting-version", "utf8", "mlsd", "session-reuse"],
    notes: ["close-notify"],
  },
  { name: "Pure-FTPd", setup: "shipped", errors: ["tls-offered", "clear-text-login"], warnings: [] },
  { name: "Pure-FTPd", setup: "tls", errors: [], warnings: ["clear-text-data", "close-notify"] },
  { name: "ProFTPD", setup: "shipped", errors: ["tls-offered", "clear-text-login"], warnings: [] },
  { name: "ProFTPD", setup: "tls", errors: [], warnings: ["session-reuse", "close-notify"] },
  {
    name: "pyftpdlib",
    setup: "shipped",
    errors: ["tls-offered", "clear-text-login"],
    warnings: ["greeting-version"],
  },
  {
    name: "pyftpdlib",
    setup: "tls",
    errors: ["clear-text-login"],
    warnings: ["greeting-version", "clear-text-data", "close-notify"],
  },
];

/** Makes a self-signed certificate of RSA, which vsftpd and ProFTPD want. */
async function makePair(folder: string, ...options: string[]): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [`${folder}/made.crt`, `${folder}/made.key`];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  await requireProgram("openssl", [
    ...["req", "-x509", "-nodes", "-days", "90", ...names, "-keyout", key, "-out", certificate],
    ...options.length === 0 ? ["-newkey", "rsa:2048"] : options,
  ]);
  return { certificate, key };
}

for (const { name, setup, errors, warnings, notes = [] } of VERDICTS) {
  const how = setup === "shipped" ? "as it is shipped" : "with TLS";
  Deno.test(programTest({
    program: programOf(name),
    name: `doctor tells the truth about ${name} ${how}`,
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      const pair = await makePair(folder.path);
      const [certificate, key] = await Promise.all([pair.certificate, pair.key].map((path) => Deno.readTextFile(path)));
      const files = { folder: folder.path, certificate: certificate ?? "", key: key ?? "" };
      await using server = await OtherServer.start(name, setup, files);
      const findings = await examine({
        port: server.port,
        ca: certificate,
        isInsecure: false,
        mayUpload: true,
        account: setup === "tls" ? server.account : undefined,
        timeoutMs: 3000,
      });
      const found = (["error", "warning", "note"] as const).map((severity) => idsOf(findings, severity));
      assertEquals(found, [errors, warnings, notes], Deno.inspect(findings));
      assertEquals(await Array.fromAsync(Deno.readDir(`${folder.path}/home`)), []);
    },
  }));
}

/** What doctor says of a port that makes handshakes and knows nothing of FTP. */
async function examineOpenssl(makes: readonly string[], serves: readonly string[]): Promise<Findings> {
  await using folder = await TemporaryFolder.create();
  const { certificate, key } = await makePair(folder.path, ...makes);
  const child = new Deno.Command("openssl", {
    args: ["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, ...serves],
    stdin: "piped", // It ends with its input
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    let port = "";
    while (port === "") {
      const { value, done } = await reader.read();
      if (done) throw new Error(`"openssl s_server" ends: ${said}`);
      said += value;
      port = /ACCEPT .*:(\d+)\n/.exec(said)?.[1] ?? "";
    }
    const drained = (async () => {
      while (!(await reader.read()).done);
    })();
    const findings = await examine({ port: Number(port), mode: "implicit", timeoutMs: 1000 });
    child.kill("SIGKILL");
    await drained;
    return findings;
  } finally {
    await child.stdin.close().catch(() => {}); // It has been killed
    await child.status;
  }
}

Deno.test(programTest({
  program: "openssl",
  name: "doctor finds TLS that is too old",
  fn: async () => {
    const findings = await examineOpenssl([], ["-cipher", "ALL:@SECLEVEL=0", "-no_tls1_2", "-no_tls1_3"]);
    assertEquals(findings["tls-old"]?.finding, "TLS 1.0 and TLS 1.1 accepted");
    assertEquals(findings["tls-1.3"]?.severity, "warning");
    assertEquals(findings["tls-handshake"]?.severity, "error");
    assertEquals(findings["certificate-name"]?.severity, "ok");
  },
}));

Deno.test(programTest({
  program: "openssl",
  name: "doctor finds a key that is of no use",
  fn: async () => {
    const findings = await examineOpenssl(["-newkey", "rsa:1024"], ["-cipher", "ALL:@SECLEVEL=0"]);
    assertMatch(
      findings["certificate-key"]?.finding ?? "",
      /^RSA with 1024 bits \(localhost\): many clients refuse it$/,
    );
    assertEquals(findings["tls-handshake"]?.severity, "error");
  },
}));

Deno.test(programTest({
  program: "openssl",
  name: "doctor finds a signature with SHA-1",
  fn: async () => {
    const options = ["-newkey", "rsa:2048", "-sha1", "-addext", "basicConstraints=critical,CA:FALSE"];
    const findings = await examineOpenssl(options, ["-cipher", "ALL:@SECLEVEL=0"]);
    assertMatch(findings["certificate-signature"]?.finding ?? "", /sha1.*clients refuse it$/);
  },
}));
