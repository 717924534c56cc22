import { testClient } from "./client_suite.ts";
import { driverPath, nodeModule, runDriver } from "./driver.ts";
import type { Defect } from "./real_client.ts";
import { nodeModuleVersion } from "./package_version.ts";

const IMPLICIT: Defect = {
  reason: "waits for a TLS handshake on a connection that it has not made",
  evidence: /Timeout while connecting to server/,
};

testClient({
  name: "node-ftp",
  origin: "npm: ftp, on Node",
  needs: ["node", nodeModule("ftp")],
  tls: "OpenSSL",
  protections: ["explicit", "implicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete", "abort"],
  also: ["refuses unknown certificates", "odd names"],
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
    "UTF-8 names": { reason: "reads listings as Latin-1", evidence: /UmlÃ¤ute/ },
  },
  distrust: /certificate|UnknownIssuer/i,
  version: () => nodeModuleVersion("ftp"),
  run: (target, steps) => runDriver(["node", driverPath("node_ftp.mjs")], target, steps),
});
