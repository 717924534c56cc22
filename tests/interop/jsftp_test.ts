import { testClient } from "./client_suite.ts";
import { driverPath, nodeModule, runDriver } from "./driver.ts";
import { nodeModuleVersion } from "./package_version.ts";

testClient({
  name: "jsftp",
  origin: "npm: jsftp, on Node",
  needs: ["node", nodeModule("jsftp")],
  protections: [],
  operations: ["list", "get", "put", "rename", "mkdir", "rmdir", "delete"],
  also: ["UTF-8 names", "odd names"],
  version: () => nodeModuleVersion("jsftp"),
  run: (target, steps) => runDriver(["node", driverPath("jsftp.mjs")], target, steps),
});
