/**
 * Other FTP servers, as Debian ships them and with TLS switched on, for `ftpsd doctor` to look at.
 *
 * Their packages exclude each other, so that `.ci/run` unpacks them into a folder: `FTPSD_TEST_SERVERS`.
 *
 * @module
 */

import { isInstalled } from "../helpers/client_program.ts";

/** Servers that are started here. */
export const SERVER_NAMES = ["vsftpd", "Pure-FTPd", "ProFTPD", "pyftpdlib"] as const;

/** Name of a server. */
export type ServerName = typeof SERVER_NAMES[number];

/** How a server is set up: as its package says, or with TLS and an account that may write. */
export type ServerSetup = "shipped" | "tls";

/** Where it is started, and what it is given. */
interface Place {
  readonly port: number;
  /** A folder of its own. */
  readonly folder: string;
  /** What it serves. */
  readonly home: string;
  /** Files with the certificate, the key, and both. */
  readonly certificate: string;
  readonly key: string;
  readonly pair: string;
}

interface ServerRow {
  /** Program that has to be there. */
  readonly program: string;
  /** User and password of the setup with TLS. */
  readonly account: { readonly user: string; readonly password: string };
  /** Its command line. */
  readonly command: (setup: ServerSetup, place: Place) => readonly string[] | Promise<readonly string[]>;
}

const UNPACKED = Deno.env.get("FTPSD_TEST_SERVERS") ?? "";
const PASSWORD = "doctors-password";
/** SHA-512 crypt of the password, as `openssl passwd -6` makes it. */
const CRYPTED = "$6$doctorsalt$lPFiTziPqD2HfdaYSupmDnxwIhJGXu0SUDHD5RCSuEpfIUcvgKmN5sBgk3noE8xQgBxmbndb5TZ6FofzNyV691";
const START_MS = 15_000;

const SERVERS: Readonly<Record<ServerName, ServerRow>> = {
  "vsftpd": {
    program: `${UNPACKED}/usr/sbin/vsftpd`,
    account: { user: "anonymous", password: PASSWORD },
    command: async (setup, place) => {
      const common = [`listen_port=${place.port}`, "background=NO", `secure_chroot_dir=${place.folder}`];
      if (setup === "shipped") {
        return [`${UNPACKED}/usr/sbin/vsftpd`, `${UNPACKED}/etc/vsftpd.conf`, ...common.map((line) => `-o${line}`)];
      }
      const lines = [
        ...common,
        "listen=YES",
        "listen_address=127.0.0.1",
        "run_as_launching_user=YES",
        "anonymous_enable=YES",
        `anon_root=${place.home}`,
        "write_enable=YES",
        ...["anon_upload_enable", "anon_other_write_enable", "allow_writeable_chroot"].map((key) => `${key}=YES`),
        "anon_world_readable_only=NO",
        "ssl_enable=YES",
        ...["allow_anon_ssl", "force_anon_logins_ssl", "force_anon_data_ssl"].map((key) => `${key}=YES`),
        `rsa_cert_file=${place.certificate}`,
        `rsa_private_key_file=${place.key}`,
        "ssl_ciphers=HIGH",
        "seccomp_sandbox=NO",
        "isolate=NO",
        "isolate_network=NO",
      ];
      return [`${UNPACKED}/usr/sbin/vsftpd`, await written(`${place.folder}/vsftpd.conf`, lines, 0o600)];
    },
  },
  "Pure-FTPd": {
    program: `${UNPACKED}/usr/sbin/pure-ftpd`,
    account: { user: "alice", password: PASSWORD },
    command: async (setup, place) => {
      const program = `${UNPACKED}/usr/sbin/pure-ftpd`;
      const common = ["-S", `127.0.0.1,${place.port}`, "-g", `${place.folder}/pid`, "-H"];
      // What Debian's wrapper makes of /etc/pure-ftpd/conf.
      if (setup === "shipped") return [program, ...common, "-E", "-u", "1000", "-l", "pam"];
      const { uid, gid } = await Deno.stat(place.home);
      const line = `alice:${CRYPTED}:${uid || 1}:${gid || 1}::${place.home}/./::::::::::::`;
      const users = await written(`${place.folder}/users`, [line], 0o600);
      const database = `${place.folder}/users.pdb`;
      await run(`${UNPACKED}/usr/bin/pure-pw`, ["mkdb", database, "-f", users]);
      return [program, ...common, "-E", "-u", "1", "-l", `puredb:${database}`, "-Y", "2", "-2", place.pair];
    },
  },
  "ProFTPD": {
    program: `${UNPACKED}/usr/sbin/proftpd`,
    account: { user: "alice", password: PASSWORD },
    command: async (setup, place) => {
      const { uid, gid } = await Deno.stat(place.home);
      const users = await written(
        `${place.folder}/users`,
        [`alice:${CRYPTED}:${uid}:${gid}::${place.home}:/bin/sh`],
        0o600,
      );
      const lines = [
        `Port ${place.port}`,
        "DefaultAddress 127.0.0.1",
        `PidFile ${place.folder}/pid`,
        `ScoreboardFile ${place.folder}/scoreboard`,
        `DelayTable ${place.folder}/delay`,
        `SystemLog ${place.folder}/log`,
        // As /etc/proftpd/proftpd.conf.
        'ServerName "Debian"',
        "ServerType standalone",
        "UseIPv6 off",
        "DeferWelcome off",
        "DefaultServer on",
        "ShowSymlinks on",
        "RequireValidShell off",
        "AllowOverwrite on",
        "AuthPAM off",
        "RootLogin on",
        "WtmpLog off",
        "TransferLog NONE",
        "UseReverseDNS off",
        "AuthOrder mod_auth_file.c",
        `AuthUserFile ${users}`,
        `DefaultRoot ${place.home}`,
        ...setup === "shipped" ? [] : [
          `ModulePath ${UNPACKED}/usr/lib/proftpd`,
          "LoadModule mod_tls.c",
          "TLSEngine on",
          "TLSRequired on",
          `TLSRSACertificateFile ${place.certificate}`,
          `TLSRSACertificateKeyFile ${place.key}`,
        ],
      ];
      const file = await written(`${place.folder}/proftpd.conf`, lines, 0o600);
      return [`${UNPACKED}/usr/sbin/proftpd`, "--nodaemon", "--quiet", "--config", file];
    },
  },
  "pyftpdlib": {
    program: "/usr/lib/python3/dist-packages/pyftpdlib/servers.py",
    account: { user: "alice", password: PASSWORD },
    command: async (setup, place) => {
      const file = await written(`${place.folder}/server.py`, [
        "import warnings; warnings.simplefilter('ignore')",
        "from pyftpdlib.authorizers import DummyAuthorizer",
        "from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler",
        "from pyftpdlib.servers import FTPServer",
        `handler = ${setup === "tls" ? "TLS_FTPHandler" : "FTPHandler"}`,
        "handler.authorizer = DummyAuthorizer()",
        `handler.authorizer.add_user('alice', '${PASSWORD}', '${place.home}', perm='elradfmwMT')`,
        "handler.auth_failed_timeout = 0",
        ...setup === "tls" ? [`handler.certfile = '${place.pair}'`] : [],
        `FTPServer(('127.0.0.1', ${place.port}), handler).serve_forever()`,
      ], 0o600);
      return ["/usr/bin/python3", file];
    },
  },
};

/** The program that a server needs, for `programTest()`. */
export function programOf(name: ServerName): string {
  const { program } = SERVERS[name];
  return isInstalled(program) ? program : name === "pyftpdlib" ? program : program.replace(/.*\//, "/usr/sbin/");
}

/** A server that runs. */
export class OtherServer implements AsyncDisposable {
  readonly port: number;
  readonly account: ServerRow["account"];
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number, account: ServerRow["account"]) {
    this.#child = child;
    this.port = port;
    this.account = account;
  }

  /**
   * Starts a server.
   *
   * @param folder A folder of its own; it makes `home` there, which it serves.
   */
  static async start(
    name: ServerName,
    setup: ServerSetup,
    { folder, certificate, key }: { readonly folder: string; readonly certificate: string; readonly key: string },
  ): Promise<OtherServer> {
    const home = `${folder}/home`;
    await Deno.mkdir(home);
    await Deno.chmod(folder, 0o755);
    const place = {
      port: freePort(),
      folder,
      home,
      certificate: await written(`${folder}/server.crt`, [certificate], 0o600),
      key: await written(`${folder}/server.key`, [key], 0o600),
      pair: await written(`${folder}/server.pem`, [key, certificate], 0o600),
    };
    const { account, command } = SERVERS[name];
    const [program = "", ...args] = await command(setup, place);
    if (name === "Pure-FTPd" && Deno.uid() === 0) await Deno.chown(home, 1, 1);
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    const server = new OtherServer(child, place.port, account);
    try {
      await answers(place.port);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended by itself
    }
    await this.#child.status;
  }
}

/** Waits until a port takes connections. */
async function answers(port: number): Promise<void> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function written(path: string, lines: readonly string[], mode: number): Promise<string> {
  await Deno.writeTextFile(path, lines.join("\n") + "\n", { mode });
  return path;
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`"${program}" fails: ${new TextDecoder().decode(stderr)}`);
}
