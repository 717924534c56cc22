import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { versionIn } from "./run_client.ts";

testClient({
  name: "Perl Net::FTP",
  origin: "Debian: perl, libio-socket-ssl-perl",
  needs: ["perl", "/usr/share/perl5/IO/Socket/SSL.pm"],
  tls: "OpenSSL",
  protections: ["explicit", "implicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete", "abort"],
  also: [
    "IPv6",
    "active mode",
    "active mode over IPv6",
    "refuses unknown certificates",
    "UTF-8 names",
    "odd names",
  ],
  defects: {
    abort: {
      reason: "sends Telnet's IP in clear into the TLS connection, which ends it (alert decode_error)",
      evidence: /abort: .*Connection closed/,
    },
  },
  distrust: /certificate verify failed/,

  async version(): Promise<string> {
    return versionIn(await requireProgram("perl", ["-MNet::FTP", "-e", "print $Net::FTP::VERSION"]));
  },

  run: (target, steps) => runDriver(["perl", driverPath("net_ftp.pl")], target, steps),
});
