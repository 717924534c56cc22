import { BasicConstraintsExtension, X509CertificateGenerator } from "@peculiar/x509";
import { assert, assertEquals, assertMatch, fail } from "@std/assert";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { issue, revoke, toPemList } from "../transport/client_pki.ts";
import { HASH, Installation, USER } from "./installation.ts";
import { checkVerdict, libraryVerdict, reloadVerdict, startVerdict } from "./verdicts.ts";

const PAIR = await createEphemeralCertificate({ names: ["127.0.0.1"] });
const CA = { mode: "require", ca: PAIR.certificate } as const;
const OTHERS_LIST = toPemList(await revoke(await issue("other CA", { isAuthority: true }), []));
const ACCEPTED = ["clear-text-control", "clear-text-data", "foreign-data-address"]
  .map((risk) => `  - { risk: ${risk}, reason: a test }\n`).join("");
const ACCEPT = `acceptRisks:\n${ACCEPTED}`;
const FILES = "certificate: server.crt, key: server.key";
const CLIENTS = "clientCertificates: { mode: require, ca: server.crt }";

interface Case {
  readonly what: string;
  /** The configuration file; absent: there is none. */
  readonly file?: string;
  /** Arguments beside the file; HOME and FOLDER stand for folders. Any port is used unless they say more. */
  readonly args?: readonly string[];
  /** Why it is refused; absent: it starts. */
  readonly refused?: RegExp;
  /** The same as options of the library. */
  readonly options?: (installation: Installation) => Partial<FtpServerOptions>;
  readonly prepare?: (installation: Installation) => Promise<void>;
}

/** Options whose users have the folder of the case as home. */
function atHome(home: string): Partial<FtpServerOptions> {
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser("user", "12345", home);
  return { authorizer };
}

const CASES: readonly Case[] = [
  // What starts.
  { what: "a user", file: USER, options: ({ home }) => atHome(home) },
  {
    what: "TLS off, accepted",
    file: `tls: { policy: "off" }\n${ACCEPT}${USER}`,
    options: () => ({ tls: { policy: "off" } }),
  },
  {
    what: "certificates of clients where data may be clear",
    file: `tls: { policy: control, ${CLIENTS} }\n${ACCEPT}${USER}`,
    options: () => ({ tls: { policy: "control", clientCertificates: CA } }),
  },
  { what: "a CA that nobody is asked for", file: `tls: { clientCertificates: { ca: server.crt } }\n${USER}` },
  {
    what: "a file that contradicts itself, and an option that puts it right",
    file: `tls: { policy: "off", sessionReuse: require }\n${USER}`,
    args: ["--tls", "required"],
  },
  {
    what: "a passive range with the default port in it, and another port",
    file: `passive: { ports: 2000-3000 }\n${USER}`,
  },
  {
    what: "a ban after 1000 failures",
    file: `ban: { failures: 1000 }\n${USER}`,
    options: () => ({ ban: { failures: 1000 } }),
  },
  { what: "a log of transfers", file: `log: { transfers: transfers.log }\n${USER}` },
  {
    what: "a passive address for one that is mapped into IPv6",
    file: `passive: { addresses: { "::ffff:10.0.0.5": 203.0.113.7 } }\n${USER}`,
    options: () => ({ passive: { addresses: { "::ffff:10.0.0.5": "203.0.113.7" } } }),
  },
  {
    what: "data connections from anywhere, accepted",
    file: `passive: { foreignAddresses: true }\n${ACCEPT}${USER}`,
    options: () => ({ passive: { foreignAddresses: true } }),
  },
  { what: "a folder", args: ["HOME"] },
  { what: "a folder that a user writes", args: ["HOME", "-w", "-u", "me", "-P", "secret"] },
  { what: "data connections from anywhere, by an option", args: ["HOME", "--permit-foreign-addresses"] },

  // What contradicts itself, wherever it comes from.
  ...(["off", "optional"] as const).flatMap((policy): Case[] => [
    {
      what: `required certificates of clients where TLS is ${policy}`,
      file: `tls: { policy: "${policy}", ${CLIENTS} }\n${ACCEPT}${USER}`,
      refused: new RegExp(`clientCertificates.mode: is require, but tls.policy is ${policy}`),
      options: () => ({ tls: { policy, clientCertificates: CA } }),
    },
    {
      what: `required certificates of clients, and --tls ${policy}`,
      file: `tls: { ${CLIENTS} }\n${USER}`,
      args: ["--tls", policy],
      refused: new RegExp(`clientCertificates.mode: is require, but tls.policy is ${policy}`),
    },
  ]),
  {
    what: "a certificate, and --tls off",
    file: `tls: { ${FILES} }\n${USER}`,
    args: ["--tls", "off"],
    refused: /tls.certificate: is given, but/,
  },
  {
    what: "--port in the passive range",
    file: `passive: { ports: 50000-50100 }\n${USER}`,
    args: ["-p", "50000"],
    refused: /port 50000 is listened on/,
  },
  {
    what: "--range around the port",
    args: ["HOME", "-p", "2121", "-r", "2000-3000"],
    refused: /port 2121 is listened on/,
  },
  {
    what: "a passive range around the port",
    file: `passive: { ports: 2000-3000 }\nlisten: [{ port: 2500 }]\n${USER}`,
    args: ["-p", "2500"],
    refused: /port 2500 is listened on/,
    options: () => ({ passive: { ports: { from: 2000, to: 3000 } }, listen: [{ port: 2500 }] }),
  },
  {
    what: "no address to listen on",
    file: `listen: []\n${USER}`,
    refused: /listen: has no entry/,
    options: () => ({ listen: [] }),
  },
  {
    what: "versions of TLS the wrong way round",
    file: `tls: { minVersion: TLSv1.3, maxVersion: TLSv1.2 }\n${USER}`,
    refused: /tls.minVersion: is newer/,
    options: () => ({ tls: { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" } }),
  },
  {
    what: "one passive address in two spellings",
    file: `passive: { addresses: { 10.0.0.5: 203.0.113.7, "::ffff:10.0.0.5": 203.0.113.8 } }\n${USER}`,
    refused: /passive.addresses\["::ffff:10.0.0.5"\]: is the same address as 10.0.0.5/,
    options: () => ({ passive: { addresses: { "10.0.0.5": "203.0.113.7", "::ffff:10.0.0.5": "203.0.113.8" } } }),
  },

  // Values out of range.
  ...([["window", 0], ["duration", 0], ["failures", 1001], ["failures", -1]] as const).map(([key, value]): Case => ({
    what: `ban.${key} ${value}`,
    file: `ban: { ${key}: ${value} }\n${USER}`,
    refused: new RegExp(`ftpsd.yaml:\\d: ban.${key}: ${value} is not |ban|Cannot`),
    options: () => ({ ban: { [key]: value } }),
  })),
  {
    what: "a command line without end",
    file: `limits: { commandLineBytes: 2000000 }\n${USER}`,
    refused: /limits.commandLineBytes/,
    options: () => ({ limits: { commandLineBytes: 2_000_000 } }),
  },
  {
    what: "an address that is no host's",
    file: `passive: { address: 0.0.0.0 }\n${USER}`,
    refused: /passive.address/,
    options: () => ({ passive: { address: "0.0.0.0" } }),
  },
  {
    what: "the same by an option",
    args: ["HOME", "-n", "0.0.0.0"],
    refused: /"0.0.0.0" is not a numeric IPv4 address of a host/,
  },
  {
    what: "a name to listen on",
    file: `listen: [{ host: localhost }]\n${USER}`,
    refused: /localhost/,
    options: () => ({ listen: [{ host: "localhost", port: 0 }] }),
  },
  {
    what: "an encoding that is none",
    file: `encoding: klingon\n${USER}`,
    refused: /klingon/,
    options: () => ({ encoding: "klingon" }),
  },
  { what: "the same by an option", args: ["HOME", "--encoding", "klingon"], refused: /klingon/ },
  {
    what: "a disabled command that is none",
    file: `commands: { disabled: [NOOP, DELETE] }\n${USER}`,
    refused: /commands.disabled\[1\]: Cannot disable "DELETE": there is no such command/,
    options: () => ({ commands: { disabled: ["NOOP", "DELETE"] } }),
  },
  {
    what: "a disabled command that no client can do without",
    file: `commands:\n  disabled:\n    - AUTH\n${USER}`,
    refused: /commands.disabled\[0\]: Cannot disable AUTH: no client could do without/,
    options: () => ({ commands: { disabled: ["AUTH"] } }),
  },

  // Files and folders of the host.
  ...(["require", "none"] as const).flatMap((mode): Case[] =>
    [
      ["none at all", undefined, /no such file/] as const,
      ["empty", "", /no CERTIFICATE block/] as const,
      ["garbage", "garbage\n", /no CERTIFICATE block/] as const,
      ["cut", PAIR.certificate.slice(0, 300), /CERTIFICATE block 1 of 1.* is damaged/] as const,
    ].map(([kind, text, refused]) => ({
      what: `a CA of clients that is ${kind}, mode ${mode}`,
      file: `tls: { clientCertificates: { mode: ${mode}, ca: ca.pem } }\n${USER}`,
      refused,
      prepare: async ({ path }: Installation) => {
        if (text !== undefined) await Deno.writeTextFile(`${path}/ca.pem`, text);
      },
      ...mode === "require" && text !== undefined
        ? { options: () => ({ tls: { clientCertificates: { mode, ca: text } } }) }
        : {},
    }))
  ),
  ...[
    ["none", undefined, /no such file/] as const,
    ["of another CA", OTHERS_LIST, /block 1 of 1.*was not signed by one of ca/] as const,
  ].map(([kind, text, refused]) => ({
    what: `a revocation list that is ${kind}`,
    file: `tls: { clientCertificates: { mode: require, ca: server.crt, crl: list.crl } }\n${USER}`,
    refused,
    prepare: async ({ path }: Installation) => {
      if (text !== undefined) await Deno.writeTextFile(`${path}/list.crl`, text);
    },
    ...text === undefined ? {} : {
      options: () => ({ tls: { clientCertificates: { mode: "require", ca: PAIR.certificate, crl: text } } as const }),
    },
  })),
  {
    what: "a log of transfers in a folder that is not there",
    file: `log: { transfers: none/transfers.log }\n${USER}`,
    refused: /log.transfers: cannot open .*: its folder does not exist/,
  },
  {
    what: "a log of transfers that is a folder",
    file: `log: { transfers: home }\n${USER}`,
    refused: /log.transfers: cannot open .*: it is a folder/,
  },
  {
    what: "a key that others may read",
    file: `tls: { ${FILES} }\n${USER}`,
    refused: /risk key-readable-by-others/,
    prepare: (installation) => installation.install(PAIR, 0o644),
  },
  {
    what: "RSA of 1024 bits",
    file: `tls: { ${FILES} }\n${USER}`,
    refused: /RSA of 1024 bits/,
    prepare: async (installation) => await installation.install(await weakPair()),
  },
  { what: "a home that is not there", file: USER.replace("home: home", "home: none"), refused: /none does not exist/ },
  { what: "a folder that is not there", args: ["FOLDER/none"], refused: /none does not exist/ },
  { what: "a folder that is a file", args: ["FOLDER/ftpsd.yaml"], refused: /is not a folder/ },
  {
    what: "the root as home",
    file: USER.replace("home: home", "home: /"),
    refused: /risk root-directory-home/,
    options: () => atHome("/"),
  },
  {
    what: "a home that others may write in",
    file: USER,
    refused: /risk home-writable-by-others/,
    options: ({ home }) => atHome(home),
    prepare: ({ home }) => Deno.chmod(home, 0o777),
  },

  // Accounts.
  { what: "writing by anybody", args: ["HOME", "-w"], refused: /risk anonymous-write/ },
  {
    what: "a user anonymous who writes",
    args: ["HOME", "-w", "--username", "anonymous", "-P", "secret"],
    refused: /anonymous/,
  },
  { what: "a user anonymous", file: USER.replace("name: user", "name: anonymous"), refused: /anonymous/ },
  { what: "a name with a line end", args: ["HOME", "-u", "a\nb", "-P", "secret"], refused: /control characters/ },
  { what: "a damaged hash", file: USER.replace("ln=17", "ln=17x"), refused: /users\[0\].password/ },
  {
    what: "the same by an option",
    args: ["HOME", "-u", "me", "-P", HASH.replace("ln=17", "ln=17x")],
    refused: /password|hash/,
  },

  // The command line.
  { what: "a switch with a value", args: ["HOME", "--write=no"], refused: /--write is a switch/ },
  { what: "an option twice", args: ["HOME", "--tls", "off", "--tls", "required"], refused: /--tls is given 2 times/ },
  {
    what: "privileged ports without active mode",
    args: ["HOME", "--permit-privileged-ports"],
    refused: /without active mode/,
  },
];

/** A pair that the TLS engine refuses. */
async function weakPair(): Promise<{ readonly certificate: string; readonly key: string }> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 1024,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const isExtractable = true;
  const keys = await crypto.subtle.generateKey(algorithm, isExtractable, ["sign", "verify"]) as CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=127.0.0.1",
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 90 * 24 * 60 * 60 * 1000),
    extensions: [new BasicConstraintsExtension(false)],
  });
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const base64 = btoa(String.fromCharCode(...der)).replace(/.{1,64}/g, "$&\n");
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${base64}-----END PRIVATE KEY-----\n`,
  };
}

for (const { what, file, args = [], refused, options, prepare } of CASES) {
  const verdict = refused === undefined ? "starts" : "refused";
  Deno.test(`check, start, reload and the library agree: ${what} is ${verdict === "starts" ? "good" : "refused"}`, async () => {
    await using installation = await Installation.create("");
    await installation.install(PAIR);
    await Deno.mkdir(`${installation.path}/other`);
    await prepare?.(installation);
    const words = args.map((word) => word.replace("HOME", installation.home).replace("FOLDER", installation.path));
    const port = words.includes("-p") ? [] : ["--port", "0"];
    const all = [...port, ...words, ...file === undefined ? [] : ["--config", installation.file]];
    if (file !== undefined) await installation.configure(file);
    const verdicts = new Map([["check", await checkVerdict(all)]]);
    assert(
      [...Deno.readDirSync(installation.path)].every(({ name }) => name !== "transfers.log"),
      "check leaves nothing",
    );
    verdicts.set("start", await startVerdict(all));
    // A command line that is refused with every file has no server that could reload.
    if (file !== undefined && !words.includes("-p")) {
      verdicts.set("reload", await reloadVerdict(installation, { before: OTHER, after: file, args: all }));
    }
    if (options !== undefined) verdicts.set("library", await judgeOptions(() => options(installation)));
    for (const [by, given] of verdicts) {
      if (refused === undefined) assertEquals(given, "starts", by);
      else if (given === "starts") fail(`It is good: ${by}`);
      else {
        assertEquals(given.status, 2, `${by}: ${given.reason}`);
        if (by !== "library") assertMatch(given.reason, refused, by);
      }
    }
  });
}

/** A user of another name, with a home that is always good. */
const OTHER = USER.replace("name: user", "name: other").replace("home: home", "home: other");

async function judgeOptions(
  make: () => Partial<FtpServerOptions>,
): Promise<Awaited<ReturnType<typeof libraryVerdict>>> {
  try {
    return await libraryVerdict(make());
  } catch (error) {
    return { status: 2, reason: String(error) };
  }
}
