/**
 * The real clients: what each is, has, and gets wrong. How those are run that have no driver stands in their adapters.
 *
 * @module
 */

import { requireProgram } from "../helpers/run_program.ts";
import { driverPath, nodeModule, runDriver } from "./driver.ts";
import { nodeModuleVersion, npmVersion, packageVersion } from "./package_version.ts";
import type { Column, Defect, Operation, RealClient } from "./real_client.ts";
import { versionIn } from "./run_client.ts";

/** A client without what its adapter adds. */
interface ClientRow extends Omit<RealClient, "name" | "version" | "run" | "abort"> {
  /** Command that tells its version; absent: the package that its origin names has it. */
  readonly version?: readonly [program: string, ...args: string[]];
  /** Program that runs its driver, and the file of that in `drivers/`. */
  readonly driver?: readonly [program: string, file: string];
}

const CHANGES = ["rename", "mkdir", "rmdir", "delete"] as const satisfies Operation[];
const FILES = ["list", "get", "put", "resumeGet", "resumePut", ...CHANGES] as const satisfies Operation[];
const MIRRORS = ["mirrorGet", "mirrorPut"] as const satisfies Operation[];
const ACTIVE = ["active mode", "active mode over IPv6"] as const satisfies Column[];
const VERIFIES = "refuses unknown certificates" satisfies Column;
const RESUMES = ["resumes TLS 1.2 sessions", "resumes TLS 1.3 sessions"] as const satisfies Column[];
const NAMES = ["UTF-8 names", "odd names"] as const satisfies Column[];

const BOTH = ["explicit", "implicit"] as const;
const PYTHON = "/usr/bin/python3";
const NODE_DISTRUST = /certificate|self-signed|UnknownIssuer/i;

const CURL_ACTIVE: Defect = {
  reason: "starts no TLS on data connections that it accepts; after `150` it sends nothing",
  evidence: /status (?:8|18|28|56)\b/,
};
const CUT_EMPTY: Defect = {
  reason:
    "can end the data connection of an empty upload in the middle of the TLS handshake, and is told that it has " +
    "failed; nothing is stored then",
  evidence: /42[56] /,
  sometimes: true,
};
const EARLY_EMPTY: Defect = {
  reason: "can close the data connection of an empty upload before the TLS handshake, and is told that it has failed",
  evidence: /TLS handshake failed/,
  sometimes: true,
};
const LATE_ABORT: Defect = { reason: "sends ABOR only when the transfer has ended", evidence: /ABOR is not answered/ };

function forgottenSession(evidence: RegExp): Defect {
  return {
    reason: "works once: OpenSSL forgets the session for which the server has sent a newer ticket (RFC 5077 §3.3)",
    evidence,
  };
}

function implicitTls(defect: Defect): Pick<Record<Column, Defect>, "implicit TLS 1.2" | "implicit TLS 1.3"> {
  return { "implicit TLS 1.2": defect, "implicit TLS 1.3": defect };
}

const CLIENTS = {
  "aioftp": {
    origin: "Debian: python3-aioftp",
    needs: [PYTHON, "/usr/lib/python3/dist-packages/aioftp/__init__.py"],
    driver: [PYTHON, "aioftp_client.py"],
    tls: "OpenSSL",
    protections: ["implicit"],
    operations: [...FILES, ...MIRRORS, "abort"],
    also: ["IPv6", VERIFIES, ...NAMES],
    remark:
      "takes the entry `type=cdir` of MLSD, the listed folder itself, for one named `.`, as it does with ProFTPD " +
      "1.3.8 and Pure-FTPd 1.0.50 (there with `..`); programs leave it out by its type",
    distrust: /CERTIFICATE_VERIFY_FAILED/,
  },
  "Apache Commons Net": {
    origin: "Debian: libcommons-net-java, on OpenJDK 17",
    needs: ["java", "ecj", "/usr/share/java/commons-net.jar"],
    tls: "JSSE",
    protections: BOTH,
    operations: [...FILES, "abort"],
    also: ["IPv6", ...ACTIVE, VERIFIES, ...NAMES],
    distrust: /PKIX path building failed/,
  },
  "aria2": {
    origin: "Debian: aria2",
    needs: ["aria2c"],
    protections: [],
    operations: ["get", "resumeGet", "parallel"],
    also: ["IPv6", ...ACTIVE, ...NAMES],
    remark: "waits for its timeout when `150` and `226` come in one packet: it looks for the second on the socket only",
  },
  "Axel": {
    origin: "Debian: axel",
    needs: ["axel"],
    protections: [],
    operations: ["get", "parallel"],
    also: NAMES,
    defects: { "empty files": { reason: "ends by SIGFPE, a division by zero", evidence: /status 136/ } },
  },
  "basic-ftp": {
    origin: "npm: basic-ftp, on Deno",
    needs: [],
    tls: "rustls",
    protections: BOTH,
    operations: [...FILES, ...MIRRORS],
    also: ["IPv6", VERIFIES, ...NAMES],
    distrust: NODE_DISTRUST,
    thorough: true,
  },
  "basic-ftp on Node": {
    origin: "npm: basic-ftp, on Node",
    needs: ["node", nodeModule("basic-ftp")],
    driver: ["node", "basic_ftp.mjs"],
    tls: "OpenSSL",
    protections: BOTH,
    operations: [...FILES, ...MIRRORS],
    also: ["IPv6", VERIFIES, ...NAMES],
    defects: { "empty files": CUT_EMPTY, "mirror put": CUT_EMPTY },
    distrust: NODE_DISTRUST,
  },
  "BusyBox ftpget, ftpput": {
    origin: "Debian: busybox",
    needs: ["busybox"],
    protections: [],
    operations: ["get", "put", "resumeGet"],
    also: ["IPv6", ...NAMES],
  },
  "curl": {
    origin: "Debian: curl",
    needs: ["curl"],
    version: ["curl", "--version"],
    tls: "OpenSSL",
    protections: BOTH,
    operations: [...FILES, "parallel"],
    // Over TLS 1.2 curl 7.88 asks for no tickets, and sessions by their id are unknown to the server.
    also: ["IPv6", VERIFIES, "resumes TLS 1.3 sessions", ...NAMES],
    defects: { "active mode": CURL_ACTIVE, "active mode over IPv6": CURL_ACTIVE },
    distrust: /status 60: .*certificate/s,
    thorough: true,
  },
  "Erlang ftp": {
    origin: "Debian: erlang-ftp",
    needs: ["escript", "/usr/share/doc/erlang-ftp/copyright"],
    driver: ["escript", "erlang_ftp.escript"],
    tls: "Erlang ssl",
    protections: BOTH,
    operations: ["list", "get", "put", "resumePut", ...CHANGES],
    also: ["IPv6", ...ACTIVE, VERIFIES, ...NAMES],
    distrust: /unknown_ca|bad_certificate|selfsigned_peer/,
  },
  "ftp-ssl": {
    origin: "Debian: ftp-ssl",
    needs: ["ftp-ssl"],
    tls: "OpenSSL",
    protections: ["explicit"],
    operations: [...FILES, "getMatching"],
    also: ["IPv6", "active mode", VERIFIES, ...NAMES],
    defects: {
      abort: {
        reason: "sends Telnet's IP and Synch in clear into the TLS connection, which ends it (alert decode_error)",
        evidence: /421 Service not available, remote server has closed connection/,
      },
    },
    omitsCloseNotify: true,
    distrust: /certificate|SSL/i,
  },
  "ftpcopy, ftpls": {
    origin: "Debian: ftpcopy",
    needs: ["ftpcopy", "ftpls"],
    protections: [],
    operations: ["list", "get", "mirrorGet"],
    also: NAMES,
  },
  "ftputil": {
    origin: "Debian: python3-ftputil",
    needs: [PYTHON, "/usr/lib/python3/dist-packages/ftputil/__init__.py"],
    driver: [PYTHON, "ftputil_client.py"],
    tls: "OpenSSL",
    protections: ["explicit"],
    operations: FILES,
    also: ["IPv6", ...ACTIVE, VERIFIES, ...NAMES],
    distrust: /CERTIFICATE_VERIFY_FAILED/,
  },
  "gFTP": {
    origin: "Debian: gftp-text",
    needs: ["gftp-text"],
    tls: "OpenSSL",
    protections: BOTH,
    operations: ["list", "get", "put", ...CHANGES, ...MIRRORS],
    also: ["active mode", VERIFIES, ...NAMES],
    distrust: /self-signed certificate/,
    remark: "gets what matches in a listing that it keeps for the session: after uploads into a folder that was not " +
      "empty, `clear cache` comes first. So it does with ProFTPD 1.3.8 and Pure-FTPd 1.0.50",
  },
  "GNU inetutils ftp": {
    origin: "Debian: inetutils-ftp",
    needs: ["inetutils-ftp"],
    protections: [],
    operations: [...FILES, "getMatching"],
    also: ["IPv6", ...ACTIVE, ...NAMES],
  },
  "jsftp": {
    origin: "npm: jsftp, on Node",
    needs: ["node", nodeModule("jsftp")],
    driver: ["node", "jsftp.mjs"],
    protections: [],
    operations: ["list", "get", "put", ...CHANGES],
    also: NAMES,
  },
  "lftp": {
    origin: "Debian: lftp",
    needs: ["lftp"],
    version: ["lftp", "--version"],
    tls: "GnuTLS",
    protections: BOTH,
    operations: [...FILES, "getMatching", ...MIRRORS, "parallel"],
    also: ["IPv6", ...ACTIVE, VERIFIES, ...RESUMES, ...NAMES],
    distrust: /Certificate verification/,
    thorough: true,
  },
  "NcFTP": {
    origin: "Debian: ncftp",
    needs: ["ncftp"],
    protections: [],
    operations: [...FILES, "getMatching", ...MIRRORS],
    also: ["active mode", ...NAMES],
  },
  "node-ftp": {
    origin: "npm: ftp, on Node",
    needs: ["node", nodeModule("ftp")],
    driver: ["node", "node_ftp.mjs"],
    tls: "OpenSSL",
    protections: BOTH,
    operations: [...FILES, "abort"],
    also: [VERIFIES, "odd names"],
    defects: {
      ...implicitTls({
        reason: "waits for a TLS handshake on a connection that it has not made",
        evidence: /Timeout while connecting to server/,
      }),
      abort: LATE_ABORT,
      "empty files": EARLY_EMPTY,
      "UTF-8 names": { reason: "reads listings as Latin-1", evidence: /UmlÃ¤ute/ },
    },
    distrust: /certificate|UnknownIssuer/i,
  },
  "Perl Net::FTP": {
    origin: "Debian: perl, libio-socket-ssl-perl",
    needs: ["perl", "/usr/share/perl5/IO/Socket/SSL.pm"],
    version: ["perl", "-MNet::FTP", "-e", "print $Net::FTP::VERSION"],
    driver: ["perl", "net_ftp.pl"],
    tls: "OpenSSL",
    protections: BOTH,
    operations: [...FILES, "abort"],
    also: ["IPv6", ...ACTIVE, VERIFIES, ...NAMES],
    defects: {
      abort: {
        reason: "sends Telnet's IP in clear into the TLS connection, which ends it (alert decode_error)",
        evidence: /abort: .*Connection closed/,
      },
    },
    distrust: /certificate verify failed/,
  },
  "PHP ftp": {
    origin: "Debian: php-cli",
    needs: ["php"],
    version: ["php", "--version"],
    driver: ["php", "ftp.php"],
    tls: "OpenSSL",
    protections: ["explicit"],
    operations: FILES,
    also: ["IPv6", ...ACTIVE, "resumes TLS 1.3 sessions", ...NAMES],
    defects: { "resumes TLS 1.2 sessions": forgottenSession(/SSL read failed|TLS session reuse/) },
  },
  "promise-ftp": {
    origin: "npm: promise-ftp, on Node",
    needs: ["node", nodeModule("promise-ftp")],
    driver: ["node", "promise_ftp.mjs"],
    tls: "OpenSSL",
    protections: BOTH,
    operations: [...FILES, "abort"],
    also: [VERIFIES, ...NAMES],
    defects: {
      ...implicitTls({ reason: "starts no TLS on data connections", evidence: /TLS handshake failed/ }),
      abort: LATE_ABORT,
      "empty files": EARLY_EMPTY,
    },
    distrust: /certificate|UnknownIssuer/i,
  },
  "PycURL": {
    origin: "Debian: python3-pycurl",
    needs: [PYTHON, "/usr/share/doc/python3-pycurl/copyright"],
    driver: [PYTHON, "pycurl_client.py"],
    tls: "GnuTLS",
    protections: BOTH,
    operations: FILES,
    also: ["IPv6", VERIFIES, ...NAMES],
    distrust: /certificate/,
  },
  "Python ftplib": {
    origin: "Debian: python3",
    needs: ["python3"],
    version: ["python3", "--version"],
    tls: "OpenSSL",
    protections: BOTH,
    operations: [...FILES, "abort"],
    also: ["IPv6", ...ACTIVE, VERIFIES, ...NAMES],
    distrust: /CERTIFICATE_VERIFY_FAILED/,
    thorough: true,
    remark:
      "knows neither implicit TLS nor resumption by itself; with a few lines for both it passes `sessionReuse: require`",
  },
  "rclone": {
    origin: "Debian: rclone",
    needs: ["rclone"],
    tls: "Go crypto/tls",
    protections: BOTH,
    operations: ["list", "get", "put", ...CHANGES, ...MIRRORS, "parallel"],
    also: ["IPv6", VERIFIES, ...RESUMES, ...NAMES],
    distrust: /certificate signed by unknown authority/,
  },
  "Ruby Net::FTP": {
    origin: "Debian: ruby",
    needs: ["ruby"],
    version: ["ruby", "-rnet/ftp", "-e", "print Net::FTP::VERSION"],
    driver: ["ruby", "net_ftp.rb"],
    tls: "OpenSSL",
    protections: ["explicit"],
    operations: [...FILES, "abort"],
    also: ["IPv6", ...ACTIVE, VERIFIES, "resumes TLS 1.3 sessions", ...NAMES],
    distrust: /certificate verify failed/,
    defects: {
      "resumes TLS 1.2 sessions": forgottenSession(/unexpected eof while reading|522 TLS session reuse/),
    },
  },
  "Tcllib ftp": {
    origin: "Debian: tcllib",
    needs: ["tclsh", "/usr/share/doc/tcllib/copyright"],
    driver: ["tclsh", "tcllib.tcl"],
    protections: [],
    operations: FILES,
    also: ["active mode", ...NAMES],
  },
  "tnftp": {
    origin: "Debian: tnftp",
    needs: ["tnftp"],
    protections: [],
    operations: [...FILES, "getMatching"],
    also: ["IPv6", ...ACTIVE, ...NAMES],
  },
  "Wget": {
    origin: "Debian: wget",
    needs: ["wget"],
    tls: "GnuTLS",
    protections: BOTH,
    operations: ["list", "get", "resumeGet", "mirrorGet"],
    also: ["IPv6", ...ACTIVE, VERIFIES, ...RESUMES, ...NAMES],
    distrust: /certificate/,
  },
  "Wput": {
    origin: "Debian: wput",
    needs: ["wput"],
    tls: "GnuTLS",
    protections: ["explicit"],
    operations: ["put", "resumePut", "mirrorPut"],
    also: ["active mode", ...NAMES],
    defects: {
      "explicit TLS 1.3": {
        reason: "ends with an error of `read()` after the handshake, where the session tickets come",
        evidence: /read\(\) failed/,
      },
    },
    omitsCloseNotify: true,
  },
  "Yafc": {
    origin: "Debian: yafc",
    needs: ["yafc"],
    protections: [],
    operations: [...FILES, ...MIRRORS],
    also: ["active mode", "UTF-8 names"],
    defects: { "odd names": { reason: "ends by SIGABRT at a quoted quote", evidence: /status 134/ } },
    remark: "takes the port for a part of an IPv6 address, now and then",
  },
} as const satisfies Readonly<Record<string, ClientRow>>;

/** A client of the table. */
export type ClientName = keyof typeof CLIENTS;

/** Names of the clients whose driver a program runs. */
export function drivenBy(program: string): ClientName[] {
  return (Object.keys(CLIENTS) as ClientName[]).filter((name) => rowOf(name).driver?.[0] === program);
}

/** A client of the table; without an adapter its driver is run. */
export function realClient(name: ClientName, adapter?: Pick<RealClient, "run" | "abort">): RealClient {
  const { driver, version, ...row } = rowOf(name);
  const run: RealClient["run"] = (target, steps) => {
    if (driver === undefined) throw new TypeError(`Cannot run ${name}: it has neither a driver nor an adapter`);
    return runDriver([driver[0], driverPath(driver[1])], target, steps);
  };
  return { name, ...row, version: () => versionOf(row.origin, version), run, ...adapter };
}

function rowOf(name: ClientName): ClientRow {
  return CLIENTS[name];
}

async function versionOf(origin: string, command: ClientRow["version"]): Promise<string> {
  if (command !== undefined) return versionIn(await requireProgram(command[0], command.slice(1)));
  const [, source, name = ""] = /^(Debian|npm): ([^,]+)/.exec(origin) ?? [];
  if (source === "Debian") return await packageVersion(name);
  return await (origin.endsWith("on Deno") ? npmVersion : nodeModuleVersion)(name);
}
