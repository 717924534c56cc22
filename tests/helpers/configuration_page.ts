/**
 * The page about the configuration file, made of its schema.
 *
 * @module
 */

import * as v from "valibot";
import { rowMetadata } from "../../lib/settings/flags.ts";
import { CONFIGURATION } from "../../lib/settings/table.ts";
import { structureOf } from "../../lib/settings/unknown_keys.ts";

const INTRODUCTION = `# Configuration

<!-- Made of lib/settings/table.ts by \`deno task docs\`. -->

\`ftpsd --config ftpsd.yaml\` reads one YAML file. \`ftpsd check --config ftpsd.yaml\` says what is wrong with it, or
dangerous, and starts nothing. A file that is enough for one user:

\`\`\`yaml
# yaml-language-server: $schema=ftpsd.schema.json
users:
  - name: alice
    password: $scrypt$ln=17,r=8,p=1$…$… # ftpsd hash-password
    home: /srv/ftp/alice
\`\`\`

More are in [examples/](examples/). The first line lets editors check the file as it is written, with
[ftpsd.schema.json](ftpsd.schema.json).

## How the file is read

Every problem is told at once, each in a line with its place:

\`\`\`text
ftpsd.yaml:14: users[1].permissions: unknown letter "x"; use letters of elradfmwMT
\`\`\`

- An unknown key is an error, and so is a key without a value, and one that is given twice.
- Paths of the host are absolute or start from the folder of the file. Nothing is put in for \`~\` or \`$NAME\`.
- Times are seconds, fractions allowed. Sizes are bytes, or a number with \`KiB\`, \`MiB\`, \`GiB\` or \`TiB\`.
- YAML is read as its version 1.2 has it: \`yes\` is a text, and so is a day. Text that is a number or \`true\` needs quotes.
  Aliases (\`*name\`) work, merging of mappings (\`<<\`) does not. Indent with spaces. Write numbers without leading zeros.
- The file may have 4,194,304 characters.
- Options of the command line go before what the file says.
- SIGHUP has the file read again. One that is in error changes nothing.
`;

/** A row of a table: a key and what is to be known of it. */
interface Row {
  readonly key: string;
  readonly form: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** Writes the page, in Markdown that is not formatted yet. */
export function makeConfigurationPage(): string {
  const keys = Object.entries(structureOf(CONFIGURATION).entries ?? {});
  const general = keys.filter(([, schema]) => !hasKeys(schema)).map(([key, schema]) => rowOf(key, schema));
  const sections = keys.filter(([, schema]) => hasKeys(schema)).map(([key, schema]) => sectionOf(key, schema));
  return [INTRODUCTION, "## General", table(general), ...sections].join("\n\n");
}

function sectionOf(key: string, schema: v.GenericSchema): string {
  const { form, fallback, meaning } = rowOf(key, schema);
  const isList = form === "a list" || structureOf(schema).value !== undefined;
  const without = fallback === "" ? "" : ` Default: ${fallback}.`;
  const kind = structureOf(schema).value === undefined ? "A list." : "A mapping of names.";
  const description = isList ? `${kind} ${meaning}${without} Each entry has:` : `${meaning}${without}`;
  return [`## \`${key}\``, description, table([...rowsWithin(schema)])].join("\n\n");
}

/** Rows for all keys within a mapping or the entries of a list, at any depth. */
function* rowsWithin(schema: v.GenericSchema, prefix = ""): Generator<Row> {
  const { entries, item, value } = structureOf(schema);
  const entry = item ?? value;
  if (entry !== undefined) return yield* rowsWithin(entry, prefix);
  for (const [name, form] of Object.entries(entries ?? {})) {
    yield rowOf(`${prefix}${name}`, form);
    const isList = structureOf(form).item !== undefined;
    if (hasKeys(form)) yield* rowsWithin(form, `${prefix}${name}${isList ? "[]" : ""}.`);
  }
}

function hasKeys(schema: v.GenericSchema): boolean {
  const { entries, item, value } = structureOf(schema);
  const entry = item ?? value;
  return entries !== undefined || (entry !== undefined && hasKeys(entry));
}

function rowOf(key: string, schema: v.GenericSchema): Row {
  const isOptional = "wrapped" in schema;
  const form = (isOptional ? schema.wrapped : schema) as v.GenericSchema;
  const meaning = v.getDescription(form as v.SchemaWithPipe<readonly [v.GenericSchema]>);
  if (meaning === undefined) throw new Error(`Cannot document "${key}": it has no description`);
  const { restart, ...row } = rowMetadata(schema);
  const waits = restart === undefined ? "" : ` ${restart === true ? "A change waits for a restart." : restart}`;
  return {
    key,
    form: row.form ?? "a mapping",
    fallback: isOptional ? fallbackOf(schema, form) : "required",
    meaning: `${meaning}${waits}`,
  };
}

/** What holds without the setting, with all that is in it; nothing for a group, whose rows say it. */
function fallbackOf(schema: v.GenericSchema, form: v.GenericSchema): string {
  const fallback: unknown = v.getDefault(schema);
  if (fallback === undefined || structureOf(form).entries !== undefined) return "";
  const value: unknown = v.parse(form, fallback);
  return JSON.stringify(value) === "{}" ? "" : `\`${flow(value)}\``;
}

/** Writes a value as YAML in flow style. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${Object.entries(value).map(([key, part]) => `${key}: ${flow(part)}`).join(", ")} }`;
}

function table(rows: readonly Row[]): string {
  return [
    "| key | form | default | meaning |",
    "| --- | --- | --- | --- |",
    ...rows.map(({ key, form, fallback, meaning }) => `| \`${key}\` | ${form} | ${fallback} | ${meaning} |`),
  ].join("\n");
}
