import { assertEquals, assertGreater } from "@std/assert";
import { COMMAND_ROWS } from "../../lib/cli/command_table.ts";
import { readGivenOptions } from "../../lib/cli/load_configuration.ts";
import { parseArguments, SERVE_OPTIONS } from "../../lib/cli/option_table.ts";
import { codeBlocks, codeSpans, type Page, prose, readPages, ROOT } from "./pages.ts";

/** A command of a block of shell lines: its words, without redirections. */
interface ShellCommand {
  readonly where: string;
  readonly words: readonly string[];
}

/** Words of a line, quotes taken off; what stands in quotes is kept as it is. */
const WORD = /'[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"|;&<>()#]+|[|;&<>()#]+/g;

/** Splits a line into commands, at `|`, `;` and `&&`. Redirections and comments are left out. */
function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  let isRedirection = false;
  for (const [word] of line.replace(/ \d+(?=[<>])/g, " ").matchAll(WORD)) {
    if (/^#/.test(word)) break;
    if (/^[|;&()]+$/.test(word)) commands.push([]);
    else if (/^[<>]+&?$/.test(word)) isRedirection = true;
    else if (isRedirection) isRedirection = false;
    else commands.at(-1)?.push(word.replace(/^(['"])(.*)\1$/, "$2"));
  }
  return commands.filter(({ length }) => length > 0);
}

function shellCommands(page: Page): ShellCommand[] {
  return codeBlocks(page).filter(({ language }) => language === "sh" || language === "bash").flatMap(({ text, line }) =>
    text.replaceAll("\\\n", " ").split("\n").flatMap((line) => commandsOf(line))
      .map((words) => ({ where: `${page.path}:${line}: ${words.join(" ")}`, words }))
  );
}

/** Command lines of the program within sentences. */
function inlineCommands(page: Page): ShellCommand[] {
  const names: readonly string[] = COMMAND_ROWS.map(({ name }) => name);
  return codeSpans(prose(page)).flatMap(commandsOf)
    .filter(([program, name = ""]) => program === "ftpsd" && (name.startsWith("-") || names.includes(name)))
    .map((words) => ({ where: `${page.path}: ${words.join(" ")}`, words }));
}

/** Arguments of the program; `undefined` for a command that is another one. */
function argumentsOf([program = "", ...rest]: readonly string[]): readonly string[] | undefined {
  if (program === "ftpsd") return rest;
  if (program !== "deno" || rest[0] !== "run") return undefined;
  const index = rest.findIndex((word) => /(?:^|\/)main\.ts$/.test(word));
  return index < 0 ? undefined : rest.slice(index + 1);
}

/** Reads arguments by the tables of the command line, as the program does; throws where it would. */
function requireReadable(args: readonly string[]): void {
  const named = COMMAND_ROWS.find(({ name }) => name === args[0]);
  const row = named ?? COMMAND_ROWS.find(({ name }) => name === "serve");
  if (row === undefined) throw new Error("There is no command serve");
  const own = row.options.flatMap(({ options }) => options);
  const parsed = parseArguments(
    named === undefined ? args : args.slice(1),
    row.takesServeOptions ? [...SERVE_OPTIONS, ...own] : own,
  );
  if (row.name === "serve" || row.takesServeOptions) readGivenOptions(parsed);
}

const COMMANDS = readPages().flatMap((page) => [...shellCommands(page), ...inlineCommands(page)]);

Deno.test("The command lines of the pages can be read by the tables of the command line", () => {
  const ours = COMMANDS.flatMap(({ where, words }) => {
    const args = argumentsOf(words);
    return args === undefined ? [] : [{ where, args }];
  });
  const unreadable = ours.flatMap(({ where, args }) => {
    try {
      requireReadable(args);
      return [];
    } catch (error) {
      return [`${where}: ${error}`];
    }
  });
  assertEquals(unreadable, []);
  assertGreater(ours.length, 50);
});

Deno.test("The tasks of the pages exist", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
  const named = COMMANDS.flatMap(({ where, words }) => {
    const [, , task] = /^(npx -y )?deno(?:@[\d.]+)? task (\S+)/.exec(words.join(" ")) ?? [];
    return task === undefined ? [] : [{ where, task }];
  });
  assertGreater(named.length, 2);
  assertEquals(named.filter(({ task }) => !Object.hasOwn(tasks, task)), []);
});

Deno.test("commandsOf() splits a line as a shell does, as far as the pages need it", () => {
  assertEquals(commandsOf("ftpsd -c 'a b' <in >out 2>>log | jq 'x' && b --c=d # e"), [
    ["ftpsd", "-c", "a b"],
    ["jq", "x"],
    ["b", "--c=d"],
  ]);
});
