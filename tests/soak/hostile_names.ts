/**
 * Asks a directory and a database for names that are made to find somebody else, and checks that none does.
 *
 * All entries have one password, so that whatever a name finds would come in. Run as a program:
 * `deno run -P=test tests/soak/hostile_names.ts [NAMES] [SEED]`, default 10,000 names. Exit status 0 when none has found an entry
 * of another name.
 *
 * @module
 */

import { LdapAccounts } from "../../lib/accounts/ldap/ldap_accounts.ts";
import { PostgresAccounts } from "../../lib/accounts/postgres_accounts.ts";
import { AccountRowError } from "../../lib/accounts/account_entries.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { BASE, personOf, SEARCHER, Slapd } from "../helpers/slapd.ts";
import { print } from "./figures.ts";
import { Random } from "./random.ts";

const PASSWORD = "shared";
const HASH = "$scrypt$ln=10,r=8,p=1$NvzDcEOLD/0zWzg4IxmJxw$x1DplbWaNGuK1YdnDb5pqwGevQSSbjw1JSvhHp0PLVg";
const USERS = ["alice", "bob", "carol", "o'neil", "a*b", "x,y"] as const;
/** Checks of the directory that are under way; a connection to the database runs one after the other. */
const AT_ONCE = 8;

/** What names are put together from. */
const PIECES: readonly string[] = [
  ...USERS,
  ...[
    "Alice",
    "BOB",
    "ａｌｉｃｅ",
    "a\u00adlice",
    "ali\u200bce",
    "a\u0301lice",
    "ß",
    "İ",
    "ﬁ",
    "𝕏",
    "\ufeff",
    "\u2028",
    "é",
  ],
  ...[
    "*",
    "(",
    ")",
    "\\",
    "\0",
    "&",
    "|",
    "!",
    "=",
    "~",
    "<",
    ">",
    ":",
    ",",
    "+",
    ";",
    "#",
    '"',
    "'",
    " ",
    "/",
    "..",
    "@",
    "{",
    "}",
  ],
  ...[
    "*)(uid=*",
    ")(|(uid=*",
    "*))(&(uid=bob",
    "bob)(objectClass=*",
    "\\2a",
    "\\28",
    "\\29",
    "\\00",
    "\\5c",
    "\\61lice",
    "%2a",
    "%00",
  ],
  ...[
    "bob,ou=people",
    `,${BASE}`,
    "+uid=bob",
    "uid=bob",
    `uid=bob,ou=people,${BASE}`,
    "#04036263",
    "\\,",
    "\\2c",
    "\\20",
    " bob ",
  ],
  ...[
    "' OR '1'='1",
    "'; DROP TABLE ftpsd.account; --",
    "$1",
    "$$",
    "E'\\x41'",
    "%",
    "_",
    "\\'",
    "' UNION SELECT 'bob'--",
    "/*",
    "--",
    "::text",
  ],
  ...[
    "{name}",
    "{dn}",
    "\r\n",
    "\t",
    "\x7f",
    "\ud800",
    "\udc00",
    "x".repeat(300),
    "é".repeat(127),
    "constructor",
    "__proto__",
  ],
];

/** What was found. */
export interface NamesReport {
  readonly names: number;
  /** How many found the entry that they are another spelling of. */
  readonly same: number;
  /** What should not have been found: the name, and whose entry it was. */
  readonly wrong: readonly string[];
}

/** A check of a name: the name of what it finds. */
type Lookup = (name: string) => Promise<string | undefined>;

/** Makes names of one to four pieces. */
export function makeNames(count: number, seed: number): readonly string[] {
  const random = new Random(seed);
  return Array.from(
    { length: count },
    () => Array.from({ length: 1 + random.below(4) }, () => random.pick(PIECES)).join(""),
  );
}

/** Asks a directory, by a search and by names of entries, in turns. */
export async function tryDirectory(names: readonly string[]): Promise<NamesReport> {
  const ldif = USERS.map((name) =>
    personOf(name, PASSWORD).replace(/^dn: .*/, `dn: uid=${name.replace(/[,*']/g, "\\$&")},ou=people,${BASE}`)
  );
  await using slapd = await Slapd.start({ ldif: ldif.map((entry) => entry.replace(/\\(['*])/g, "$1")).join("\n") });
  await Deno.writeTextFile(`${slapd.path}/search.pw`, SEARCHER.password);
  const addresses = [{
    host: "127.0.0.1",
    port: slapd.ports.ldaps,
    tls: "implicit",
    ca: await slapd.authority(),
  }] as const;
  const people = `ou=people,${BASE}`;
  const home = "/srv/{name}";
  const searcher = { bindDn: SEARCHER.dn, bindPasswordFile: `${slapd.path}/search.pw` };
  using bySearch = new LdapAccounts({ addresses, ...searcher, searchBase: people, searchFilter: "(uid={name})", home });
  using byName = new LdapAccounts({ addresses, userDn: `uid={name},${people}`, home });
  const { signal } = new AbortController();
  const lookup = (accounts: LdapAccounts): Lookup => async (username) =>
    (await accounts.login({ username, password: PASSWORD, remoteHost: "192.0.2.1" }, { signal }))?.name;
  for (const accounts of [bySearch, byName]) {
    for (const name of USERS) if (await lookup(accounts)(name) !== name) throw new Error(`${name} cannot log in`);
  }
  const half = names.length / 2;
  return await tryAll(names, (name, index) => lookup(index < half ? bySearch : byName)(name), {
    isSame: isSameInDirectory,
    atOnce: AT_ONCE,
  });
}

/** Asks a table of PostgreSQL. */
export async function tryDatabase(names: readonly string[]): Promise<NamesReport> {
  await using database = await TestDatabase.open();
  const connection = await database.connect();
  using _closed = connection;
  const query = (text: string, values: readonly string[]) => connection.query(text, values, 10_000);
  for (const name of USERS) {
    await query("INSERT INTO ftpsd.account (name, password, settings) VALUES ($1, $2, $3)", [
      name,
      HASH,
      '{"home": "a"}',
    ]);
  }
  const accounts = new PostgresAccounts({ query });
  const { signal } = new AbortController();
  const lookup: Lookup = async (name) => (await accounts.find(name, { signal }))?.name;
  const report = await tryAll(names, lookup, { isSame: (name, found) => name === found, atOnce: 1 });
  const [{ count } = { count: "" }] = await query("SELECT count(*) FROM ftpsd.account", []);
  return count === String(USERS.length) ? report : { ...report, wrong: [...report.wrong, `there are ${count} rows`] };
}

async function tryAll(
  names: readonly string[],
  lookup: (name: string, index: number) => Promise<string | undefined>,
  { isSame, atOnce }: {
    readonly isSame: (name: string, found: string) => boolean;
    readonly atOnce: number;
  },
): Promise<NamesReport> {
  const wrong: string[] = [];
  let same = 0;
  const queue = names.entries();
  const work = async () => {
    for (const [index, name] of queue) {
      try {
        const found = await lookup(name, index);
        if (found === undefined) continue;
        if (isSame(name, found)) same++;
        else wrong.push(`${JSON.stringify(name)} has found ${found}`);
      } catch (error) {
        if (!(error instanceof AccountRowError)) {
          wrong.push(`${JSON.stringify(name)}: ${error} ${error instanceof Error ? error.cause : ""}`);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { names: names.length, same, wrong };
}

/** Whether a directory takes a name for another spelling: case, composition, spaces, what nobody sees (RFC 4518 §2). */
function isSameInDirectory(name: string, found: string): boolean {
  const prepare = (text: string) =>
    text.normalize("NFKC").toLowerCase().normalize("NFKC").replace(/[\p{Cf}\u034f\ufe00-\ufe0f]/gu, "")
      .replace(/\s+/gu, " ").trim();
  return prepare(name) === prepare(found);
}

if (import.meta.main) {
  const [count = 10_000, seed = 1] = Deno.args.map(Number);
  const names = makeNames(count, seed);
  let isSound = true;
  for (const [what, run] of [["directory", tryDirectory], ["database", tryDatabase]] as const) {
    if (what === "database" && IS_POSTGRES_ABSENT) continue;
    const start = performance.now();
    const { same, wrong } = await run(names);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    print(
      `${what}: ${count} names in ${seconds} s, ${same} other spellings of the entry that they found, ${wrong.length} wrong`,
    );
    for (const line of wrong.slice(0, 20)) print(line);
    isSound &&= wrong.length === 0;
  }
  if (!isSound) Deno.exit(1);
}
