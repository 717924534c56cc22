/**
 * Where a database is, as the text of a URL says it.
 *
 * @module
 */

/** Where a database is, and who asks. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Whether it is spoken to over TLS, with its certificate verified; the other way is in clear. */
  readonly isEncrypted: boolean;
}

const DEFAULT_PORT = 5432;
const FORM = "postgres://user:password@host:5432/database";
/** Names of libpq. Encryption without verification is none: whoever is between has a certificate, too. */
const ENCRYPTED: Readonly<Record<string, boolean>> = { "verify-full": true, disable: false };

/**
 * Reads a URL such as `postgres://ftpsd:secret@db.example.org/ftpsd`.
 *
 * @param text May have space around it; `?sslmode=disable` speaks in clear, `verify-full` is what holds without it.
 * @throws {SyntaxError} When it is not one; the text, which has a password, is never in the message.
 */
export function parseDatabaseAddress(text: string): DatabaseAddress {
  const url = URL.parse(text.trim());
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol) || url.hostname === "") {
    throw new SyntaxError(`Cannot use the URL of the database: it has to be as ${FORM}`);
  }
  const database = decode(url.pathname.slice(1));
  const user = decode(url.username);
  if (user === "" || database === "" || database.includes("/")) {
    throw new SyntaxError(`Cannot use the URL of the database: it needs a user and a database, as in ${FORM}`);
  }
  for (const name of url.searchParams.keys()) {
    if (name !== "sslmode") throw new SyntaxError(`Cannot use the URL of the database: only sslmode may follow "?"`);
  }
  const isEncrypted = ENCRYPTED[url.searchParams.get("sslmode") ?? "verify-full"];
  if (isEncrypted === undefined) {
    throw new SyntaxError("Cannot use the URL of the database: sslmode has to be verify-full or disable");
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  return { host, port, user, password: decode(url.password), database, isEncrypted };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new SyntaxError('Cannot use the URL of the database: a "%" in it has to be written as "%25"', { cause });
  }
}
