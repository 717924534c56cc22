import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { packageVersion } from "./package_version.ts";

testClient({
  name: "PycURL",
  origin: "Debian: python3-pycurl",
  needs: ["/usr/bin/python3", "/usr/share/doc/python3-pycurl/copyright"],
  tls: "GnuTLS",
  protections: ["explicit", "implicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete"],
  also: [
    "IPv6",
    "refuses unknown certificates",
    "UTF-8 names",
    "odd names",
  ],
  distrust: /certificate/,
  version: () => packageVersion("python3-pycurl"),
  run: (target, steps) => runDriver(["/usr/bin/python3", driverPath("pycurl_client.py")], target, steps),
});
