import { testClient } from "./client_suite.ts";
import { driverPath, nodeModule, runDriver } from "./driver.ts";
import type { Defect } from "./real_client.ts";
import { nodeModuleVersion } from "./package_version.ts";

const EMPTY: Defect = {
  reason:
    "can end the data connection of an empty upload in the middle of the TLS handshake, and is told that it has failed; " +
    "nothing is stored then",
  evidence: /42[56] /,
  sometimes: true,
};

testClient({
  name: "basic-ftp on Node",
  origin: "npm: basic-ftp, on Node",
  needs: ["node", nodeModule("basic-ftp")],
  tls: "OpenSSL",
  protections: ["explicit", "implicit"],
  operations: [
    "list",
    "get",
    "put",
    "resumeGet",
    "resumePut",
    "rename",
    "mkdir",
    "rmdir",
    "delete",
    "mirrorGet",
    "mirrorPut",
  ],
  also: ["IPv6", "refuses unknown certificates", "UTF-8 names", "odd names"],
  defects: { "empty files": EMPTY, "mirror put": EMPTY },
  distrust: /certificate|self-signed|UnknownIssuer/i,
  version: () => nodeModuleVersion("basic-ftp"),
  run: (target, steps) => runDriver(["node", driverPath("basic_ftp.mjs")], target, steps),
});
