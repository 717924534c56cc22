/**
 * The whole screen of a terminal, taken and given back.
 *
 * @module
 */

const IS_WINDOWS = Deno.build.os === "windows";
/** What ends a program with a terminal: Ctrl+C, `kill`, and a window that is closed. */
const STOP_SIGNALS: readonly Deno.Signal[] = IS_WINDOWS ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP"];
const RESIZE_MS = 500;

/** Alternate screen and hidden cursor (xterm's private modes 1049 and 25), and back. */
const TAKE = "\x1b[?1049h\x1b[?25l";
const GIVE_BACK = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
const KEY_Q = new Set(["q", "Q", "\x03", "\x04"]);

/** Takes the screen until it is disposed of. */
export class Screen implements Disposable {
  readonly #leave: () => void;
  readonly #isRaw: boolean;
  readonly #onSignal: () => void;
  #resized = () => {};
  #onSize = () => {};
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(leave: () => void) {
    this.#leave = leave;
    this.#isRaw = Deno.stdin.isTerminal();
    this.#onSignal = leave;
  }

  /**
   * Takes it. Keys are read until the end of the process.
   *
   * @param leave Called at `q`, at signals to stop, and where the terminal takes no more; may be called again.
   */
  static open(leave: () => void): Screen {
    const screen = new Screen(leave);
    for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, screen.#onSignal);
    if (screen.#isRaw) setRaw({ isRaw: true });
    screen.#write(TAKE);
    if (screen.#isRaw) void screen.#readKeys();
    return screen;
  }

  /** Calls back when the size changes. */
  onResize(draw: () => void): void {
    this.#resized = draw;
    this.#onSize = () => this.#resized();
    if (!IS_WINDOWS) return Deno.addSignalListener("SIGWINCH", this.#onSize);
    let size = JSON.stringify(sizeOf());
    this.#timer = setInterval(() => {
      const now = JSON.stringify(sizeOf());
      if (now !== size) this.#onSize();
      size = now;
    }, RESIZE_MS);
  }

  /** Draws lines, which must fit and command nothing. */
  draw(picture: (size: { readonly columns: number; readonly rows: number }) => readonly string[]): void {
    const lines = picture(sizeOf()).map((line) => `${line}${CLEAR_LINE}`);
    // No line end after the last one: it would scroll.
    this.#write(`${HOME}${lines.join("\r\n")}${CLEAR_BELOW}`);
  }

  /** Gives it back as it was. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (!IS_WINDOWS) Deno.removeSignalListener("SIGWINCH", this.#onSize);
    this.#write(GIVE_BACK);
    if (this.#isRaw) this.#setCooked();
    for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, this.#onSignal);
  }

  #setCooked(): void {
    try {
      setRaw({ isRaw: false });
    } catch {
      // The terminal is gone.
    }
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
    } catch {
      this.#leave(); // the terminal is gone
    }
  }

  async #readKeys(): Promise<void> {
    const buffer = new Uint8Array(16);
    try {
      for (let size = await Deno.stdin.read(buffer); size !== null; size = await Deno.stdin.read(buffer)) {
        const keys = new TextDecoder().decode(buffer.subarray(0, size));
        if ([...keys].some((key) => KEY_Q.has(key))) return this.#leave();
      }
      this.#leave();
    } catch {
      this.#leave(); // the terminal is gone
    }
  }
}

/** Keys come at once and without echo; Ctrl+C stays a signal. */
function setRaw({ isRaw }: { readonly isRaw: boolean }): void {
  Deno.stdin.setRaw(isRaw, ...isRaw && !IS_WINDOWS ? [{ cbreak: true }] : []);
}

function sizeOf(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    // Some terminals say 0 until they are shown.
    return { columns: columns || 80, rows: rows || 24 };
  } catch {
    return { columns: 80, rows: 24 };
  }
}
