/**
 * Listings as clients read them.
 *
 * @module
 */

/** An entry of MLSD or MLST. */
export interface FactsLine {
  /** By name, as it was written. */
  readonly facts: Readonly<Record<string, string>>;
  readonly name: string;
}

/**
 * Reads an entry by the grammar of RFC 3659 §7.2: `[ facts ] SP pathname`, facts being `1*( name "=" value ";" )`.
 *
 * @throws {Error} When it has another form.
 */
export function parseFactsLine(line: string): FactsLine {
  const space = line.indexOf(" ");
  if (space < 0) throw new Error(`No space in "${line}"`);
  const facts = line.slice(0, space);
  if (!/^([\w.]+=[^;]*;)*$/.test(facts)) throw new Error(`No facts: "${facts}"`);
  const pairs = facts.split(";").slice(0, -1).map((fact) => fact.split(/=(.*)/s).slice(0, 2));
  return { facts: Object.fromEntries(pairs), name: line.slice(space + 1) };
}

/** An entry of LIST. */
export interface UnixLine {
  readonly name: string;
  readonly type: "file" | "directory" | "link" | "other";
  readonly size: number;
  /** To the minute where the line has one, else to the day. */
  readonly modified: Date;
  readonly mode: number;
  readonly links: number;
  readonly owner: string;
  readonly group: string;
}

/** What clients look for: mode, links, owner, group, size, month, day, time or year, and after one space the name. */
const UNIX_LINE =
  /^([-dlp])([-r][-w][-xsS][-r][-w][-xsS][-r][-w][-xtT]) +(\d+) +(\S+) +(\S+) +(\d+) ([A-Z][a-z]{2}) +(\d{1,2}) +(\d\d:\d\d|\d{4}) (.*)$/s;

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const TYPES = { "-": "file", "d": "directory", "l": "link", "p": "other" } as const;

/**
 * Reads a line of LIST.
 *
 * @param now A time without year belongs to the twelve months before it.
 * @throws {Error} When the line has not the form of `ls -l`.
 */
export function parseUnixLine(line: string, now: Date): UnixLine {
  const fields = UNIX_LINE.exec(line);
  if (fields === null) throw new Error(`Not in the form of ls -l: "${line}"`);
  const [, type = "", mode = "", links, owner = "", group = "", size, month = "", day, time = "", name = ""] = fields;
  return {
    name,
    type: TYPES[type as keyof typeof TYPES],
    mode: parseMode(mode),
    links: Number(links),
    owner,
    group,
    size: Number(size),
    modified: parseTime(MONTHS.indexOf(month) / 3, Number(day), time, now),
  };
}

function parseMode(text: string): number {
  let mode = 0;
  for (let index = 0; index < 9; index++) {
    const character = text.charAt(index);
    // S and T stand for a special bit without the one of x.
    mode = 2 * mode + Number(/[rwxst]/.test(character));
  }
  const special = [2, 5, 8].map((index) => /[st]/i.test(text.charAt(index)) ? "1" : "0").join("");
  return Number.parseInt(special, 2) * 0o1000 + mode;
}

function parseTime(month: number, day: number, time: string, now: Date): Date {
  const date = new Date(0);
  if (!time.includes(":")) {
    date.setUTCFullYear(Number(time), month, day);
    return date;
  }
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  date.setUTCFullYear(now.getUTCFullYear(), month, day);
  date.setUTCHours(hours, minutes);
  if (date > now) date.setUTCFullYear(now.getUTCFullYear() - 1, month, day);
  return date;
}
