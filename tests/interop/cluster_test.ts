import { assert, assertEquals } from "@std/assert";
import { isInstalled } from "../helpers/client_program.ts";
import { FtpCluster, IS_CLUSTER_ABSENT } from "../helpers/cluster/ftp_cluster.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { BASIC_FTP } from "./basic_ftp.ts";
import { CURL } from "./curl.ts";
import { LFTP } from "./lftp.ts";
import { FTPLIB } from "./python_ftplib.ts";
import { type FilePair, offers, type RealClient } from "./real_client.ts";
import { digestsOf, fileStep } from "./scene.ts";

const CLIENTS: readonly RealClient[] = [BASIC_FTP, CURL, LFTP, FTPLIB].filter(({ needs }) => needs.every(isInstalled));
const FILES = { "small.bin": 1, "medium.bin": 100_000, "large.bin": 3 * 1024 * 1024 };

/** What of a cluster is like nothing else. */
interface Way {
  readonly family: 4 | 6;
  readonly proxyVersion: 1 | 2;
  /** Whether data connections have to resume the session, and so to come to the event loop that has it. */
  readonly resumes: boolean;
}

const WAYS: readonly Way[] = [
  { family: 4, proxyVersion: 2, resumes: false },
  { family: 6, proxyVersion: 1, resumes: true },
];

/** What a client can do there. */
function protectionsOf(client: RealClient, { resumes }: Way): readonly ("explicit" | "implicit")[] {
  const column = "resumes TLS 1.3 sessions";
  if (resumes) return offers(client, column) && client.defects?.[column] === undefined ? ["explicit"] : [];
  return client.protections;
}

/** Lets a client download what it has uploaded, in another session, which most likely is at another node. */
async function moveFiles(
  cluster: FtpCluster,
  client: RealClient,
  { protection, resumes }: { readonly protection: "explicit" | "implicit"; readonly resumes: boolean },
): Promise<void> {
  await using folder = await TemporaryFolder.create();
  const { host, port, implicitPort } = cluster.front;
  const [local, back, scratch] = ["local", "back", "scratch"].map((name) => `${folder.path}/${name}`) as [
    string,
    string,
    string,
  ];
  for (const path of [local, back, scratch]) await Deno.mkdir(path);
  const caFile = `${folder.path}/ca.pem`;
  await Deno.writeTextFile(caFile, cluster.certificate);
  const target = {
    host,
    port: protection === "implicit" ? implicitPort : port,
    protection,
    caFile,
    active: false,
    scratch,
  };
  const pairs = Object.entries(FILES).map(([name, bytes]) => {
    const remote = `${client.name.replaceAll(" ", "-")}-${protection}-${name}`;
    Deno.writeFileSync(`${local}/${remote}`, crypto.getRandomValues(new Uint8Array(Math.min(bytes, 65_536))));
    Deno.truncateSync(`${local}/${remote}`, bytes);
    return { local: `${local}/${remote}`, remote };
  });
  if (resumes) await storeAll(cluster, pairs); // not all that resume in downloads do in uploads
  else await client.run(target, pairs.map((pair) => fileStep("put", pair)));
  await client.run(target, pairs.map(({ remote }) => fileStep("get", { remote, local: `${back}/${remote}` })));
  assertEquals(await digestsOf(back, pairs), await digestsOf(local, pairs));
}

async function storeAll(cluster: FtpCluster, pairs: readonly FilePair[]): Promise<void> {
  await using client = await cluster.login();
  for (const { local, remote } of pairs) await client.store(remote, await Deno.readFile(local));
}

for (const way of WAYS) {
  const { family, proxyVersion, resumes } = way;
  Deno.test({
    name:
      `Real clients move files through HAProxy to three nodes, over IPv${family}, by version ${proxyVersion} of PROXY`,
    ignore: IS_CLUSTER_ABSENT,
    fn: async (context) => {
      const tls = { sessionReuse: resumes ? "require" : "allow" };
      await using cluster = await FtpCluster.start({
        family,
        proxyVersion,
        settings: { log: { format: "json" } },
        tls,
      });
      for (const client of CLIENTS) {
        for (const protection of protectionsOf(client, way)) {
          await context.step(
            `${client.name}, ${protection}`,
            () => moveFiles(cluster, client, { protection, resumes }),
          );
        }
      }
      await context.step("passive mode leads back to the node of the session", () => dialEach(cluster, family));
      const lines = cluster.nodes.map(({ lines }) => lines);
      for (const node of lines) assert(node.some((line) => line.includes('"event":"loginSucceeded"')));
      assertEquals(lines.flat().filter((line) => /internalError|connectionRefused/.test(line)), []);
      // Checks leave no trace.
      assertEquals(lines.flat().filter((line) => /"event":"disconnected".*connection reset/.test(line)), []);
    },
  });
}

/** Downloads by EPSV and PASV at each node. */
async function dialEach(cluster: FtpCluster, family: 4 | 6): Promise<void> {
  for (let index = 0; index < 2 * cluster.nodes.length; index++) {
    await using client = await cluster.login(index % 2 === 0 ? {} : { tls: "implicit" });
    await client.store(`dialled-${index}`, new Uint8Array(1000));
    const { code, text } = await client.command("PASV");
    if (family === 6) {
      assertEquals(code, 522);
      continue;
    }
    const [, host = "", high, low] = /\(((?:\d+,){4})(\d+),(\d+)\)/.exec(text) ?? [];
    assertEquals(host.slice(0, -1).replaceAll(",", "."), cluster.front.host);
    await using data = await client.dial(256 * Number(high) + Number(low));
    await client.expect(150, `RETR dialled-${index}`);
    await data.secure();
    assertEquals((await data.readAll()).length, 1000);
    assertEquals((await client.readReply()).code, 226);
  }
}

Deno.test({
  name: "HAProxy sends nobody to a node that has lost the database, and comes back to it",
  ignore: IS_CLUSTER_ABSENT,
  fn: async () => {
    await using cluster = await FtpCluster.start({ state: { leaseSeconds: 3 } });
    const [link] = cluster.databaseLinks;
    await using before = await cluster.login();
    link?.hang();
    await cluster.balancer.untilDown(0);
    for (let times = 0; times < 6; times++) await (await cluster.login())[Symbol.asyncDispose]();
    assertEquals(await cluster.balancer.states(), [false, true, true]);
    await before.expect(257, "PWD");
    link?.cut();
    link?.resume();
    await cluster.balancer.untilUp(0);
    for (let times = 0; times < 3; times++) await (await cluster.login())[Symbol.asyncDispose]();
  },
});
