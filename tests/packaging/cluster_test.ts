import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";
import { DENO_IMAGE } from "../../lib/cli/service_files.ts";
import { runMain } from "../cli/spawned_server.ts";
import { programTest } from "../helpers/client_program.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { readClusterNode } from "../helpers/packaged_service.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const FOLDER = new URL("../../packaging/cluster/", import.meta.url);
const NODES = 3;

function read(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, FOLDER));
}

/** The file of a node: that of the first one with the values that README.md has for it. */
async function configurationOf(index: number): Promise<string> {
  const rows = (await read("README.md")).split("\n").filter((line) => /^ *\| `(passive|state)\./.test(line));
  let text = await read("ftpsd.yaml");
  for (const row of rows) {
    const [, key = "", ...values] = row.split("|").map((cell) => cell.trim().replaceAll("`", ""));
    const line = `${key.split(".")[1]}: ${values[0]} # this node`;
    assert(text.includes(line), line);
    text = text.replace(line, `${key.split(".")[1]}: ${values[index]} # this node`);
  }
  assertEquals(rows.length, text.split("# this node").length - 1);
  return text;
}

Deno.test(programTest({
  program: "haproxy",
  name: "HAProxy accepts haproxy.cfg of the cluster",
  async fn() {
    await using folder = await TemporaryFolder.create();
    // Nobody here may have a folder below /run.
    const text = (await read("haproxy.cfg")).replace("/run/haproxy", folder.path);
    await Deno.writeTextFile(`${folder.path}/haproxy.cfg`, text);
    const args = ["-c", "-f", `${folder.path}/haproxy.cfg`];
    assertMatch(await requireProgram("haproxy", args), /^Configuration file is valid/m);
  },
}));

Deno.test("ftpsd check finds nothing wrong with any node of the cluster", async () => {
  await using folder = await TemporaryFolder.create();
  const { certificate, key } = await createEphemeralCertificate({ names: ["ftp.example.org"] });
  const files = {
    "server.crt": certificate,
    "server.key": key,
    "db-ca.pem": certificate,
    "state.url": "postgres://ftpsd:secret@db.example.org/ftpsd\n",
    "s3.id": "id",
    "s3.secret": "secret",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text, { mode: 0o600 });
  }
  for (let index = 0; index < NODES; index++) {
    const file = `${folder.path}/ftpsd.yaml`;
    const text = (await configurationOf(index)).replaceAll("/etc/ftpsd/", `${folder.path}/`);
    await Deno.writeTextFile(file, text, { mode: 0o600 });
    const printed = await runMain({ flags: ["--allow-read"], args: ["permissions", "-c", file] });
    const flags = printed.stdout.trim().split(" ").filter((word) => word.startsWith("--allow"));
    const { code, stdout, stderr } = await runMain({ flags, args: ["check", "-c", file] });
    assertEquals([code, stderr, stdout], [0, "", "the server would start\n"]);
  }
});

Deno.test("the balancer of the cluster leads to each node what that announces", async () => {
  const balancer = await read("haproxy.cfg");
  for (let index = 0; index < NODES; index++) {
    const { passive, listen } = parse(await configurationOf(index), { schema: "core" }) as {
      readonly passive: { readonly ports: string; readonly announced: string };
      readonly listen: readonly { readonly port: number; readonly proxyProtocol: readonly string[] }[];
    };
    const [first = 0] = passive.announced.split("-").map(Number);
    const address = `10.0.0.1${index + 1}`;
    const section = balancer.split("\n\n").find((text) => text.includes(`:${passive.announced}\n`)) ?? "";
    const [, offset] = new RegExp(`server node${index + 1} ${address}:([+-]\\d+) send-proxy-v2`).exec(section) ?? [];
    assertEquals(first + Number(offset), Number(passive.ports.split("-")[0]));
    for (const { port, proxyProtocol } of listen) {
      assert(balancer.includes(`server node${index + 1} ${address}:${port}`));
      assertEquals(proxyProtocol, ["10.0.0.10"]);
    }
  }
});

Deno.test("compose.yaml of the cluster permits what its nodes need", async () => {
  const { services, networks, volumes } = parse(await read("compose.yaml"), { schema: "core" }) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly networks: object;
    readonly volumes: object;
  };
  assertEquals(Object.keys(services), ["ftp1", "ftp2", "ftp3", "balancer", "db"]);
  assertEquals([Object.keys(networks), Object.keys(volumes)], [["inside", "outside"], ["deno-cache", "database"]]);
  const { ftp1 } = services;
  assertEquals(ftp1?.image, DENO_IMAGE);
  const { needs, configuration: { shutdown: { drain, grace } } } = await readClusterNode();
  const [net = "", files = ""] = ["net", "read"].map((kind) =>
    ftp1?.command?.find((word) => word.startsWith(`--allow-${kind}=`))?.split("=")[1]
  );
  const hosts = net.split(",");
  assertEquals(needs.net.filter((it) => !hosts.includes(it) && !hosts.includes(it.split(":")[0] ?? "")), []);
  assertEquals([needs.read.filter((path) => !path.startsWith(`${files}/`)), needs.write], [[], []]);
  assert(parseInt(ftp1?.stop_grace_period ?? "") > drain + grace);
  for (let number = 1; number <= NODES; number++) {
    const { networks = {}, volumes = [] } = services[`ftp${number}`] ?? {};
    assertEquals(networks.inside?.ipv4_address, `10.0.0.1${number}`);
    assertEquals(volumes[0], `./ftp${number}:/etc/ftpsd:ro`);
  }
  assertEquals(services.balancer?.networks?.outside?.ipv4_address, "198.51.100.1");
});

/** What is looked at of a service. */
interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly ipv4_address?: string }>>;
  readonly stop_grace_period?: string;
}
