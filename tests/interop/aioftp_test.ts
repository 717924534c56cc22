import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { packageVersion } from "./package_version.ts";

testClient({
  name: "aioftp",
  origin: "Debian: python3-aioftp",
  needs: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/aioftp/__init__.py"],
  tls: "OpenSSL",
  protections: ["implicit"],
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
    "abort",
  ],
  also: ["IPv6", "refuses unknown certificates", "UTF-8 names", "odd names"],
  remark: "takes the entry `type=cdir` of MLSD, the listed folder itself, for one named `.`, as it does with ProFTPD " +
    "1.3.8 and Pure-FTPd 1.0.50 (there with `..`); programs leave it out by its type",
  distrust: /CERTIFICATE_VERIFY_FAILED/,
  version: () => packageVersion("python3-aioftp"),
  run: (target, steps) => runDriver(["/usr/bin/python3", driverPath("aioftp_client.py")], target, steps),
});
