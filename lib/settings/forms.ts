/**
 * The forms of single settings, each with the words for what is wanted.
 *
 * @module
 */

import * as v from "valibot";
import { ALL_PERMISSIONS } from "../accounts/permission.ts";
import { parseAddressRange } from "../protocol/address_range.ts";
import { ipFamily, isLinkLocal, sameHost } from "../protocol/host_port.ts";
import { hasForbiddenCharacter, resolvePathname } from "../protocol/pathname.ts";
import { findTotpSecretProblem } from "../accounts/second_factor.ts";
import { isTimeZone, parseWeeklyHours } from "../weekly_hours.ts";

/** A schema whose values come out as `Output`. */
export type Form<Input, Output = Input> = v.GenericSchema<Input, Output>;

/** What a form's metadata may hold. */
export interface FormMetadata {
  /** The words for what is wanted. */
  readonly form?: string;
  /** All values there are, where they are few. */
  readonly choices?: readonly string[];
  /** Its type in TypeScript, where its structure does not say it. */
  readonly typeText?: string;
  /** Whether it is a path of the host. */
  readonly isPath?: true;
}

/** Ports from `from` to `to`, both included, 1 to 65535. */
export interface PortRange {
  /** First port. */
  readonly from: number;
  /** Last port, not below the first. */
  readonly to: number;
}

type Message = (issue: { readonly input: unknown }) => string;

const MAX_PORT = 65535;
/** The longest time a timer can wait, in whole seconds. */
const MAX_SECONDS = Math.floor(2 ** 31 / 1000) - 1;
/** Most event loops there may be. */
const MAX_WORKERS = 64;
const SIZE_REGEXP = /^(\d{1,16}(?:\.\d{1,16})?) ?(B|KiB|MiB|GiB|TiB)?$/;
const SIZE_UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
const RANGE_REGEXP = /^(\d{1,5})-(\d{1,5})$/;
const DAY_REGEXP = /^\d{4}-\d{2}-\d{2}$/;

/** The message for a value that is not of the wanted form; it shows the value. */
export function unwanted(wanted: string): Message {
  return ({ input }) => absent(input, wanted) ?? `${show(input)} is not ${wanted}`;
}

/** The same for text: what YAML reads as something else is to be quoted. */
function unwantedText(wanted: string): Message {
  return ({ input }) => {
    const hint = typeof input === "number" || typeof input === "boolean" ? "; put it in quotes" : "";
    return `${unwanted(wanted)({ input })}${hint}`;
  };
}

/** The same without the value, in which there may be a secret. */
function unwantedSecret(wanted: string): Message {
  return ({ input }) =>
    absent(input, wanted) ?? `${typeof input === "object" ? show(input) : "the value"} is not ${wanted}`;
}

function absent(input: unknown, wanted: string): string | undefined {
  if (input === undefined) return `is missing; give ${wanted}`;
  return input === null ? `has no value; give ${wanted}` : undefined;
}

/** A value in one short line. */
export function show(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "a mapping";
  // Behind a line break may be what a file holds, such as a key.
  const shown = typeof value === "string" ? value.replace(/\p{Cc}.*/su, "…") : value;
  const text = typeof shown === "string" ? JSON.stringify(shown) : String(shown);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Keeps the words for what is wanted, for the documentation, and what else there is to know. */
function described<Value>(
  form: string,
  more: Omit<FormMetadata, "form"> = {},
): v.MetadataAction<Value, Record<string, unknown>> {
  return v.metadata({ form, ...more });
}

/** A text that is not empty and has no control characters. */
export function text(wanted: string): Form<string> {
  const message = unwantedText(wanted);
  return v.pipe(
    v.string(message),
    v.minLength(1, message),
    v.check((value) => !/\p{Cc}/u.test(value), unwanted(`${wanted} without control characters`)),
    described(wanted),
  );
}

/** A path of the host, absolute or from the folder of the file. */
export function hostPath(wanted: string): Form<string> {
  return v.pipe(text(wanted), described(wanted, { isPath: true }));
}

/** A text for clients: one line or more, those that are empty at the end left out. Nobody has to greet. */
export const greeting: Form<string> = v.pipe(
  v.string(unwantedText("a text")),
  v.transform((value) => value.replace(/(?<!\n)\n+$/, "")),
  described("text"),
);

/** The same of what must be said. */
export const clientText: Form<string> = v.pipe(greeting, v.minLength(1, unwantedText("a text")));

/** A statement of SQL, on one line or several. */
export const statement: Form<string> = v.pipe(
  v.string(unwantedText("a statement with $1")),
  v.includes("$1", unwanted("a statement with $1")),
  described("a statement with `$1`"),
);

/** A text that no message shows. */
export function secret(wanted: string): Form<string> {
  const message: Message = ({ input }) => absent(input, wanted) ?? `the value is not ${wanted}`;
  return v.pipe(v.string(message), v.minLength(1, message), described(wanted));
}

/** The secret of one-time codes. */
export const codeSecret: Form<string> = v.pipe(
  secret("a secret in base32, 16 bytes or more; make one with: ftpsd user totp"),
  v.check(
    (value) => findTotpSecretProblem(value) === undefined,
    "the value is not a secret in base32, 16 bytes or more; make one with: ftpsd user totp",
  ),
  described("a secret in base32, 16 bytes or more"),
);

/** A text in PEM; what it holds is read where it is used. */
export const pem: Form<string> = secret("a text in PEM");

/** `true` or `false`. */
export const truth: Form<boolean> = v.pipe(
  v.boolean(unwanted("true or false")),
  described("`true` or `false`"),
);

/**
 * One of a few words.
 *
 * @param options.form What the documentation says instead of all the words.
 * @param options.typeText Name of the type in TypeScript.
 */
export function choice<const Choices extends readonly string[]>(
  choices: Choices,
  { form = choices.map((word) => `\`${word}\``).join(", "), ...more }: Pick<FormMetadata, "form" | "typeText"> = {},
): Form<Choices[number]> {
  return v.pipe(
    v.picklist(choices, unwanted(`one of ${choices.join(", ")}`)),
    described(form, { choices, ...more }),
  );
}

/** A whole number in a range. */
export function wholeNumber(least: number, most: number, what: string): Form<number> {
  const wanted = `${what}, ${least} ${most === Number.MAX_SAFE_INTEGER ? "or more" : `to ${most}`}`;
  const message = unwanted(wanted);
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(least, message),
    v.maxValue(most, message),
    described(wanted),
  );
}

/** A number of things, 0 for no limit. */
export const count: Form<number> = wholeNumber(0, Number.MAX_SAFE_INTEGER, "a whole number");

const WANTED_WORKERS = `auto, or a whole number, 1 to ${MAX_WORKERS}`;

/** A number of event loops, or `auto`. */
export const workers: Form<number | "auto"> = v.pipe(
  v.union([v.literal("auto"), v.number()], unwanted(WANTED_WORKERS)),
  v.check(
    (value) => value === "auto" || (Number.isInteger(value) && value >= 1 && value <= MAX_WORKERS),
    unwanted(WANTED_WORKERS),
  ),
  described(WANTED_WORKERS.replace("auto", "`auto`"), { typeText: 'number | "auto"' }),
);

/** A port, 0 for any. */
export const port: Form<number> = wholeNumber(0, MAX_PORT, "a port");

/** Seconds, fractions allowed, 0 for no limit. */
export const seconds: Form<number> = numberOfSeconds(`a number of seconds, 0 to ${MAX_SECONDS}`);

const OVER_ZERO = `a number of seconds over 0, to ${MAX_SECONDS}`;

/** Seconds, fractions allowed, not 0: of what cannot be without end. */
export const secondsOverZero: Form<number> = v.pipe(
  numberOfSeconds(OVER_ZERO),
  v.check((value) => value > 0, unwanted(OVER_ZERO)),
  described(OVER_ZERO),
);

function numberOfSeconds(wanted: string): Form<number> {
  const message = unwanted(wanted);
  return v.pipe(v.number(message), v.minValue(0, message), v.maxValue(MAX_SECONDS, message), described(wanted));
}

/** Bytes: a whole number, or a number with a unit as `10MiB`. */
export const bytes: Form<number | string, number> = size("a size: bytes, or a number with KiB, MiB or GiB as 10MiB");

function size(wanted: string): Form<number | string, number> {
  const message = unwanted(wanted);
  return v.pipe(
    v.union([v.pipe(v.number(), v.minValue(0, message)), v.pipe(v.string(), v.regex(SIZE_REGEXP, message))], message),
    v.check((value) => sizeInBytes(value) !== undefined, message),
    v.transform((value) => sizeInBytes(value) ?? 0),
    described(wanted),
  );
}

function sizeInBytes(value: number | string): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  const [, number, unit = "B"] = SIZE_REGEXP.exec(value) ?? [];
  const result = Number(number) * SIZE_UNITS[unit as keyof typeof SIZE_UNITS];
  return Number.isSafeInteger(result) ? result : undefined;
}

/** A numeric address. */
export const address: Form<string> = addressThat(
  (host) => ipFamily(host) !== undefined,
  "a numeric IPv4 or IPv6 address",
);

/** A numeric address to listen on: the runtime knows no zones, without which those of a link mean nothing. */
export const listenAddress: Form<string> = addressThat(
  (host) => ipFamily(host) !== undefined && !isLinkLocal(host),
  "a numeric IPv4 or IPv6 address, not of a link (fe80::)",
);

/** A numeric IPv4 address of a host: what PASV can announce. */
export const ipv4Address: Form<string> = addressThat(
  isAnnounceable,
  "a numeric IPv4 address of a host",
);

/** The same, or the name of a host, which is resolved anew each minute. */
export const announcedAddress: Form<string> = addressThat(
  (value) => isAnnounceable(value) || isHostName(value),
  "a numeric IPv4 address of a host, or its name such as ftp.example.org",
);

/**
 * Returns whether a text is a name of RFC 1123 §2.1 that cannot be meant as an address: it has two labels at least, or is
 * `localhost`, and the last label is not a number.
 */
function isHostName(text: string): boolean {
  const labels = text.split(".");
  if (text.length > 253 || !labels.every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label))) return false;
  return /[a-z]/i.test(labels.at(-1) ?? "") && (labels.length > 1 || text === "localhost");
}

/** A numeric address, or a network of them. */
export const addressRange: Form<string> = addressThat(
  (value) => parseAddressRange(value) !== undefined,
  "a numeric address, or a network such as 10.0.0.0/8",
);

function addressThat(fits: (host: string) => boolean, wanted: string): Form<string> {
  const message = unwanted(wanted);
  return v.pipe(v.string(message), v.check(fits, message), described(wanted));
}

/** Returns whether PASV can announce an address: that of a host, in IPv4. */
function isAnnounceable(address: string): boolean {
  return ipFamily(address) === 4 && address !== "0.0.0.0";
}

/** Directories of CAs that have a name of ours. */
export const ACME_DIRECTORIES: Readonly<Record<string, string>> = {
  "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
};

const WANTED_DIRECTORY = "letsencrypt, letsencrypt-staging, or the address of a directory over https://";

/** The directory of a CA. */
export const acmeDirectory: Form<string> = v.pipe(
  v.string(unwanted(WANTED_DIRECTORY)),
  v.check((value) => Object.hasOwn(ACME_DIRECTORIES, value) || isDirectoryUrl(value), unwanted(WANTED_DIRECTORY)),
  v.transform((value) => Object.hasOwn(ACME_DIRECTORIES, value) ? ACME_DIRECTORIES[value] ?? value : value),
  described("`letsencrypt`, `letsencrypt-staging`, or the address of a directory over `https://`"),
);

function isDirectoryUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "https:" && url.username === "" && url.password === "" && url.hash === "";
}

const WANTED_NAMES = "names of hosts such as ftp.example.org, without *";
/** Most names of a certificate, as Let's Encrypt has it. */
const MAX_NAMES = 100;

/** Names of a certificate: a list, or one text with commas. They come out in small letters. */
export const certificateNames: Form<string | string[], string[]> = v.pipe(
  v.union([v.string(), v.array(v.string())], unwanted(WANTED_NAMES)),
  v.transform((given) =>
    (typeof given === "string" ? given.split(",") : given).map((name) => name.trim().toLowerCase())
  ),
  v.check(
    (names) => names.length > 0 && names.every((name) => isHostName(name) && name !== "localhost"),
    ({ input }) => {
      const wrong = (input as readonly string[]).find((name) => !isHostName(name) || name === "localhost");
      return wrong === undefined
        ? `has no entry; give ${WANTED_NAMES}`
        : `${show(wrong)} is not one of ${WANTED_NAMES}`;
    },
  ),
  v.check((names) => new Set(names).size === names.length, "has a name twice"),
  v.check((names) => names.length <= MAX_NAMES, `has more than ${MAX_NAMES} names`),
  described(WANTED_NAMES, { typeText: "string | readonly string[]" }),
);

const WANTED_EMAIL = "an address of e-mail such as admin@example.org";

/** An address of e-mail. */
export const emailAddress: Form<string> = v.pipe(
  v.string(unwanted(WANTED_EMAIL)),
  v.regex(/^[^\s@,?#<>:]{1,64}@[^\s@,?#<>:]{1,255}$/, unwanted(WANTED_EMAIL)),
  described(WANTED_EMAIL),
);

/** Ports: `50000-50100`, or both ends. */
export const portRange: Form<string | PortRange, PortRange> = rangeOfPorts(
  `a range of ports such as 50000-50100, 1 to ${MAX_PORT}`,
);

function rangeOfPorts(wanted: string): Form<string | PortRange, PortRange> {
  const message = unwanted(wanted);
  const ends = wholeNumber(1, MAX_PORT, "a port");
  return v.pipe(
    v.union([v.pipe(v.string(), v.regex(RANGE_REGEXP)), v.strictObject({ from: ends, to: ends })], message),
    v.check((range) => parseRange(range) !== undefined, message),
    v.transform((range) => parseRange(range) ?? { from: 0, to: 0 }),
    described(wanted, { typeText: "PortRange | string" }),
  );
}

function parseRange(range: string | PortRange): PortRange | undefined {
  const [from = 0, to = 0] = typeof range === "string"
    ? RANGE_REGEXP.exec(range)?.slice(1).map(Number) ?? []
    : [range.from, range.to];
  return from >= 1 && to <= MAX_PORT && from <= to ? { from, to } : undefined;
}

/** Permission letters, none for an account that may only log in. */
export const permissions: Form<string> = v.pipe(
  v.string(unwantedText(`letters of ${ALL_PERMISSIONS}`)),
  v.regex(
    new RegExp(`^[${ALL_PERMISSIONS}]*$`),
    ({ input }) => `unknown letter ${show(unknownLetter(input))}; use letters of ${ALL_PERMISSIONS}`,
  ),
  described(`letters of \`${ALL_PERMISSIONS}\``),
);

function unknownLetter(letters: string): string | undefined {
  return [...letters].find((letter) => !ALL_PERMISSIONS.includes(letter));
}

/** A virtual path: absolute and normalised, as `overridePermissions()` wants it. */
export const virtualPath: Form<string> = absolutePath("a path of the account such as /incoming, without . and ..");

/** The same of a place where something else than the home can be: not the root. */
export const mountPath: Form<string> = v.pipe(
  absolutePath("a path of the account such as /shared, without . and .."),
  v.check((path) => path !== "/", unwanted("a path below the root such as /shared")),
);

/** Longest pattern, and most of them: a name is compared with each, in no more steps than characters times characters. */
const MAX_PATTERN_LENGTH = 255;
const MAX_PATTERNS = 100;

/** A pattern of names. */
const namePattern: Form<string> = patternOf("a pattern of names such as *.exe, without /");

function patternOf(wanted: string): Form<string> {
  const message = unwantedText(wanted);
  return v.pipe(
    text(wanted),
    v.check((pattern) => !pattern.includes("/"), message),
    v.maxLength(MAX_PATTERN_LENGTH, `has more than ${MAX_PATTERN_LENGTH} characters`),
    described(wanted),
  );
}

function absolutePath(wanted: string): Form<string> {
  const message = unwanted(wanted);
  return v.pipe(
    v.string(message),
    v.regex(/^\//, message),
    v.check((path) => resolvePathname("/", path) === path && !hasForbiddenCharacter(path), message),
    described(wanted),
  );
}

/** A day, `2027-01-31`; it comes out as its first moment in UTC. */
export const day: Form<string, Date> = calendarDay("a day such as 2027-01-31");

function calendarDay(wanted: string): Form<string, Date> {
  const message = unwanted(wanted);
  return v.pipe(
    v.string(message),
    v.regex(DAY_REGEXP, message),
    v.check((value) => parseDay(value) !== undefined, message),
    v.transform((value) => parseDay(value) ?? new Date(NaN)),
    described(wanted),
  );
}

function parseDay(value: string): Date | undefined {
  const date = new Date(`${value}T00:00:00Z`);
  // The runtime takes 31 February for 3 March.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value) ? date : undefined;
}

const MOMENT_REGEXP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})$/;
const DAY_MS = 86_400_000;

/** The last day, in UTC, or a moment with its offset; it comes out as the first moment at which it is over. */
export const lastDayOrMoment: Form<string, Date> = endingForm(
  "a day such as 2027-12-31, or a moment such as 2027-12-31T18:00+01:00",
);

function endingForm(wanted: string): Form<string, Date> {
  const message = unwanted(wanted);
  return v.pipe(
    v.string(message),
    v.check((value) => parseEnd(value) !== undefined, message),
    v.transform((value) => parseEnd(value) ?? new Date(NaN)),
    described(wanted),
  );
}

function parseEnd(value: string): Date | undefined {
  if (DAY_REGEXP.test(value)) {
    const first = parseDay(value);
    return first && new Date(first.getTime() + DAY_MS);
  }
  const date = new Date(value);
  const isSound = MOMENT_REGEXP.test(value) && parseDay(value.slice(0, 10)) !== undefined;
  return isSound && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** Hours of the week. */
export const weeklyHours: Form<string> = textThat(
  (value) => parseWeeklyHours(value) !== undefined,
  "hours such as Mo-Fr 08:00-18:00",
);

/** A time zone. */
export const timeZone: Form<string> = textThat(isTimeZone, "a time zone such as Europe/Berlin");

function textThat(fits: (text: string) => boolean, wanted: string): Form<string> {
  const message = unwantedText(wanted);
  return v.pipe(v.string(message), v.check(fits, message), described(wanted));
}

/**
 * Keys and their forms, no others. A list is none.
 *
 * @param options.isSecret Whether no message shows what is given in its place.
 */
export function mapping<const Entries extends v.ObjectEntries>(
  entries: Entries,
  { isSecret = false }: { readonly isSecret?: boolean } = {},
): v.SchemaWithPipe<
  readonly [v.CustomSchema<Record<string, unknown>, Message>, v.StrictObjectSchema<Entries, Message>]
> {
  return v.pipe(isSecret ? isSecretMapping : isMapping, v.strictObject(entries, unwanted("a mapping")));
}

const isMapping = mappingOrElse(unwanted("a mapping"));
const isSecretMapping = mappingOrElse(unwantedSecret("a mapping"));

function mappingOrElse(message: Message): v.CustomSchema<Record<string, unknown>, Message> {
  // Objects alone would do for valibot, and so lists.
  return v.custom((value) => typeof value === "object" && value !== null && !Array.isArray(value), message);
}

/** Numeric addresses, each once, with an IPv4 address of a host. */
export const addressTable: Form<Record<string, string>> = tableOfAddresses(
  "local addresses, each with a numeric IPv4 address of a host",
);

function tableOfAddresses(wanted: string): Form<Record<string, string>> {
  return v.pipe(
    isMapping,
    v.record(address, ipv4Address),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const { value } = dataset;
      for (const [index, local] of Object.keys(value).entries()) {
        const same = Object.keys(value).slice(0, index).find((other) => sameHost(other, local));
        if (same === undefined) continue;
        const path = { type: "object", origin: "key", input: value, key: local, value: value[local] } as const;
        addIssue({ message: `is the same address as ${same}`, path: [path] });
      }
    }),
    described(wanted, { typeText: "Readonly<Record<string, string>>" }),
  ) as unknown as Form<Record<string, string>>;
}

const NAME_REGEXP = /^[a-z][a-z0-9-]{0,62}$/i;

/** Mappings of one form, each under a name of its own. */
export function namedMappings<Input, Output>(
  item: Form<Input, Output>,
  wanted: string,
): Form<Record<string, Input>, Record<string, Output>> {
  const name = unwanted("a name of letters, digits and -");
  const named = v.record(v.pipe(v.string(), v.regex(NAME_REGEXP, name)), item, unwanted(wanted));
  return v.pipe(isMapping, named, described(wanted)) as unknown as Form<Record<string, Input>, Record<string, Output>>;
}

/** Where the files of an account are: a folder of the host, or a path in a store. */
export type Home = string | StoreHome;

/** A home in a store. */
export interface StoreHome {
  /** Name of the store. */
  readonly store: string;
  /** Path in it that is the root. */
  readonly path: string;
}

const WANTED_HOME = "a folder, or { store: NAME, path: /folder }";

/** A folder of the host, or a path in a store of `stores`. */
export const home: Form<Home> = v.pipe(
  v.union([
    text("a folder"),
    v.strictObject({ store: text("the name of a store"), path: absolutePath("a path of the store such as /alice") }),
  ], unwantedText(WANTED_HOME)),
  described(WANTED_HOME, { isPath: true, typeText: "Home" }),
);

/** Name of a bucket, of letters, digits, `.`, `_` and `-`. */
export const bucketName: Form<string> = v.pipe(
  text("the name of a bucket"),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/, unwanted("the name of a bucket")),
  described("the name of a bucket"),
);

/** The address of a web service: `https://host`, with a port and a path if need be. */
export const httpUrl: Form<string> = urlOf("the address of a service such as https://s3.example.org");

function urlOf(wanted: string): Form<string> {
  const message = unwanted(wanted);
  return v.pipe(v.string(message), v.check(isHttpUrl, message), described(wanted));
}

/** Without a name, a password, a query: they would be lost, or shown in a log. */
function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

const FINGERPRINT_REGEXP = /^(?:[\da-f]{2}:){31}[\da-f]{2}$|^[\da-f]{64}$/i;

/** The SHA-256 of a certificate; it comes out with colons. */
export const fingerprint: Form<string> = fingerprintOf(
  "a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons",
);

function fingerprintOf(wanted: string): Form<string> {
  const message = unwantedText(wanted);
  return v.pipe(
    v.string(message),
    v.regex(FINGERPRINT_REGEXP, message),
    v.transform((value) => value.replaceAll(":", "").toUpperCase().replaceAll(/..(?=.)/g, "$&:")),
    described(wanted),
  );
}

/** An alternative name of a certificate, with its kind. */
export const alternativeName: Form<string> = alternativeNameOf(
  "a name such as email:alice@example.org, dns:, uri: or upn:",
);

function alternativeNameOf(wanted: string): Form<string> {
  const message = unwantedText(wanted);
  return v.pipe(text(wanted), v.regex(/^(?:dns|email|uri|upn):./, message), described(wanted));
}

const WANTED_ACCOUNT_URL =
  "the address of a hook such as https://intranet.example.org/login, or of a directory such as ldaps://ad.example.org";

/** The address of who checks passwords. */
export const accountUrl: Form<string> = v.pipe(
  v.string(unwanted(WANTED_ACCOUNT_URL)),
  v.check((value) => isHttpUrl(value) || isLdapUrl(value), unwanted(WANTED_ACCOUNT_URL)),
  described(WANTED_ACCOUNT_URL),
);

const WANTED_LDAP_URL = "the address of a directory such as ldaps://ad.example.org";

/** The address of a directory: `ldaps://host`, with a port if need be. */
export const ldapUrl: Form<string> = v.pipe(
  v.string(unwanted(WANTED_LDAP_URL)),
  v.check(isLdapUrl, unwanted(WANTED_LDAP_URL)),
  described(WANTED_LDAP_URL),
);

function isLdapUrl(text: string): boolean {
  const match = /^ldaps?:(\/\/[^/?#@]+)\/?$/i.exec(text);
  return match !== null && URL.parse(`http:${match[1]}`) !== null;
}

/** A text in which `{name}` stands for a name. */
export function template(wanted: string): Form<string> {
  return v.pipe(text(wanted), v.includes("{name}", unwanted(wanted)), described(wanted));
}

const WANTED_FILTER = "a filter of LDAP with {name}, such as (uid={name})";

/** A filter of LDAP (RFC 4515) with a placeholder; whether it is one is seen where it is read. */
export const ldapFilter: Form<string> = v.pipe(
  text(WANTED_FILTER),
  v.check((value) => value.startsWith("(") && value.endsWith(")"), unwanted(WANTED_FILTER)),
  described(WANTED_FILTER),
);

const WANTED_ATTRIBUTE = "the name of an attribute such as uid";

/** The name of an attribute of LDAP (RFC 4512 §1.4). */
export const ldapAttribute: Form<string> = v.pipe(
  text(WANTED_ATTRIBUTE),
  v.regex(/^[A-Za-z][A-Za-z0-9-]{0,99}$/, unwanted(WANTED_ATTRIBUTE)),
  described(WANTED_ATTRIBUTE),
);

/** Values one after the other. */
export function list<Input, Output>(item: Form<Input, Output>, wanted = "a list"): Form<Input[], Output[]> {
  return v.pipe(v.array(item, unwanted(wanted)), described(wanted));
}

/** The same where no message shows what is given in its place. */
export function secretList<Input, Output>(item: Form<Input, Output>): Form<Input[], Output[]> {
  return v.pipe(v.array(item, unwantedSecret("a list")), described("a list"));
}

/** Patterns of names. */
export const namePatterns: Form<string[]> = v.pipe(
  list(namePattern, "a list of patterns"),
  v.maxLength(MAX_PATTERNS, `has more than ${MAX_PATTERNS} entries`),
);
