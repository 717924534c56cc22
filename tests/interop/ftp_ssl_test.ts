import { bsdFtp } from "./bsd_ftp.ts";
import { testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";

testClient({
  name: "ftp-ssl",
  origin: "Debian: ftp-ssl",
  needs: ["ftp-ssl"],
  tls: "OpenSSL",
  protections: ["explicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete", "getMatching"],
  also: ["IPv6", "active mode", "refuses unknown certificates", "UTF-8 names", "odd names"],
  defects: {
    abort: {
      reason: "sends Telnet's IP and Synch in clear into the TLS connection, which ends it (alert decode_error)",
      evidence: /421 Service not available, remote server has closed connection/,
    },
  },
  omitsCloseNotify: true,
  distrust: /certificate|SSL/i,
  version: () => packageVersion("ftp-ssl"),
  ...bsdFtp({
    program: "ftp-ssl",
    args: ({ host, caFile }) => [
      "-n",
      "-v",
      "-g",
      "-i",
      ...host.includes(":") ? ["-6"] : [],
      "-z",
      "secure",
      "-z",
      "verify=1",
      ...caFile === undefined ? [] : ["-z", `cacert=${caFile}`],
    ],
    setup: ({ active }) => [active ? "passive off" : "passive on"],
  }),
});
