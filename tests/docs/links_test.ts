import { assertEquals, assertGreater } from "@std/assert";
import { anchors, codeSpans, type Page, prose, readPage, readPages, ROOT } from "./pages.ts";

/** Targets of the links of a page that lead to files of the project. */
function localLinks(page: Page): string[] {
  const text = prose(page).replace(/`[^`\n]*`/g, "");
  const inline = [...text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)];
  const references = [...text.matchAll(/^\[[^\]^]+\]: +(\S+)/gm)];
  return [...inline, ...references].map(([, target = ""]) => target).filter((target) => !/^[a-z]+:/.test(target));
}

/** Says why a link leads nowhere; `undefined` when it does not. */
function brokenBecause(page: Page, target: string): string | undefined {
  const [path = "", anchor] = target.split("#");
  const url = path === "" ? page.url : new URL(path, page.url);
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(url);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "there is no such file";
  }
  if (!url.href.startsWith(ROOT.href)) return "leads out of the project";
  if (anchor === undefined) return undefined;
  if (info.isDirectory || !url.pathname.endsWith(".md")) return undefined;
  return anchors(readPage(url.href.slice(ROOT.href.length))).has(anchor) ? undefined : "there is no such heading";
}

Deno.test("Links of the pages lead to files and headings that are there", () => {
  const links = readPages().flatMap((page) => localLinks(page).map((target) => ({ page, target })));
  const broken = links.flatMap(({ page, target }) => {
    const reason = brokenBecause(page, target);
    return reason === undefined ? [] : [`${page.path}: ${target}: ${reason}`];
  });
  assertEquals(broken, []);
  assertGreater(links.length, 150);
});

Deno.test("docs/README.md names every page of docs/", () => {
  const index = readPage("docs/README.md");
  const named = localLinks(index).map((target) => new URL(target.split("#")[0] ?? "", index.url).href);
  const pages = readPages("docs/").filter(({ path }) => /^docs\/[^/]+\.md$/.test(path) && path !== index.path);
  assertEquals(pages.map(({ url }) => url.href).filter((url) => !named.includes(url)), []);
});

Deno.test("anchors() names headings as hosts of repositories do", () => {
  const text = "# A `code`, and: more\n\n```sh\n# none\n```\n\n## The same\n\n## The same\n\n### [Link](a.md) ü_1\n";
  const page = { path: "a.md", url: ROOT, text };
  assertEquals([...anchors(page)], ["a-code-and-more", "the-same", "the-same-1", "link-ü_1"]);
  assertEquals(codeSpans("`a` and ``b ` c`` and `x\\|y`"), ["a", "b ` c", "x|y"]);
});
