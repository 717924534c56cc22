import { testClient } from "./client_suite.ts";
import { driverPath, nodeModule, runDriver } from "./driver.ts";
import type { Defect } from "./real_client.ts";
import { nodeModuleVersion } from "./package_version.ts";

const IMPLICIT: Defect = {
  reason: "starts no TLS on data connections",
  evidence: /TLS handshake failed/,
};

testClient({
  name: "promise-ftp",
  origin: "npm: promise-ftp, on Node",
  needs: ["node", nodeModule("promise-ftp")],
  tls: "OpenSSL",
  protections: ["explicit", "implicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete", "abort"],
  also: ["refuses unknown certificates", "UTF-8 names", "odd names"],
  defects: {
    "implicit TLS 1.2": IMPLICIT,
    "implicit TLS 1.3": IMPLICIT,
    abort: {
      reason: "sends ABOR only when the transfer has ended",
      evidence: /ABOR is not answered/,
    },
    "empty files": {
      reason:
        "can close the data connection of an empty upload before the TLS handshake, and is told that it has failed",
      evidence: /TLS handshake failed/,
      sometimes: true,
    },
  },
  distrust: /certificate|UnknownIssuer/i,
  version: () => nodeModuleVersion("promise-ftp"),
  run: (target, steps) => runDriver(["node", driverPath("promise_ftp.mjs")], target, steps),
});
