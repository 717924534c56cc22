import { assertEquals } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { PROTECTIONS, USER } from "../helpers/test_server.ts";
import { type FilePair, type RealClient, Scene, type Target, testClient } from "./client_suite.ts";

const CLIENT = new URL("../helpers/ftplib_client.py", import.meta.url).pathname;

const FTPLIB: RealClient = {
  name: "ftplib",
  program: "python3",
  distrust: /CERTIFICATE_VERIFY_FAILED/,
  resumes: [],

  async list(target: Target): Promise<readonly string[]> {
    const { results } = await ftplib(target, [["nlst"]]);
    return results[0] as string[];
  },

  async upload(target: Target, files: readonly FilePair[]): Promise<void> {
    await ftplib(target, files.map(({ local, remote }) => ["store", local, remote]));
  },

  async download(target: Target, files: readonly FilePair[]): Promise<void> {
    await ftplib(target, files.map(({ local, remote }) => ["retrieve", remote, local]));
  },

  async resumeUpload(target: Target, { local, remote }: FilePair): Promise<void> {
    const { results } = await ftplib(target, [["size", remote]]);
    await ftplib(target, [["store", local, remote, results[0] as number]]);
  },

  async resumeDownload(target: Target, { local, remote }: FilePair): Promise<void> {
    await ftplib(target, [["retrieve", remote, local, (await Deno.stat(local)).size]]);
  },
};

type Step = readonly (string | number)[];

interface JobOutput {
  readonly results: readonly unknown[];
  readonly farewell: string;
  readonly connections: readonly { readonly version: string; readonly reused: boolean }[];
}

async function ftplib(
  target: Target,
  steps: readonly Step[],
  options: { readonly offerSession: boolean } = { offerSession: false },
): Promise<JobOutput> {
  const { host, port, protection, caFile = null } = target;
  const job = { host, port, protection, caFile, user: USER.name, password: USER.password, steps, ...options };
  return JSON.parse(await requireProgram("python3", [CLIENT, JSON.stringify(job)]));
}

testClient(FTPLIB);

const TRANSFERS = 50;

for (const protection of ["explicit", "implicit"] as const) {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    defineTest(
      `resumes the offered TLS session in each of ${TRANSFERS} transfers, ${protection} ${version}`,
      async () => {
        const tls = { minVersion: version, maxVersion: version, sessionReuse: "require" } as const;
        await using scene = await Scene.start({ protection, server: { tls } });
        const { local, remote } = await scene.localFile("file.bin", 10_000);
        const steps = Array.from(
          { length: TRANSFERS },
          (_, index) => index % 2 === 0 ? ["store", local, remote] : ["retrieve", remote, local],
        );
        const { connections } = await ftplib(scene.target, steps, { offerSession: true });
        assertEquals(connections, Array.from({ length: TRANSFERS }, () => ({ version, reused: true })));
      },
    );
  }
}

for (const protection of PROTECTIONS) {
  defineTest(`parses the facts of MLSD, ${protection}`, async () => {
    await using scene = await Scene.start({ protection });
    await Deno.mkdir(`${scene.home}/a folder; with=signs`);
    await scene.remoteFile("ä file.bin", 1234);
    const { results, farewell } = await ftplib(scene.target, [["mlsd"], ["nlst", "a folder; with=signs"], ["pwd"]]);
    const [entries, ...others] = results as [[string, string, number][], ...unknown[]];
    const shown = entries.map(([name, type, size]) => type === "dir" ? [name, type] : [name, type, size]).toSorted();
    assertEquals(shown, [["a folder; with=signs", "dir"], ["ä file.bin", "file", 1234]]);
    assertEquals(others, [[], "/"]);
    assertEquals(farewell.slice(0, 3), "221");
  });

  defineTest(`goes on after abort(), ${protection}`, async () => {
    await using scene = await Scene.start({ protection });
    // More than all buffers on the way hold, so that it cannot end before ABOR comes.
    const { local, remote } = await scene.remoteFile("large.bin", 64 * 1024 * 1024);
    const small = await scene.remoteFile("small.bin", 1000);
    const { results } = await ftplib(scene.target, [
      ["abort", remote],
      ["pwd"],
      ["retrieve", small.remote, local],
      ["abort", remote],
    ]);
    const codes = results.map((result) => Array.isArray(result) ? result.map((reply) => reply.slice(0, 3)) : result);
    assertEquals(codes, [["426", "226"], "/", "226 Transfer complete.", ["426", "226"]]);
    assertEquals(await Deno.readFile(local), await Deno.readFile(`${scene.home}/${small.remote}`));
  });
}

function defineTest(criterion: string, fn: () => Promise<void>): void {
  Deno.test(programTest({ program: "python3", name: `ftplib ${criterion}`, fn }));
}
