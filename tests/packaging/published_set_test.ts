import { assertEquals } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url);
const ENV = { NO_COLOR: "1" };

/** Paths of the files that `deno publish` would upload; that it would succeed is for `deno task ok` to say. */
const PUBLISHED = await listPublished();

async function listPublished(): Promise<string[]> {
  const command = 'cd "$1" && "$2" publish --dry-run --allow-dirty --no-check 2>&1';
  const output = await requireProgram("sh", ["-c", command, "sh", ROOT.pathname, Deno.execPath()], { env: ENV });
  const urls = [...output.matchAll(/^ +(file:\S+) \(.*\)$/gm)].map(([, url = ""]) => url);
  return urls.map((url) => decodeURI(url.slice(ROOT.href.length)));
}

async function copyPublished(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  for (const path of PUBLISHED) {
    const target = `${folder.path}/package/${path}`;
    await Deno.mkdir(target.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(new URL(path, ROOT), target);
  }
  return folder;
}

Deno.test("The package has the program, what it says about itself, and nothing else", () => {
  const modules = /^(?:lib|std)\/[\w/]+\.ts$|^std\/\w+\/deno\.json$/;
  const pages = /^lib\/admin\/(?:page\/\w+\.(?:css|html|js)|api\/openapi\.json)$/;
  const others = PUBLISHED.filter((path) => !modules.test(path) && !pages.test(path));
  assertEquals(others, ["CHANGELOG.md", "LICENSE", "README.md", "deno.json", "main.ts", "mod.ts"]);
  assertEquals(PUBLISHED.filter((path) => /_test\.ts$|_bench\.ts$/.test(path)), []);
});

Deno.test("A copy of the package runs", async () => {
  await using folder = await copyPublished();
  const version = await requireProgram(Deno.execPath(), ["run", `${folder.path}/package/main.ts`, "--version"]);
  assertEquals(version, `ftpsd ${project.version}\n`);
});

/** Stand-ins of packages of JSR, which is not reached from everywhere. */
const STAND_INS = ["../package/std/assert", "../package/std/cli", "../package/std/yaml"];

/** What a project may say to get the package from a folder. */
const WAYS: Readonly<Record<string, unknown>> = {
  "an import map": { imports: { "@ftpsd/ftpsd": "../package/mod.ts" }, links: STAND_INS },
  links: { imports: { "@ftpsd/ftpsd": `jsr:@ftpsd/ftpsd@^${project.version}` }, links: ["../package", ...STAND_INS] },
};

const PROGRAM = `import { FtpServer, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";

const authorizer = new VirtualAuthorizer();
authorizer.addAnonymous(MemoryFileSystem.of({ "/hello.txt": "Hello" }));
await using server = new FtpServer({ authorizer, listen: [{ port: 0 }] });
await server.listen();
console.log(server.addresses.length);
`;

for (const [way, configuration] of Object.entries(WAYS)) {
  Deno.test(`A project elsewhere checks and runs a copy of the package through ${way}`, async () => {
    await using folder = await copyPublished();
    await Deno.mkdir(`${folder.path}/project`);
    await Deno.writeTextFile(`${folder.path}/project/deno.json`, JSON.stringify(configuration));
    await Deno.writeTextFile(`${folder.path}/project/program.ts`, PROGRAM);
    const args = ["run", "--check", "--no-prompt", "--allow-net=127.0.0.1", `${folder.path}/project/program.ts`];
    assertEquals(await requireProgram(Deno.execPath(), args, { env: ENV }), "1\n");
  });
}
