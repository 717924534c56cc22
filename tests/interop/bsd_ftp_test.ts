import { bsdFtp } from "./bsd_ftp.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";

const ALWAYS = ["-n", "-v", "-g", "-i"];

const INETUTILS = bsdFtp({
  program: "inetutils-ftp",
  args: ({ active }) => [...ALWAYS, active ? "-A" : "-p"],
  setup: () => [],
});
const TNFTP = bsdFtp({
  program: "tnftp",
  args: ({ active }) => [...ALWAYS, ...active ? ["-A"] : []],
  setup: () => [],
});
const FTP_SSL = bsdFtp({
  program: "ftp-ssl",
  args: ({ host, caFile }) => [
    ...ALWAYS,
    ...host.includes(":") ? ["-6"] : [],
    "-z",
    "secure",
    "-z",
    "verify=1",
    ...caFile === undefined ? [] : ["-z", `cacert=${caFile}`],
  ],
  setup: ({ active }) => [active ? "passive off" : "passive on"],
});

testClient(realClient("GNU inetutils ftp", INETUTILS));
testClient(realClient("tnftp", TNFTP));
testClient(realClient("ftp-ssl", FTP_SSL));
