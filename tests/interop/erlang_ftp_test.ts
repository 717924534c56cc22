import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { packageVersion } from "./package_version.ts";

testClient({
  name: "Erlang ftp",
  origin: "Debian: erlang-ftp",
  needs: ["escript", "/usr/share/doc/erlang-ftp/copyright"],
  tls: "Erlang ssl",
  protections: ["explicit", "implicit"],
  operations: ["list", "get", "put", "resumePut", "rename", "mkdir", "rmdir", "delete"],
  also: [
    "IPv6",
    "active mode",
    "active mode over IPv6",
    "refuses unknown certificates",
    "UTF-8 names",
    "odd names",
  ],
  distrust: /unknown_ca|bad_certificate|selfsigned_peer/,
  version: () => packageVersion("erlang-ftp"),
  run: (target, steps) => runDriver(["escript", driverPath("erlang_ftp.escript")], target, steps),
});
