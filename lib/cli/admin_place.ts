/**
 * Where a running server's admin listener is, and how it is reached and trusted.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { StartError, UsageError } from "../check/exit_error.ts";
import { readPemFile } from "../check/host_files.ts";
import { formatSocketAddress, ipFamily } from "../protocol/host_port.ts";
import type { Configuration } from "../settings/table.ts";
import { loadConfiguration } from "./load_configuration.ts";
import type { ParsedArguments } from "./option_table.ts";

/** Where to ask. */
export interface AdminPlace {
  /** Without a path. */
  readonly url: string;
  /** Unix socket in place of the address of `url`. */
  readonly unix?: string;
  /** Absent: none is asked for, as on a Unix socket. */
  readonly token?: string | undefined;
  /** Certificates that are trusted beside those of the system, PEM. */
  readonly ca?: string | undefined;
  /** How a person would name it. */
  readonly name: string;
}

const HINT = "ftpsd help status";
type Admin = NonNullable<Configuration["admin"]>;

/**
 * Finds it by the options.
 *
 * @throws {ExitError | ConfigurationError} When they name none, or a file that cannot be used.
 */
export async function findAdmin({ values, switches, lists }: ParsedArguments): Promise<AdminPlace> {
  const [file, url] = [values.get("config"), values.get("url")];
  if (file !== undefined && url !== undefined) {
    throw new UsageError("the server is named twice (--config and --url)", "leave out one of both");
  }
  const caFile = values.get("ca");
  const ca = caFile === undefined ? undefined : (await readPemFile(caFile, ["--ca"])).text;
  const tokenFile = values.get("token-file");
  if (url !== undefined) return await placeOfUrl(url, { tokenFile, ca });
  if (file === undefined) throw new UsageError("which server is not said", "--config FILE, or --url URL");
  const given = new Map([["config", file]]);
  const { configuration } = await loadConfiguration({ operands: [], switches, values: given, lists });
  if (configuration.admin === undefined) {
    throw new UsageError(`${file} has no admin, so that nobody can ask its server`, "admin: { unix: admin.sock }");
  }
  const { admin } = configuration;
  const token = await readToken(tokenFile ?? admin.tokenFile);
  if (admin.unix !== undefined) return { url: "http://localhost", unix: admin.unix, token, name: admin.unix };
  return await placeOfListener(configuration, admin, { token, ca });
}

async function placeOfUrl(
  text: string,
  { tokenFile, ca }: { readonly tokenFile: string | undefined; readonly ca: string | undefined },
): Promise<AdminPlace> {
  const [, socket] = /^unix:(?:\/\/)?(\/.+)$/.exec(text) ?? [];
  const token = await readToken(tokenFile);
  if (socket !== undefined) return { url: "http://localhost", unix: socket, token, name: socket };
  const url = URL.parse(text);
  const isWeb = url !== null && ["http:", "https:"].includes(url.protocol);
  if (!isWeb || !["", "/"].includes(url.pathname) || url.search !== "" || url.username !== "" || url.password !== "") {
    throw new UsageError("this is no URL of an admin listener (--url)", "--url https://ftp.example.org:8021");
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new UsageError(
      `the token would go to ${url.host} in clear (--url)`,
      "https://, with admin.tls; or ssh -L 8021:localhost:8021",
    );
  }
  if (token === undefined) throw new UsageError("the token is missing (--token-file)", "--token-file FILE");
  return { url: url.origin, token, ca, name: url.origin };
}

/** The listener of a configuration, on this host. */
async function placeOfListener(
  { tls }: Configuration,
  { host, port, tls: hasTls }: Admin,
  { token, ca }: { readonly token: string | undefined; readonly ca: string | undefined },
): Promise<AdminPlace> {
  if (port === 0) throw new UsageError("admin.port is 0: any port, which nobody else knows", "--url URL");
  const local = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  if (!hasTls || tls.certificate === undefined) {
    const url = `http://${formatSocketAddress({ host: local, port })}`;
    return { url, token, name: url };
  }
  const { text } = await readPemFile(tls.certificate, ["tls", "certificate"]);
  const url = `https://${formatSocketAddress({ host: nameFor(text, local), port })}`;
  // Who has issued it need not be known to the system: it is the very file that the server uses.
  return { url, token, ca: ca === undefined ? text : `${ca}\n${text}`, name: url };
}

/** A name of the certificate that leads to the same host, where there is one; else the address itself, which then is refused. */
function nameFor(pem: string, host: string): string {
  const certificate = new X509Certificate(pem);
  if (certificate.checkIP(host) !== undefined) return host;
  if (isLoopback(host)) return certificate.checkHost("localhost") === undefined ? host : "localhost";
  const [, name] = /(?:^|, )DNS:([^*,]+)(?:,|$)/.exec(certificate.subjectAltName ?? "") ?? [];
  return name ?? host;
}

async function readToken(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const token = (await readPemFile(file, ["--token-file"])).text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new StartError(`${file} holds no token (--token-file)`, HINT);
}

function isLoopback(hostname: string): boolean {
  const isIpv4 = ipFamily(hostname) === 4 && hostname.startsWith("127."); // and not a name that begins like that
  return hostname === "localhost" || isIpv4 || hostname === "::1" || hostname === "[::1]";
}
