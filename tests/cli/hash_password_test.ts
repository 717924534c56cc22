import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { UsageError } from "../../lib/check/exit_error.ts";
import { hashPasswordCommand, type PasswordInput } from "../../lib/cli/hash_password.ts";
import { verifyPassword } from "../../lib/accounts/password_verifier.ts";
import { programTest } from "../helpers/client_program.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const MODULE = new URL("../../lib/cli/hash_password.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A terminal on which these answers are given. */
function typing(
  ...answers: readonly string[]
): PasswordInput & { readonly asked: string[]; readonly warned: string[] } {
  const left = [...answers];
  const warned: string[] = [];
  const asked: string[] = [];
  return {
    asked,
    ask(message) {
      asked.push(message);
      return left.shift() ?? null;
    },
    read: () => Promise.reject(new Error("read though there is a terminal")),
    warn: (line) => warned.push(line),
    warned,
  };
}

/** Stdin that is not a terminal, and gives these pieces. */
function piping(...pieces: readonly (string | Uint8Array)[]): PasswordInput {
  const left = pieces.map((piece) => typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
  return {
    ask: () => null,
    warn() {},
    read(buffer) {
      const [piece] = left;
      if (piece === undefined) return Promise.resolve(null);
      const count = Math.min(piece.length, buffer.length);
      buffer.set(piece.subarray(0, count));
      if (count === piece.length) left.shift();
      else left[0] = piece.subarray(count);
      return Promise.resolve(count);
    },
  };
}

Deno.test("hashPasswordCommand() asks twice on a terminal and returns the hash", async () => {
  const input = typing("open sesame", "open sesame");
  const text = await hashPasswordCommand([], input);
  assertMatch(text, /^\$scrypt\$ln=17,r=8,p=1\$[^$\n]+\$[^$\n]+$/);
  assert(await verifyPassword("open sesame", text));
  assertEquals([input.asked, input.warned], [["Password:", "Password again:"], []]);
});

Deno.test("hashPasswordCommand() warns of a short password, without showing it", async () => {
  for (const [password, warned] of [["€€€€€€€", 1], ["12345678", 0]] as const) {
    const input = typing(password, password);
    assert(await verifyPassword(password, await hashPasswordCommand([], input)));
    assertEquals(input.warned.length, warned);
    for (const line of input.warned) assertMatch(line, /^warning: the password has 7 characters; [^€]*$/);
  }
});

Deno.test("hashPasswordCommand() refuses two passwords that differ", async () => {
  for (const again of [["other"], [""], []]) {
    const error = await assertRejects(() => hashPasswordCommand([], typing("sesame", ...again)), UsageError);
    assertEquals([error.status, error.message], [2, "the two passwords differ (hash-password)"]);
  }
});

Deno.test("hashPasswordCommand() asks no second time for a password that cannot be used", async () => {
  const input = typing("a\x04", "a\x04");
  await assertRejects(() => hashPasswordCommand([], input), UsageError, "the password has control characters");
  assertEquals(input.asked, ["Password:"]);
});

Deno.test("hashPasswordCommand() reads one line where stdin is not a terminal", async () => {
  const inputs: readonly (readonly [password: string, pieces: readonly (string | Uint8Array)[]])[] = [
    [" 1", [" 1"]],
    ["12345", ["12", "345\r\nsecond line\n"]],
    ["€", [new Uint8Array([0xe2, 0x82]), new Uint8Array([0xac, 0x0a])]],
    ["x".repeat(512), [`${"x".repeat(512)}\n`]],
  ];
  for (const [password, pieces] of inputs) {
    assert(await verifyPassword(password, await hashPasswordCommand([], piping(...pieces))), password);
  }
});

Deno.test("hashPasswordCommand() refuses a line that is no good password, with status 2 and without showing it", async () => {
  const refused: readonly (readonly [pieces: readonly (string | Uint8Array)[], problem: string])[] = [
    [[], "is empty"],
    [["\n12345\n"], "is empty"],
    [["\r\n"], "is empty"],
    [["ses\tame\n"], "has control characters, which not every client can send"],
    [["ses\0ame"], "has control characters, which not every client can send"],
    [[new Uint8Array([0x73, 0xe4, 0x73])], "is not UTF-8"],
    [["x".repeat(513)], "is 513 bytes long, more than 512"],
    [Array.from({ length: 100 }, () => "x".repeat(1000)), "is 4096 bytes long, more than 512"],
  ];
  for (const [pieces, problem] of refused) {
    const error = await assertRejects(() => hashPasswordCommand([], piping(...pieces)), UsageError);
    assertEquals([error.status, error.message], [2, `the password ${problem} (hash-password)`]);
  }
});

Deno.test("hashPasswordCommand() refuses any argument, without showing it", async () => {
  for (const args of [["sesame"], ["--password", "sesame"], ["-P", "sesame"], ["--", "sesame"], [""]]) {
    const input = typing("12345", "12345");
    const error = await assertRejects(() => hashPasswordCommand(args, input), UsageError);
    assertEquals(error.message, "hash-password takes no arguments; others on this host could see a password there");
    assertStringIncludes(error.hint, "ftpsd hash-password < FILE");
    assertEquals([error.status, input.asked], [2, []]);
  }
});

/** Writes a program that does what the command line does, and tells how to run it without any permission. */
async function writeProgram(folder: TemporaryFolder): Promise<string[]> {
  const path = `${folder.path}/hash.ts`;
  await Deno.writeTextFile(
    path,
    `import { hashPasswordCommand } from ${JSON.stringify(MODULE.href)};
     console.log(await hashPasswordCommand(Deno.args));`,
  );
  return [Deno.execPath(), "run", "--no-prompt", "--no-check", "--config", CONFIG, path];
}

Deno.test("hashPasswordCommand() takes no permission", async () => {
  await using folder = await TemporaryFolder.create();
  const [program = "", ...args] = await writeProgram(folder);
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("open sesame\n"));
  await writer.close();
  const { stdout, stderr } = await child.output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assert(await verifyPassword("open sesame", new TextDecoder().decode(stdout).trimEnd()));
});

/**
 * Runs a program on a terminal: standard input and error, and output if the first argument is "tty". Answers each prompt
 * with the line from argv whose turn it is, and prints as JSON what the terminal and the pipe got.
 */
const TERMINAL_SCRIPT = `
import json, os, pty, subprocess, sys, termios, time
mode, answers, command = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
leader, follower = pty.openpty()
process = subprocess.Popen(command, stdin=follower, stderr=follower,
                           stdout=follower if mode == "tty" else subprocess.PIPE, start_new_session=True)
os.close(follower)
shown = b""
def read():
    global shown
    try:
        piece = os.read(leader, 4096)
    except OSError:
        piece = b""
    shown += piece
    return piece
asked = 0
while read():
    # The terminal is raw once the prompt stands there and echo is off.
    while asked < len(answers) and shown.count(b": ") > asked:
        while termios.tcgetattr(leader)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(leader, answers[asked].encode())
        asked += 1
piped = process.stdout.read().decode() if process.stdout else ""
print(json.dumps({"code": process.wait(), "shown": shown.decode(), "piped": piped}))
`;

interface TerminalOutcome {
  readonly code: number;
  readonly shown: string;
  readonly piped: string;
}

async function runOnTerminal(mode: "tty" | "pipe", answers: readonly string[]): Promise<TerminalOutcome> {
  await using folder = await TemporaryFolder.create();
  const command = await writeProgram(folder);
  const args = ["-c", TERMINAL_SCRIPT, mode, JSON.stringify(answers), ...command];
  return JSON.parse(await requireProgram("python3", args, { env: { NO_COLOR: "1" } }));
}

Deno.test(programTest({
  program: "python3",
  name: "hashPasswordCommand() shows nothing that is typed on a terminal",
  async fn() {
    const { code, shown } = await runOnTerminal("tty", ["open sesame\r", "open sesame\r"]);
    assertEquals(code, 0, shown);
    const [, hash = ""] = /^Password: \r?\nPassword again: \r?\n(\$scrypt\$\S+)\r?\n$/.exec(shown) ?? [];
    assert(await verifyPassword("open sesame", hash), shown);
  },
}));

Deno.test(programTest({
  program: "python3",
  name: "hashPasswordCommand() asks on stderr when stdout is redirected, which gets the hash alone",
  async fn() {
    const { code, shown, piped } = await runOnTerminal("pipe", ["open sex\x7f€\x7fsame\r", "open sesame\r"]);
    assertEquals(code, 0, shown);
    assertMatch(shown, /^Password: \r?\nPassword again: \r?\n$/);
    assertMatch(piped, /^\$scrypt\$\S+\n$/);
    assert(await verifyPassword("open sesame", piped.trimEnd()));
  },
}));
