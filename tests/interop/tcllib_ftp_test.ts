import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { packageVersion } from "./package_version.ts";

testClient({
  name: "Tcllib ftp",
  origin: "Debian: tcllib",
  needs: ["tclsh", "/usr/share/doc/tcllib/copyright"],
  protections: [],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete"],
  also: ["active mode", "UTF-8 names", "odd names"],
  version: () => packageVersion("tcllib"),
  run: (target, steps) => runDriver(["tclsh", driverPath("tcllib.tcl")], target, steps),
});
