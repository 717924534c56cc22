import { bsdFtp } from "./bsd_ftp.ts";
import { testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";

testClient({
  name: "tnftp",
  origin: "Debian: tnftp",
  needs: ["tnftp"],
  protections: [],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete", "getMatching"],
  also: ["IPv6", "active mode", "active mode over IPv6", "UTF-8 names", "odd names"],
  version: () => packageVersion("tnftp"),
  ...bsdFtp({
    program: "tnftp",
    args: ({ active }) => ["-n", "-v", "-g", "-i", ...active ? ["-A"] : []],
    setup: () => [],
  }),
});
