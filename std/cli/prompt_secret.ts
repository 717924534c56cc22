/**
 * Stand-in for `jsr:@std/cli/prompt-secret`, for places that do not reach JSR. `links` in `deno.json` puts it in the
 * package's place; a published package gets the real one.
 *
 * Not covered: which bytes redraw the line. They look the same as long as it fits the width of the terminal.
 *
 * @module
 */

/** Options of {@linkcode promptSecret}. */
export type PromptSecretOptions = {
  /** A character to print instead of each that is typed; empty for none. */
  mask?: string;
  /** Clear the line after the input. */
  clear?: boolean;
};

const ENTER: readonly number[] = [0x0a, 0x0d];
const BACKSPACE: readonly number[] = [0x08, 0x7f];
const CLEAR_LINE = "\r\x1b[K";

/**
 * Asks for a secret on stdout, and reads it from stdin without showing it.
 *
 * @param message What to ask; a space follows it.
 * @returns What was typed until Enter, or `null` when stdin is not a terminal.
 */
export function promptSecret(message = "Secret", options: PromptSecretOptions = {}): string | null {
  const { mask = "*", clear = false } = options;
  if (!Deno.stdin.isTerminal()) return null;
  write(`${message} `);
  // The mode in which the terminal still makes signals, as of Ctrl-C. Windows has none.
  setRaw({ isRaw: true });
  try {
    return readSecret((count) => write(mask && `${CLEAR_LINE}${message} ${mask.repeat(count)}`));
  } finally {
    write(clear ? CLEAR_LINE : "\n");
    setRaw({ isRaw: false });
  }
}

function readSecret(show: (count: number) => void): string {
  const typed: number[] = [];
  const key = new Uint8Array(1);
  for (;;) {
    const count = Deno.stdin.readSync(key);
    const [byte] = key;
    if (count === null || count === 0 || byte === undefined || ENTER.includes(byte)) break;
    if (BACKSPACE.includes(byte)) typed.pop();
    else typed.push(byte);
    show(typed.length);
  }
  return new TextDecoder().decode(new Uint8Array(typed));
}

function setRaw({ isRaw }: { readonly isRaw: boolean }): void {
  Deno.stdin.setRaw(isRaw, Deno.build.os === "windows" || !isRaw ? undefined : { cbreak: true });
}

function write(text: string): void {
  if (text !== "") Deno.stdout.writeSync(new TextEncoder().encode(text));
}
