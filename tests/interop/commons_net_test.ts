import { requireProgram } from "../helpers/run_program.ts";
import { testClient } from "./client_suite.ts";
import { driverPath, runDriver } from "./driver.ts";
import { packageVersion } from "./package_version.ts";

const LIBRARY = "/usr/share/java/commons-net.jar";

testClient({
  name: "Apache Commons Net",
  origin: "Debian: libcommons-net-java, on OpenJDK 17",
  needs: ["java", "ecj", LIBRARY],
  tls: "JSSE",
  protections: ["explicit", "implicit"],
  operations: ["list", "get", "put", "resumeGet", "resumePut", "rename", "mkdir", "rmdir", "delete", "abort"],
  also: ["IPv6", "active mode", "active mode over IPv6", "refuses unknown certificates", "UTF-8 names", "odd names"],
  distrust: /PKIX path building failed/,
  version: () => packageVersion("libcommons-net-java"),
  run: async (target, steps) => {
    const path = [await compiled(), LIBRARY].join(":");
    const java = [
      "java",
      "-Xshare:auto",
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      "-cp",
      path,
      "CommonsNet",
    ] as const;
    return await runDriver(java, target, steps);
  },
});

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
