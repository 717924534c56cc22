// What is expected here holds for `jsr:@std/cli` as well as for its stand-in.

import { assertEquals } from "@std/assert";
import { promptSecret } from "@std/cli/prompt-secret";

/** Stands in for the terminal until the end of its scope. */
class FakeTerminal implements Disposable {
  output = "";
  readonly modes: boolean[] = [];
  readonly #originals: (() => void)[] = [];

  constructor(typed: string, options: { readonly isTerminal?: boolean } = {}) {
    const input = [...new TextEncoder().encode(typed)];
    this.#replace(Deno.stdin, "isTerminal", () => options.isTerminal ?? true);
    this.#replace(Deno.stdin, "setRaw", (isRaw: boolean) => this.modes.push(isRaw));
    this.#replace(Deno.stdin, "readSync", (buffer: Uint8Array) => {
      const byte = input.shift();
      if (byte === undefined) return null;
      buffer[0] = byte;
      return 1;
    });
    this.#replace(Deno.stdout, "writeSync", (bytes: Uint8Array) => {
      this.output += new TextDecoder().decode(bytes);
      return bytes.length;
    });
    this.#replace(Deno, "consoleSize", () => ({ columns: 80, rows: 24 }));
  }

  /** What the line looks like in the end, and before each change of it. */
  get lines(): string[] {
    return this.output.split("\r\x1b[K");
  }

  [Symbol.dispose](): void {
    for (const restore of this.#originals.splice(0)) restore();
  }

  #replace(target: object, name: string, value: unknown): void {
    const original = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    this.#originals.push(() => {
      if (original === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, original);
    });
  }
}

Deno.test("promptSecret() returns what is typed until Enter", () => {
  for (const enter of ["\r", "\n"]) {
    using terminal = new FakeTerminal(`se same${enter}x`);
    assertEquals(promptSecret("Password:"), "se same");
    assertEquals(terminal.modes, [true, false]);
  }
});

Deno.test("promptSecret() shows a mask for each character, and ends the line", () => {
  using terminal = new FakeTerminal("abc\r");
  promptSecret("Password:");
  assertEquals(terminal.lines.filter((line) => line !== ""), [
    "Password: ",
    "Password: *",
    "Password: **",
    "Password: ***\n",
  ]);
});

Deno.test("promptSecret() shows another mask, or none", () => {
  {
    using terminal = new FakeTerminal("ab\r");
    promptSecret("Password:", { mask: "$" });
    assertEquals(terminal.lines.at(-1), "Password: $$\n");
  }
  using terminal = new FakeTerminal("ab\r");
  assertEquals(promptSecret("Password:", { mask: "" }), "ab");
  assertEquals(terminal.output, "Password: \n");
});

Deno.test("promptSecret() clears the line when asked to", () => {
  using terminal = new FakeTerminal("ab\r");
  promptSecret("Password:", { clear: true });
  assertEquals(terminal.lines.at(-1), "");
});

Deno.test("promptSecret() has a message of its own", () => {
  using terminal = new FakeTerminal("\r");
  assertEquals(promptSecret(), "");
  assertEquals(terminal.output, "Secret \n");
});

Deno.test("promptSecret() takes back what Backspace or Delete rubs out", () => {
  for (const key of ["\b", "\x7f"]) {
    using terminal = new FakeTerminal(`ab${key}c${key}${key}${key}${key}d\r`);
    assertEquals(promptSecret("Password:"), "d");
    assertEquals(terminal.lines.at(-1), "Password: *\n");
  }
  using _terminal = new FakeTerminal("ab\bc\r");
  assertEquals(promptSecret("Password:"), "ac");
});

Deno.test("promptSecret() reads UTF-8", () => {
  using _terminal = new FakeTerminal("pässwörd€ 😀\r");
  assertEquals(promptSecret("Password:"), "pässwörd€ 😀");
});

Deno.test("promptSecret() returns what there is at the end of the input", () => {
  using terminal = new FakeTerminal("ab");
  assertEquals(promptSecret("Password:"), "ab");
  assertEquals(terminal.modes, [true, false]);
});

Deno.test("promptSecret() returns null and writes nothing where stdin is not a terminal", () => {
  using terminal = new FakeTerminal("ab\r", { isTerminal: false });
  assertEquals(promptSecret("Password:"), null);
  assertEquals([terminal.output, terminal.modes], ["", []]);
});
