import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { versionIn } from "./run_client.ts";

testClient({
  name: "Ruby Net::FTP",
  origin: "Debian: ruby",
  needs: ["ruby"],
  tls: "OpenSSL",
  protections: ["explicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete", "abort"],
  also: [
    "IPv6",
    "active mode",
    "active mode over IPv6",
    "refuses unknown certificates",
    "resumes TLS 1.3 sessions",
    "UTF-8 names",
    "odd names",
  ],
  distrust: /certificate verify failed/,
  defects: {
    "resumes TLS 1.2 sessions": {
      reason: "works once: OpenSSL forgets the session for which the server has sent a newer ticket (RFC 5077 §3.3)",
      evidence: /unexpected eof while reading|522 TLS session reuse/,
    },
  },

  async version(): Promise<string> {
    return versionIn(await requireProgram("ruby", ["-rnet/ftp", "-e", "print Net::FTP::VERSION"]));
  },

  run: (target, steps) => runDriver(["ruby", driverPath("net_ftp.rb")], target, steps),
});
