import { requireProgram } from "../helpers/run_program.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import { driverPath, runDriver } from "./driver.ts";

const LIBRARY = "/usr/share/java/commons-net.jar";
const JAVA = ["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

testClient(realClient("Apache Commons Net", {
  run: async (target, steps) => {
    const path = [await compiled(), LIBRARY].join(":");
    return await runDriver(["java", ...JAVA, "-cp", path, "CommonsNet"], target, steps);
  },
}));

let classes: Promise<string> | undefined;

/** Compiles the driver, once; returns the folder of its class. */
function compiled(): Promise<string> {
  return classes ??= (async () => {
    const folder = await Deno.makeTempDir({ prefix: "ftpsd_test_" });
    globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    await requireProgram("ecj", ["-17", "-proc:none", "-cp", LIBRARY, "-d", folder, driverPath("CommonsNet.java")]);
    return folder;
  })();
}
