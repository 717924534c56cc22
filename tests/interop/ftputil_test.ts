import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { packageVersion } from "./package_version.ts";

testClient({
  name: "ftputil",
  origin: "Debian: python3-ftputil",
  needs: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/ftputil/__init__.py"],
  tls: "OpenSSL",
  protections: ["explicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete"],
  also: ["IPv6", "active mode", "active mode over IPv6", "refuses unknown certificates", "UTF-8 names", "odd names"],
  distrust: /CERTIFICATE_VERIFY_FAILED/,
  version: () => packageVersion("python3-ftputil"),
  run: (target, steps) => runDriver(["/usr/bin/python3", driverPath("ftputil_client.py")], target, steps),
});
