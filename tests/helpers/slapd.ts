/**
 * A directory for tests: OpenLDAP's slapd on loopback ports of its own, with a certificate of an authority of its own.
 *
 * @module
 */

import { TemporaryFolder } from "./temporary_folder.ts";

const SLAPD = "/usr/sbin/slapd";

/** Whether there is no slapd on this machine; where all programs have to be there that is a failure. */
export const IS_SLAPD_ABSENT = Deno.env.get("CI") === undefined && !exists(SLAPD);

/** The root of the directory. */
export const BASE = "dc=example,dc=org";
/** Who may do all. */
export const ADMIN = { dn: `cn=admin,${BASE}`, password: "admin secret" } as const;
/** Who searches, and may read all but passwords. */
export const SEARCHER = { dn: `cn=search,${BASE}`, password: "search secret" } as const;

/** How it is set up. */
export interface SlapdOptions {
  /** Lines of LDIF beside the base, `ou=people` and `ou=groups`. */
  readonly ldif?: string;
  /** Lines for slapd.conf, before the database. */
  readonly globalLines?: string;
  /** The same for the database, in the place of who may read what. */
  readonly databaseLines?: string;
}

/** A running directory, until it is disposed of. */
export class Slapd implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #ports: { readonly ldap: number; readonly ldaps: number };
  #process: Deno.ChildProcess;

  private constructor(folder: TemporaryFolder, ports: Slapd["ports"], process: Deno.ChildProcess) {
    this.#folder = folder;
    this.#ports = ports;
    this.#process = process;
  }

  /** Starts one. */
  static async start({ ldif = "", globalLines = "", databaseLines = "" }: SlapdOptions = {}): Promise<Slapd> {
    const folder = await TemporaryFolder.create();
    const { path } = folder;
    await Deno.mkdir(`${path}/data`);
    await makeCertificates(path);
    await Deno.writeTextFile(`${path}/slapd.conf`, configurationOf(path, { globalLines, databaseLines }));
    await Deno.writeTextFile(`${path}/start.ldif`, `${START}\n${ldif}`);
    await run("/usr/sbin/slapadd", ["-q", "-f", `${path}/slapd.conf`, "-l", `${path}/start.ldif`]);
    const ports = { ldap: freePort(), ldaps: freePort() };
    const slapd = new Slapd(folder, ports, spawn(path, ports));
    await slapd.#answers();
    return slapd;
  }

  /** Ports in clear and with TLS from the start. */
  get ports(): { readonly ldap: number; readonly ldaps: number } {
    return this.#ports;
  }

  /** Folder of its files. */
  get path(): string {
    return this.#folder.path;
  }

  /** Who has signed its certificate, PEM. */
  async authority(): Promise<string> {
    return await Deno.readTextFile(this.authorityFile);
  }

  /** The same as a file. */
  get authorityFile(): string {
    return `${this.path}/ca.pem`;
  }

  /** Adds, changes or removes entries. */
  async modify(ldif: string): Promise<void> {
    const { dn, password } = ADMIN;
    const args = ["-x", "-H", `ldap://127.0.0.1:${this.#ports.ldap}`, "-D", dn, "-w", password];
    await run("ldapmodify", args, ldif);
  }

  /** Adds a person with a password, or puts it into the place of another. */
  async putPerson(uid: string, password: string, lines = ""): Promise<void> {
    await this.removePerson(uid);
    await this.modify(`${personOf(uid, password, lines).replace("\n", "\nchangetype: add\n")}\n`);
  }

  /** Removes a person, if it is there. */
  async removePerson(uid: string): Promise<void> {
    await this.modify(`dn: uid=${uid},ou=people,${BASE}\nchangetype: delete\n`).catch(() => {});
  }

  /** Ends it, so that nobody listens. */
  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }

  /** Starts it again, on the same ports. */
  async restart(): Promise<void> {
    this.#process = spawn(this.path, this.#ports);
    await this.#answers();
  }

  /** Stops or continues the process, so that it hangs meanwhile. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#process.status;
    await this.#folder[Symbol.asyncDispose]();
  }

  async #answers(): Promise<void> {
    const until = performance.now() + 10_000;
    while (true) {
      try {
        (await Deno.connect({ port: this.#ports.ldap })).close();
        (await Deno.connect({ port: this.#ports.ldaps })).close();
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

/** An entry of a person, in LDIF. */
export function personOf(uid: string, password: string, lines = ""): string {
  return [
    `dn: uid=${uid},ou=people,${BASE}`,
    "objectClass: inetOrgPerson",
    "objectClass: posixAccount",
    `uid: ${uid}`,
    `cn: ${uid}`,
    `sn: ${uid}`,
    "uidNumber: 1000",
    "gidNumber: 1000",
    `homeDirectory: ${uid}`,
    `userPassword: ${password}`,
    ...lines === "" ? [] : [lines],
    "",
  ].join("\n");
}

/** Those who log in may read themselves alone. */
const DEFAULT_ACCESS = `access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${SEARCHER.dn}" read by self read by * none`;

const START = [
  `dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n`,
  `dn: ou=people,${BASE}\nobjectClass: organizationalUnit\nou: people\n`,
  `dn: ou=groups,${BASE}\nobjectClass: organizationalUnit\nou: groups\n`,
  `dn: ${SEARCHER.dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: search\n` +
  `userPassword: ${SEARCHER.password}\n`,
].join("\n");

function configurationOf(
  path: string,
  { globalLines, databaseLines }: { readonly globalLines: string; readonly databaseLines: string },
): string {
  return `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile ${path}/slapd.pid
argsfile ${path}/slapd.args
loglevel 0
TLSCACertificateFile ${path}/ca.pem
TLSCertificateFile ${path}/server.crt
TLSCertificateKeyFile ${path}/server.key
${globalLines}
database mdb
maxsize 67108864
suffix "${BASE}"
rootdn "${ADMIN.dn}"
rootpw "${ADMIN.password}"
directory ${path}/data
index objectClass,uid eq
overlay memberof
${databaseLines === "" ? DEFAULT_ACCESS : databaseLines}
`;
}

async function makeCertificates(path: string): Promise<void> {
  const openssl = (...args: string[]) => run("openssl", args);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl("req", "-x509", ...key, "-keyout", `${path}/ca.key`, "-out", `${path}/ca.pem`, "-subj", "/CN=Test CA");
  await openssl("req", ...key, "-keyout", `${path}/server.key`, "-out", `${path}/server.csr`, "-subj", "/CN=directory");
  await Deno.writeTextFile(`${path}/names`, "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n");
  const signing = ["-CA", `${path}/ca.pem`, "-CAkey", `${path}/ca.key`, "-CAcreateserial", "-extfile", `${path}/names`];
  await openssl("x509", "-req", "-in", `${path}/server.csr`, "-out", `${path}/server.crt`, ...signing);
}

function spawn(path: string, { ldap, ldaps }: Slapd["ports"]): Deno.ChildProcess {
  const urls = ["127.0.0.1", "127.0.0.2"].flatMap((host) => [`ldap://${host}:${ldap}`, `ldaps://${host}:${ldaps}`]);
  return new Deno.Command(SLAPD, {
    args: ["-d", "0", "-f", `${path}/slapd.conf`, "-h", urls.join(" ")],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function run(program: string, args: readonly string[], input = ""): Promise<void> {
  const process = new Deno.Command(program, { args: [...args], stdin: "piped", stdout: "null", stderr: "piped" })
    .spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { success, stderr } = await process.output();
  if (!success) throw new Error(`${program} has failed: ${new TextDecoder().decode(stderr)}`);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
