import { assertEquals } from "@std/assert";
import { runProgram } from "../helpers/run_program.ts";

const RUNNER = new URL("pyftpdlib/run.py", import.meta.url).pathname;
const DEADLINE_MS = 90_000;
/** The Python on the PATH need not be that of the system, which has the packages of the system. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/** Source tree of pyftpdlib, which is not part of this project. */
const suite = Deno.env.get("FTPSD_TEST_PYFTPDLIB");
const ignored = suite === undefined ? " (ignored: FTPSD_TEST_PYFTPDLIB names no source tree of it)" : "";

Deno.test({
  name: `pyftpdlib's own tests pass but for the differences in the table${ignored}`,
  ignore: suite === undefined,
  async fn() {
    const args = [RUNNER, "--deno", Deno.execPath(), suite ?? ""];
    const { code, stdout, stderr } = await runProgram(await findPython(), args, { deadlineMs: DEADLINE_MS });
    assertEquals(code, 0, `The runner ended with status ${code}:\n${stdout}${stderr}`);
  },
});

/** The first Python that has the packages of Debian that the tests need. */
async function findPython(): Promise<string> {
  for (const python of PYTHONS) if (await hasPackages(python)) return python;
  throw new Error("No Python has what the tests need: apt-get install python3-pytest python3-psutil python3-openssl");
}

async function hasPackages(python: string): Promise<boolean> {
  try {
    return (await runProgram(python, ["-c", "import pytest, psutil, OpenSSL, tomllib"])).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
