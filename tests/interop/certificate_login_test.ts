import { assertEquals } from "@std/assert";
import { AccountRules } from "../../lib/accounts/account_rules.ts";
import { CertificateDemand } from "../../lib/accounts/certificate_demand.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { programTest } from "../helpers/client_program.ts";
import { runProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";
import { issue } from "../transport/client_pki.ts";

const CA = await issue("CA", { isAuthority: true });
const ALICE = await issue("alice", { issuer: CA });

const FTPLIB = `
import ftplib, ssl, sys
port, password = sys.argv[1:]
context = ssl.create_default_context(cafile="server.crt")
context.load_cert_chain("client.crt", "client.key")
ftp = ftplib.FTP_TLS(context=context)
ftp.connect("localhost", int(port))
ftp.login("alice", password)
ftp.prot_p()
ftp.retrbinary("RETR file.txt", sys.stdout.buffer.write)
ftp.quit()
`;

/** What each client is told, for a port and a password. */
const CLIENTS: Readonly<Record<string, (port: number, password: string) => readonly string[]>> = {
  curl: (port, password) => [
    ...[
      "-sS",
      "--max-time",
      "20",
      "--ssl-reqd",
      "--cacert",
      "server.crt",
      "--cert",
      "client.crt",
      "--key",
      "client.key",
    ],
    ...["-u", `alice:${password}`, `ftp://localhost:${port}/file.txt`],
  ],
  lftp: (port, password) => [
    "-e",
    "set ssl:ca-file server.crt; set ssl:cert-file client.crt; set ssl:key-file client.key; set ftp:ssl-force yes; " +
    `set net:max-retries 1; open -u alice,${password} -p ${port} localhost; cat file.txt; bye`,
  ],
  python3: (port, password) => ["-c", FTPLIB, String(port), password],
};

for (const [program, argsOf] of Object.entries(CLIENTS)) {
  Deno.test(programTest({
    program,
    name:
      `${program} logs in by its certificate alone, whatever password it has, and with a password where both are needed`,
    fn: async () => {
      for (const login of ["alone", "withPassword"] as const) {
        await using folder = await TemporaryFolder.create();
        const certificates = new CertificateDemand({ login, match: [{ subject: "CN=alice" }] });
        const authorizer = new VirtualAuthorizer();
        await Deno.mkdir(`${folder.path}/home`);
        await Deno.writeTextFile(`${folder.path}/home/file.txt`, "hello\n");
        authorizer.addUser("alice", "12345", `${folder.path}/home`, { rules: new AccountRules({ certificates }) });
        const tls = { clientCertificates: { mode: "request", ca: CA.certificate } } as const;
        await using server = await TestServer.start({ server: { authorizer, tls } });
        await Deno.writeTextFile(`${folder.path}/server.crt`, server.caCert);
        await Deno.writeTextFile(`${folder.path}/client.crt`, ALICE.chain);
        await Deno.writeTextFile(`${folder.path}/client.key`, ALICE.key, { mode: 0o600 });
        for (const password of login === "alone" ? ["", "wrong"] : ["12345"]) {
          const { stdout } = await runProgram(program, argsOf(server.port, password), { cwd: folder.path });
          assertEquals(stdout, "hello\n", `${login}, password "${password}"`);
        }
        if (login === "alone") assertEquals(server.events.filter(({ event }) => event === "loginFailed"), []);
      }
    },
  }));
}
