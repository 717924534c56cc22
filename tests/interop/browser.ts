/**
 * Chromium, as people use it, by `drivers/browser.mjs`.
 *
 * @module
 */

import { driverPath, nodeModule } from "./driver.ts";
import { isInstalled } from "../helpers/client_program.ts";

const DEADLINE_MS = 15_000;
const CHROMIUM = "/usr/bin/chromium";

/** What has to be there; the first that is not is what a test is ignored for. */
export const BROWSER_PROGRAM: string =
  [CHROMIUM, "node", nodeModule("playwright-core")].find((it) => !isInstalled(it)) ??
    nodeModule("axe-core");

/** How a page is looked at. */
export interface View {
  readonly width: number;
  readonly scheme: "light" | "dark";
}

/** The widths and schemes that are tested. */
export const VIEWS: readonly View[] = [360, 1280].flatMap((width) =>
  (["light", "dark"] as const).map((scheme) => ({ width, scheme }))
);

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A browser. It owns its process. */
export class TestBrowser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #reading: Promise<void>;
  #count = 0;

  constructor() {
    const args = [driverPath("browser.mjs"), CHROMIUM];
    this.#child = new Deno.Command("node", { args, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Opens an address in a tab that shares nothing with others. */
  async open(url: string, view: View = { width: 1280, scheme: "light" }): Promise<Tab> {
    return new Tab(this, await this.call(0, "open", url, view) as number);
  }

  /** @throws {Error} What playwright says. */
  async call(tab: number, method: string, ...args: readonly unknown[]): Promise<unknown> {
    const id = this.#count++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify({ id, tab, method, args })}\n`));
    return await waiting.promise;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const { id, result, error } = JSON.parse(line) as Answer;
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (error === undefined) waiting?.resolve(result);
        else waiting?.reject(new Error(error));
      }
    }
    for (const { reject } of this.#waiting.values()) reject(new Error("The browser has ended"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reading;
    await this.#child.status;
  }
}

/** A tab with a page. */
export class Tab {
  readonly #browser: TestBrowser;
  readonly #index: number;

  constructor(browser: TestBrowser, index: number) {
    this.#browser = browser;
    this.#index = index;
  }

  /** Calls a method of playwright's page, such as `fill`. */
  async do(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return await this.#browser.call(this.#index, method, ...args);
  }

  /** Value of an expression in the page. */
  async get<Value>(expression: string): Promise<Value> {
    return await this.do("evaluate", expression) as Value;
  }

  /** Waits until an expression in the page is true. */
  async until(expression: string): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS;
    while (!await this.get(`Boolean(${expression})`)) {
      if (Date.now() > deadline) throw new Error(`The page has never come to: ${expression}`);
      await this.do("waitForTimeout", 50);
    }
  }

  /** Text of an element. */
  async text(selector: string): Promise<string> {
    return await this.do("textContent", selector) as string;
  }

  /** What the page has complained of (errors, warnings, violations of its policy), and the addresses that it asked for. */
  async seen(): Promise<{ readonly complaints: readonly string[]; readonly requests: readonly string[] }> {
    return await this.do("seen") as { complaints: string[]; requests: string[] };
  }

  /** What axe-core finds, one line each. */
  async barriers(): Promise<readonly string[]> {
    return await this.do("axe") as string[];
  }
}
