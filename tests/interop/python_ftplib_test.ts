import { assertEquals } from "@std/assert";
import { PROTECTIONS } from "../helpers/test_server.ts";
import { clientTest, testClient } from "./client_suite.ts";
import { FTPLIB, ftplib } from "./python_ftplib.ts";
import { Scene } from "./scene.ts";

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
    const shown = entries.map(([name, type, size]) => type === "file" ? [name, type, size] : [name, type]).toSorted();
    assertEquals(shown, [[".", "cdir"], ["a folder; with=signs", "dir"], ["ä file.bin", "file", 1234]]);
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
  clientTest(FTPLIB, criterion, fn);
}
