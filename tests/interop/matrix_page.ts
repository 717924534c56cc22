/**
 * The page docs/clients.md. Run as a program with the folder of the results, this writes it.
 *
 * @module
 */

import { formatDocument } from "../helpers/documents.ts";
import { type Column, CONNECTION_COLUMNS, OPERATION_COLUMNS } from "./real_client.ts";
import { type ClientResult, readResults, type Result, type TestResult } from "./results.ts";

/** Where the page is kept. */
export const PAGE = new URL("../../docs/clients.md", import.meta.url);

const INTRODUCTION = `# Clients

<!-- Made by \`deno task clients\` of what the clients have done. -->

Real clients, run against the server by its tests (\`tests/interop\`) in each run of CI. Every file is compared byte by byte
on both ends. Clients that know TLS are tested over TLS alone, with the server's default policy; the others over a clear
server, which takes \`tls.policy: off\` and three accepted risks.

| cell | what |
| ---- | ---- |
| ✓    | done and compared |
| –    | the client does not offer it, or not to scripts |
| ✗    | the client offers it and gets it wrong, as the note says; the test fails when that changes |`;

const CONNECTIONS = `## Connections

Each of explicit and implicit TLS moves files from 0 bytes to 16 MiB in both directions, over IPv4 and, where the client
has it, IPv6. _Refuses unknown certificates_: the connection ends before the login. _Resumes sessions_: 25 downloads in one
session from a server with \`tls.sessionReuse: require\`.`;

const OPERATIONS = `## Operations

Over explicit TLS 1.2 and 1.3 where the client knows it. _Abort_: a download is ended early, and the same session goes on.
_Parallel_: several connections at once. _Get matching_: \`mget *.txt\` and its
like. _Odd names_ have spaces, quotes, \`;\`, \`&\`, \`$\`, \`%\` and \`#\`.`;

/**
 * Makes the page of results, in Markdown that is not formatted yet.
 *
 * @throws {Error} When a test has failed, or a column was not tested.
 */
export function makeMatrixPage(results: readonly Result[]): string {
  const clients = results.filter((result): result is ClientResult => "origin" in result)
    .toSorted((a, b) => a.client.toLowerCase() < b.client.toLowerCase() ? -1 : 1);
  assertTested(clients, results.filter((result): result is TestResult => "test" in result));
  const notes = new Notes();
  const sections = [
    INTRODUCTION,
    CONNECTIONS,
    table(["client", "version", "from", "TLS by"], CONNECTION_COLUMNS, clients, (client) => [
      client.client + notes.mark(client.client, client.remark),
      client.version,
      client.origin,
      client.tls === "" ? "none" : client.tls,
    ], notes),
    OPERATIONS,
    table(["client"], OPERATION_COLUMNS, clients, ({ client }) => [client], notes),
    "## Notes",
    notes.text(),
  ];
  return sections.join("\n\n");
}

/** The page without what differs between machines: versions, and the widths that follow from them. */
export function withoutVersions(page: string): string {
  return page.replaceAll(/^(\|[^|]*\|) *\d[\d.]* *\|/gm, "$1 |").replaceAll(/ +/g, " ").replaceAll(/-{2,}/g, "--");
}

/** What the page says of a client: its rows, without versions, with the notes in the place of their marks. */
export function rowsOf(page: string, client: string): string[] {
  const notes = new Map(
    Array.from(page.matchAll(/^(\[\^\d+\]): (.*(?:\n {4}.*)*)/gm), ([, mark = "", text = ""]) => [mark, text]),
  );
  return withoutVersions(page).split("\n")
    .filter((line) => line.replaceAll(MARK, "").startsWith(`| ${client} |`))
    .map((row) => row.replaceAll(MARK, (mark) => ` (${notes.get(mark)})`).replaceAll(/\s+/g, " "));
}

/** Formats the page as it is kept. */
export function formatMatrixPage(results: readonly Result[]): Promise<string> {
  return formatDocument(makeMatrixPage(results), "md");
}

const MARK = /\[\^\d+\]/g;

/** Numbered notes, one for each thing about a client. */
class Notes {
  readonly #notes: { readonly client: string; readonly text: string; readonly columns: string[] }[] = [];

  /** The mark of a note, which is added when it is new; nothing for an empty text. */
  mark(client: string, text: string, column?: Column): string {
    if (text === "") return "";
    let index = this.#notes.findIndex((note) => note.client === client && note.text === text);
    if (index < 0) index = this.#notes.push({ client, text, columns: [] }) - 1;
    if (column !== undefined) this.#notes[index]?.columns.push(column);
    return `[^${index + 1}]`;
  }

  text(): string {
    return this.#notes.map(({ client, text, columns }, index) => {
      const what = columns.length > 0 ? `, ${columns.join(", ")}:` : "";
      return `[^${index + 1}]: **${client}**${what} ${text}.`;
    }).join("\n\n");
  }
}

function table(
  titles: readonly string[],
  columns: readonly Column[],
  clients: readonly ClientResult[],
  firstCells: (client: ClientResult) => readonly string[],
  notes: Notes,
): string {
  const rows = clients.map((client) => [
    ...firstCells(client),
    ...columns.map((column) => {
      const outcome = client.columns[column];
      if (outcome === undefined) return "–";
      return outcome === "ok" ? "✓" : `✗${notes.mark(client.client, outcome.defect, column)}`;
    }),
  ]);
  const head = [...titles, ...columns];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function assertTested(clients: readonly ClientResult[], tests: readonly TestResult[]): void {
  const failed = tests.filter(({ passed }) => !passed).map(({ client, test }) => `${client} ${test}`);
  if (failed.length > 0) throw new Error(`Cannot make the page, tests have failed: ${failed.join("; ")}`);
  const done = new Set(tests.flatMap(({ client, columns }) => columns.map((column) => `${client}: ${column}`)));
  const missing = clients.flatMap(({ client, columns }) => Object.keys(columns).map((column) => `${client}: ${column}`))
    .filter((cell) => !done.has(cell));
  if (missing.length > 0) throw new Error(`Cannot make the page, nothing has tested: ${missing.join("; ")}`);
}

if (import.meta.main) {
  const [folder] = Deno.args;
  if (folder === undefined) throw new TypeError("Cannot write the page: say in which folder the results are");
  await Deno.writeTextFile(PAGE, await formatMatrixPage(await readResults(folder)));
}
