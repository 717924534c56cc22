import { assert, assertEquals, assertGreater } from "@std/assert";
import { codeSpans, prose, readPage, readPages, ROOT } from "./pages.ts";

/** A text of the code, with what is put in at run time. */
interface Literal {
  readonly text: string;
  /** What a text has to look like to be one of these. */
  readonly pattern: RegExp;
}

const STRING = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/.source;

const PLACEHOLDER = /\$\{(?:[^{}]|\{[^}]*\})*\}/g;

function toLiteral(source: string): Literal {
  const text = source.slice(1, -1).replaceAll('\\"', '"');
  const parts = text.split(PLACEHOLDER).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return { text, pattern: new RegExp(`^${parts.join(".+")}$`) };
}

function* sourceFiles(folder: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sourceFiles(new URL(`${name}/`, folder));
    else yield Deno.readTextFileSync(new URL(name, folder));
  }
}

const COMMAND_SOURCES = [...sourceFiles(new URL("lib/commands/", ROOT))];
const SESSION_SOURCES = ["control/", "server/", "state/"].flatMap((
  name,
) => [...sourceFiles(new URL(`lib/${name}`, ROOT))]);
const SOURCES = [...COMMAND_SOURCES, ...SESSION_SOURCES];
const LITERALS = SOURCES.flatMap((source) =>
  [...source.matchAll(new RegExp(STRING, "g"))].map(([literal]) => toLiteral(literal))
    // What is put together of nothing but values would be like any text.
    .filter(({ text }) => text.replace(PLACEHOLDER, "").length >= 8)
);

/** Negative replies whose code and text stand together, and texts with which sessions end or do not begin. */
const NEGATIVE: readonly { readonly code: string; readonly literal: Literal }[] = [
  ...SOURCES.flatMap((source) =>
    [...source.matchAll(new RegExp(`\\breply\\(\\s*([45]\\d\\d),\\s*(${STRING})`, "g"))].map((
      [, code = "", text = ""],
    ) => ({ code, literal: toLiteral(text) }))
  ),
  ...SESSION_SOURCES.flatMap((source) =>
    [...source.matchAll(
      new RegExp(`(?:\\breturn|#end(?:\\.closeNow)?\\(|(?:TIMED_OUT|BANNED|[A-Z]+_FULL|text) =) ?(${STRING})`, "g"),
    )]
      .map(([, text = ""]) => ({ code: "421", literal: toLiteral(text) }))
      .filter(({ literal: { text } }) => /^[A-Z][\w, ]+[.]/.test(text))
  ),
];

/**
 * Pages about this server as it is: decisions are not edited, differences show another server's replies, too, and
 * interop.md names the beginnings of some.
 */
const OTHER_PAGES = ["docs/differences-from-pyftpdlib.md", "docs/interop.md"];
const PATHS = readPages("docs/").map(({ path }) => path)
  .filter((path) => !path.startsWith("docs/decisions/") && !OTHER_PAGES.includes(path));

/** What a page shows as a reply: `550 Permission denied.` */
function repliesIn(path: string): string[] {
  return codeSpans(prose(readPage(path))).filter((code) => /^[1-5]\d\d [A-Z/"`]/.test(code));
}

Deno.test("The replies that pages show are those of the code", () => {
  const shown = PATHS.flatMap((path) => repliesIn(path).map((reply) => ({ path, reply })));
  assertGreater(shown.length, 70);
  const unknown = shown.filter(({ reply }) => {
    // "421 Too many connections. …" and "227 Entering Passive Mode (…)" leave out what does not matter.
    const text = reply.slice(4).replace(/ …$/, "").replace("(…)", "(1,2,3,4,5,6)");
    const beginning = (literal: Literal) => reply.endsWith(" …") && literal.text.startsWith(text);
    return !LITERALS.some((literal) => literal.pattern.test(text) || beginning(literal) || isLastTry(literal, text));
  });
  assertEquals(unknown.map(({ path, reply }) => `${path}: ${reply}`), []);
});

/** The last login of a session that may fail is told more. */
function isLastTry({ text }: Literal, shown: string): boolean {
  return shown.endsWith(" Disconnecting.") && text === shown.slice(0, -" Disconnecting.".length);
}

Deno.test("The negative replies that pages show have the codes of the code", () => {
  const wrong = PATHS.flatMap((path) =>
    repliesIn(path).filter((reply) => /^[45]/.test(reply)).flatMap((reply) => {
      const codes = NEGATIVE.filter(({ literal }) => literal.pattern.test(reply.slice(4))).map(({ code }) => code);
      return codes.length === 0 || codes.includes(reply.slice(0, 3)) ? [] : [`${path}: ${reply} is ${codes}`];
    })
  );
  assertEquals(wrong, []);
});

/** Replies that say themselves what a client did wrong. */
const OWN_WORDS = /^50[134]$/;

Deno.test("docs/troubleshooting.md has every negative reply that does not explain itself, with its code", () => {
  const shown = repliesIn("docs/troubleshooting.md");
  const missing = NEGATIVE.filter(({ code, literal }) =>
    !OWN_WORDS.test(code) &&
    !shown.some((reply) => reply.startsWith(`${code} `) && literal.pattern.test(reply.slice(4)))
  );
  assertEquals([...new Set(missing.map(({ code, literal }) => `${code} ${literal.text}`))], []);
  assertGreater(NEGATIVE.length, 90);
});

Deno.test("NEGATIVE has the replies that end a session", () => {
  const texts = NEGATIVE.filter(({ code }) => code === "421").map(({ literal }) => literal.text);
  for (
    const text of [
      "Too many connections. Service temporarily unavailable.",
      "Login timed out.",
      "Control connection timed out.",
      "Service is stopping.",
      "Too many failed logins, try again later.",
      "Disconnected by the server.",
    ]
  ) assert(texts.includes(text), text);
});
