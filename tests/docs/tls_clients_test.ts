import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readIdentity } from "../../lib/protocol/certificate_identity.ts";
import { RevocationLists } from "../../lib/transport/revocation_list.ts";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import type { TlsOptions } from "../../lib/settings/options.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { programTest } from "../helpers/client_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { testCertificate } from "../helpers/test_server.ts";
import { codeBlocks, readPage, ROOT } from "./pages.ts";
import { ShellScript } from "./shell_script.ts";

const PASSWORD = "correct horse battery staple";
const COMMONS_NET = "/usr/share/java/commons-net.jar";
const BLOCKS = codeBlocks(readPage("docs/tls.md"));

/** The blocks below the heading of a client. */
function blocksOf(client: string): string[] {
  const blocks = BLOCKS.filter(({ section }) => section === client).map(({ text }) => text);
  assert(blocks.length > 0, `docs/tls.md has no block for ${client}`);
  return blocks;
}

/** The server of the page, a folder for its clients, and what the page leaves to them. */
class Office implements AsyncDisposable {
  readonly #server: FtpServer;
  readonly #client: TemporaryFolder;
  readonly #home: TemporaryFolder;

  private constructor(server: FtpServer, folders: { client: TemporaryFolder; home: TemporaryFolder }) {
    this.#server = server;
    this.#client = folders.client;
    this.#home = folders.home;
  }

  static async open(tls: TlsOptions = {}): Promise<Office> {
    const [client, home, pair] = await Promise.all([
      TemporaryFolder.create(),
      TemporaryFolder.create(),
      testCertificate(),
    ]);
    await Deno.writeTextFile(`${client.path}/server.crt`, pair.certificate);
    for (const folder of [client, home]) await Deno.writeTextFile(`${folder.path}/report.pdf`, "report\n");
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser("alice", PASSWORD, home.path, { permissions: "elradfmwMT" });
    const listen = [{ port: 0 }, { port: 0, tls: "implicit" as const }];
    const server = new FtpServer({ authorizer, listen, tls: { ...pair, ...tls } });
    await server.listen();
    return new Office(server, { client, home });
  }

  get folder(): string {
    return this.#client.path;
  }

  /** Puts a host and ports of this test in the place of the page's. */
  here(text: string): string {
    const [explicit, implicit] = this.#server.addresses.map(({ port }) => String(port));
    return text.replaceAll("ftp.example.org", "localhost")
      .replaceAll("2121", explicit ?? "").replaceAll("2990", implicit ?? "");
  }

  /** Runs lines of the shell as they are after that; tells what they have written. */
  async run(text: string): Promise<string> {
    const env = { FTP_PASSWORD: PASSWORD, RCLONE_CONFIG: `${this.folder}/rclone.conf`, LC_ALL: "C.UTF-8" };
    return await ShellScript.run(this.here(text), { folder: this.folder, env });
  }

  /** Writes a program, and runs a line that names it. */
  async runProgram(name: string, text: string, line: string): Promise<string> {
    await Deno.writeTextFile(`${this.folder}/${name}`, this.here(text));
    return await this.run(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await this.#client[Symbol.asyncDispose]();
    await this.#home[Symbol.asyncDispose]();
  }
}

function clientTest(client: string, programs: readonly string[], fn: (office: Office) => Promise<void>): void {
  const name = `docs/tls.md: what it shows for ${client} works`;
  const isMissing = (need: string) => programTest({ program: need, name, fn: () => {} }).name !== name;
  const program = programs.find(isMissing) ?? programs[0] ?? "";
  Deno.test(programTest({
    program,
    name,
    fn: async () => {
      await using office = await Office.open();
      await fn(office);
    },
  }));
}

/** Lines of a block. */
function linesOf(block: string | undefined): string[] {
  return (block ?? "").trimEnd().split("\n");
}

clientTest("curl", ["curl"], async (office) => {
  const [block] = blocksOf("curl");
  const typed = linesOf(block).map((line) => line.replace("-u alice", `-sS --max-time 20 -u 'alice:${PASSWORD}'`));
  assertEquals(typed.length, 3);
  const [list = "", upload = "", implicit = ""] = typed;
  await Deno.writeTextFile(`${office.folder}/report.pdf`, "a longer report\n");
  assertMatch(await office.run(upload), /^$/);
  assertMatch(await office.run(list), / 16 .* report\.pdf/);
  assertMatch(await office.run(implicit), / 16 .* report\.pdf/);
});

clientTest("lftp", ["lftp"], async (office) => {
  const [block] = blocksOf("lftp");
  for (const line of linesOf(block)) {
    const typed = line.replace("' -u alice", `; set net:max-retries 1; cls; bye' -u 'alice,${PASSWORD}'`);
    assertEquals(await office.run(typed), "report.pdf\n");
  }
});

clientTest("rclone", ["rclone"], async (office) => {
  const [block = ""] = blocksOf("rclone");
  assertMatch(await office.run(block), /^report\.pdf$/m);
});

clientTest("Wget", ["wget"], async (office) => {
  const [block] = blocksOf("Wget");
  const [line = ""] = linesOf(block);
  const typed = line.replace("--ask-password", `--password='${PASSWORD}' --tries=1 --quiet -O -`);
  assertEquals(await office.run(typed), "report\n");
  assertEquals(await office.run(typed.replace("--ftps-implicit ", "").replace("2990", "2121")), "report\n");
});

clientTest("Python", ["python3"], async (office) => {
  const [program = ""] = blocksOf("Python");
  assertEquals(await office.runProgram("list.py", program, "python3 list.py"), "['report.pdf']\n");
});

Deno.test(programTest({
  program: "python3",
  name: "docs/tls.md: its class for Python resumes sessions where they must be resumed",
  fn: async () => {
    await using office = await Office.open({ sessionReuse: "require" });
    const [program = "", resuming = ""] = blocksOf("Python");
    const [imports = "", rest = ""] = program.split(/(?=^context = )/m);
    const both = `${imports}${resuming}${rest.replace("ftplib.FTP_TLS(", "ResumingFtp(")}`
      .replace("print(ftp.nlst())", "print(ftp.nlst(), ftp.nlst())");
    assertEquals(await office.runProgram("resume.py", both, "python3 resume.py"), "['report.pdf'] ['report.pdf']\n");
    await assertRejects(() => office.runProgram("list.py", program, "python3 list.py"), Error, "522 TLS session reuse");
  },
}));

clientTest("Java", ["java", "ecj", "keytool", COMMONS_NET], async (office) => {
  const [store = "", program = ""] = blocksOf("Java");
  const [, flags = ""] = /Run it with (.*) \*\//.exec(program) ?? [];
  const compile = `ecj -17 -proc:none -cp ${COMMONS_NET} ListFiles.java`;
  const run = `java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${flags} -cp .:${COMMONS_NET} ListFiles`;
  const output = await office.runProgram("ListFiles.java", program, `${store.trim()} 2>/dev/null\n${compile}\n${run}`);
  assertEquals(output, "report.pdf\n");
});

Deno.test("docs/tls.md: what it shows for Node works, on Deno", async () => {
  await using office = await Office.open();
  const [program = ""] = blocksOf("Node");
  const config = new URL("deno.json", ROOT).pathname;
  const flags = `--quiet --no-prompt --allow-net --allow-read --allow-env --config ${config}`;
  const line = `${Deno.execPath()} run ${flags} list.mjs`;
  assertEquals(await office.runProgram("list.mjs", program, line), '[ "report.pdf" ]\n');
});

clientTest("PHP", ["php"], async (office) => {
  const [program = ""] = blocksOf("PHP");
  assertMatch(await office.runProgram("list.php", program, "php list.php"), /\[0\] => report\.pdf/);
});

Deno.test(programTest({
  program: "openssl",
  name: "docs/tls.md: its lines make a certificate for a client that is accepted where clients must have one",
  fn: async () => {
    const [make = ""] = BLOCKS.filter(({ section }) => section === "Client certificates").map(({ text }) => text);
    await using folder = await TemporaryFolder.create();
    await ShellScript.run(make, { folder: folder.path });
    const ca = await Deno.readTextFile(`${folder.path}/devices-ca.crt`);
    await using office = await Office.open({ clientCertificates: { mode: "require", ca } });
    const line = `curl -sS --max-time 20 --ssl-reqd --cacert server.crt -u 'alice:${PASSWORD}'`;
    const own = `--cert ${folder.path}/scanner-1.crt --key ${folder.path}/scanner-1.key`;
    assertMatch(await office.run(`${line} ${own} ftp://localhost:2121/`), / report\.pdf/);
    await assertRejects(() => office.run(`${line} ftp://localhost:2121/`), Error, "certificate required");
  },
}));

Deno.test(programTest({
  program: "openssl",
  name: "docs/tls.md: its lines revoke that certificate",
  fn: async () => {
    const lines = BLOCKS.filter(({ section }) => /^(?:Client|Revoked) certificates$/.test(section));
    await using folder = await TemporaryFolder.create();
    for (const { text } of lines) await ShellScript.run(text, { folder: folder.path });
    const [ca = "", crl = "", client = ""] = await Promise.all(
      ["devices-ca.crt", "devices.crl", "scanner-1.crt"].map((name) => Deno.readTextFile(`${folder.path}/${name}`)),
    );
    const lists = new RevocationLists(crl, ca);
    assertEquals(lists.findReason(readIdentity(new X509Certificate(client).raw), new Date()), "it was revoked");
  },
}));
