import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { versionIn } from "./run_client.ts";

testClient({
  name: "PHP ftp",
  origin: "Debian: php-cli",
  needs: ["php"],
  tls: "OpenSSL",
  protections: ["explicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete"],
  also: [
    "IPv6",
    "active mode",
    "active mode over IPv6",
    "resumes TLS 1.3 sessions",
    "UTF-8 names",
    "odd names",
  ],
  defects: {
    "resumes TLS 1.2 sessions": {
      reason: "works once: OpenSSL forgets the session for which the server has sent a newer ticket (RFC 5077 §3.3)",
      evidence: /SSL read failed|TLS session reuse/,
    },
  },

  async version(): Promise<string> {
    return versionIn(await requireProgram("php", ["--version"]));
  },

  run: (target, steps) => runDriver(["php", driverPath("ftp.php")], target, steps),
});
