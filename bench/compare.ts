// deno-lint-ignore-file no-console -- what it prints is what it is for
/**
 * Measures FTPS servers side by side with curl, in turn, and prints medians. Each server must let its user write, and is
 * left as it was.
 *
 * deno run -A bench/compare.ts ftpsd=ftp://user:password@127.0.0.1:2121 other=ftp://user:password@127.0.0.1:2122
 * deno run -A bench/compare.ts --mebibytes=64 --files=100 --repeats=1 --clear NAME=URL...
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";

const PARALLEL = 8;
const MIB = 2 ** 20;

const options = parseArgs(Deno.args, {
  string: ["mebibytes", "files", "repeats"],
  boolean: ["clear"],
  default: { mebibytes: "1024", files: "500", repeats: "3" },
});
const [mebibytes, files, repeats] = [options.mebibytes, options.files, options.repeats].map(Number) as [
  number,
  number,
  number,
];
const tls = options.clear ? [] : ["--insecure", "--ssl-reqd"];

interface Server {
  readonly name: string;
  readonly folder: string;
  /** Of the folder that everything happens in. */
  readonly url: string;
}

/** What is measured: the commands of curl for it, and what they come to in a second. */
interface Workload {
  readonly what: string;
  readonly unit: string;
  readonly amount: number;
  readonly args: (url: string) => readonly string[];
}

async function curl(args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("curl", {
    args: ["--silent", "--show-error", ...tls, ...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}

/** Sends FTP commands; one that begins with `*` may fail. */
async function quote(server: Server, commands: readonly string[]): Promise<void> {
  const quotes = commands.flatMap((command) => ["--quote", command]);
  await curl([...quotes, "--list-only", new URL("/", server.url).href]);
}

function serverOf(argument: string): Server {
  const [, name, url] = /^([^=]+)=(ftp:.+)$/.exec(`${argument}`) ?? [];
  if (name === undefined || url === undefined) throw new TypeError(`Not a server, "NAME=ftp://...": ${argument}`);
  const folder = `ftpsd-compare-${name}`;
  return { name, folder, url: `${url.replace(/\/*$/, "")}/${folder}` };
}

async function workloadsIn(folder: string): Promise<Workload[]> {
  const large = `${folder}/large`;
  {
    using file = await Deno.create(large);
    await file.truncate(mebibytes * MIB);
  }
  for (let index = 1; index <= files; index++) await Deno.writeFile(`${folder}/small-${index}`, new Uint8Array(1024));
  const small = `small-[1-${files}]`;
  const parallel = ["--parallel", "--parallel-immediate", "--parallel-max", `${PARALLEL}`];
  return [
    { what: "upload", unit: "MiB/s", amount: mebibytes, args: (url) => ["-T", large, `${url}/large`] },
    { what: "download", unit: "MiB/s", amount: mebibytes, args: (url) => [`${url}/large`] },
    {
      what: `${PARALLEL} downloads at once`,
      unit: "MiB/s",
      amount: PARALLEL * mebibytes,
      args: (url) => [...parallel, ...Array.from({ length: PARALLEL }, () => `${url}/large`)],
    },
    {
      what: "uploads of 1 KiB",
      unit: "files/s",
      amount: files,
      args: (url) => ["-T", `${folder}/${small}`, `${url}/`],
    },
    { what: "downloads of 1 KiB", unit: "files/s", amount: files, args: (url) => [`${url}/${small}`] },
    {
      what: `the same, ${PARALLEL} at once`,
      unit: "files/s",
      amount: files,
      args: (url) => [...parallel, `${url}/${small}`],
    },
  ];
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN;
}

/** Measures all servers by one workload, in turn. */
async function measure({ what, unit, amount, args }: Workload, servers: readonly Server[]): Promise<void> {
  const seconds = servers.map((): number[] => []);
  for (let repeat = 0; repeat < repeats; repeat++) {
    const order = repeat % 2 === 0 ? [...servers.entries()] : [...servers.entries()].reverse();
    for (const [index, { url }] of order) {
      const startedAt = performance.now();
      await curl(args(url));
      seconds[index]?.push((performance.now() - startedAt) / 1000);
    }
  }
  const cells = seconds.map((all) => (amount / median(all)).toFixed(0));
  console.log(`| ${what} | ${unit} | ${cells.join(" | ")} |`);
}

async function makeFolder(server: Server): Promise<AsyncDisposable> {
  const { folder } = server;
  await quote(server, [`MKD ${folder}`]);
  const names = ["large", ...Array.from({ length: files }, (_, index) => `small-${index + 1}`)];
  const commands = [...names.map((name) => `*DELE ${folder}/${name}`), `RMD ${folder}`];
  return { [Symbol.asyncDispose]: () => quote(server, commands) };
}

const servers = options._.map((argument) => serverOf(`${argument}`));
await using stack = new AsyncDisposableStack();
const folder = await Deno.makeTempDir({ prefix: "ftpsd-compare-" });
stack.defer(() => Deno.remove(folder, { recursive: true }));
const workloads = await workloadsIn(folder);
for (const server of servers) stack.use(await makeFolder(server));
console.log(`| what | unit | ${servers.map(({ name }) => name).join(" | ")} |`);
console.log(`| --- | --- |${" --: |".repeat(servers.length)}`);
for (const workload of workloads) await measure(workload, servers);
