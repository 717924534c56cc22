/**
 * A session that does what comes to its mind in a folder of its own, and knows what may be there.
 *
 * @module
 */

import type { S3Server } from "../../helpers/object_store/s3_server.ts";
import type { RawClient } from "../../helpers/raw_client.ts";
import type { TestServer } from "../../helpers/test_server.ts";
import { Random } from "../random.ts";
import { isSame } from "./cut_uploads.ts";
import { download, upload } from "./transfers.ts";

/** What may be in a place: one of these; `undefined` is nothing. */
type States = readonly (Uint8Array | undefined)[];

const NAMES = 6;
const MAX_BYTES = 80_000;
const DEADLINE_MS = 60_000;

/** One client. Nobody else is in its folder. */
export class FaultSession {
  /** Of its folder. */
  readonly name: string;
  readonly falseSuccesses: string[] = [];
  readonly lostObjects: string[] = [];
  /** How many it has done. */
  operations = 0;
  readonly #server: TestServer;
  readonly #store: S3Server;
  readonly #random: Random;
  readonly #states = new Map<string, States>();
  /** Files whose renaming has failed: one of the two names has it, or for a time both. */
  readonly #renames: { readonly from: string; readonly to: string; readonly content: Uint8Array }[] = [];
  #client: RawClient | undefined;

  constructor(server: TestServer, store: S3Server, name: string, seed: number) {
    this.#server = server;
    this.#store = store;
    this.name = name;
    this.#random = new Random(seed);
    store.plant(`${name}/stays`, new Uint8Array(1));
  }

  /** Does something; returns the code of the reply. */
  async step(): Promise<number> {
    const key = this.#pickKey();
    const [first, ...others] = this.#states.get(key) ?? [undefined];
    const isCertain = others.length === 0;
    this.operations++;
    const choice = this.#random.below(10);
    if (first === undefined || !isCertain || choice < 4) return await this.#replace(key);
    if (choice < 5) return await this.#append(key, first);
    if (choice < 8) return await this.#retrieve(key, first);
    return choice < 9 ? await this.#delete(key) : await this.#rename(key, first);
  }

  /** Ends the session. */
  async end(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
  }

  /** Looks at everything, when nothing is under way and the store was swept. */
  checkAll(): void {
    for (const [key, states] of this.#states) this.#check(key, states, "at the end");
    for (const { from, to, content } of this.#renames) {
      const there = [from, to].filter((key) => this.#isAt(key, content));
      if (there.length !== 1) this.lostObjects.push(`${from}, renamed to ${to}, is at ${there.length} places`);
    }
  }

  /** Returns whether a key belongs to something of this session. */
  knows(key: string): boolean {
    if (key === `${this.name}/stays`) return true;
    if (this.#renames.some(({ from, to }) => key === from || key === to)) return true;
    return this.#states.get(key)?.some((state) => state !== undefined) ?? false;
  }

  /** A name among some that are used again and again, but for those whose renaming has failed. */
  #pickKey(): string {
    for (;;) {
      const key = `${this.name}/f${this.#random.below(NAMES)}-${this.#renames.length}`;
      if (!this.#renames.some(({ from }) => from === key)) return key;
    }
  }

  async #replace(key: string): Promise<number> {
    const bytes = this.#random.bytes(this.#random.below(MAX_BYTES));
    return await this.#change(key, bytes, (client) => upload(client, `STOR ${key}`, bytes));
  }

  async #append(key: string, old: Uint8Array): Promise<number> {
    const more = this.#random.bytes(1 + this.#random.below(MAX_BYTES));
    const whole = new Uint8Array([...old, ...more]);
    return await this.#change(key, whole, (client) => upload(client, `APPE ${key}`, more));
  }

  async #delete(key: string): Promise<number> {
    return await this.#change(key, undefined, async (client) => (await client.command(`DELE ${key}`)).code);
  }

  async #retrieve(key: string, content: Uint8Array): Promise<number> {
    const { code, bytes } = await download(await this.#login(), `RETR ${key}`);
    if (code === 226 && !isSame(bytes, content)) this.falseSuccesses.push(`RETR ${key}: ${bytes.length} other bytes`);
    return code;
  }

  async #rename(from: string, content: Uint8Array): Promise<number> {
    const to = `${this.name}/renamed ${this.operations}`;
    const client = await this.#login();
    const { code: first } = await client.command(`RNFR ${from}`);
    if (first !== 350) return first;
    const { code } = await client.command(`RNTO ${to}`);
    this.#states.delete(from);
    if (code === 250) {
      this.#states.set(to, [content]);
      if (!this.#isAt(to, content)) this.falseSuccesses.push(`RNTO ${to}: it is not there`);
      if (this.#store.objects().has(from)) {
        this.falseSuccesses.push(`RNTO ${to}: ${from} is there, too: ${this.#history(from)}`);
      }
      this.#states.set(from, [undefined]);
    } else {
      // Neither name is used again, so that what comes of it can be seen.
      this.#renames.push({ from, to, content });
    }
    return code;
  }

  async #change(
    key: string,
    wanted: Uint8Array | undefined,
    run: (client: RawClient) => Promise<number>,
  ): Promise<number> {
    const before = this.#states.get(key) ?? [undefined];
    const code = await run(await this.#login());
    const isDone = code >= 200 && code < 300;
    // What has failed may come later, but whole.
    const states = isDone ? [wanted] : [...before, wanted];
    this.#states.set(key, states);
    if (isDone && !this.#isOneOf(key, states)) {
      this.falseSuccesses.push(`${code} for ${key}, which is not what was sent`);
    }
    if (!isDone) this.#check(key, states, `after ${code}`);
    return code;
  }

  #check(key: string, states: States, when: string): void {
    if (!this.#isOneOf(key, states)) this.lostObjects.push(`${key} ${when}`);
  }

  #isOneOf(key: string, states: States): boolean {
    return states.some((state) => state === undefined ? !this.#store.objects().has(key) : this.#isAt(key, state));
  }

  /** What was visible in a place, the latest last. */
  #history(key: string): string {
    const changes = this.#store.journal().filter((entry) => entry.key === key).slice(-6);
    return changes.map(({ operation, object }) => `${operation} ${object?.size ?? ""}`).join(", ");
  }

  #isAt(key: string, content: Uint8Array): boolean {
    return this.#store.objects().has(key) && isSame(this.#store.bytes(key), content);
  }

  async #login(): Promise<RawClient> {
    this.#client ??= await this.#server.login({ deadlineMs: DEADLINE_MS });
    await this.#client.expect(200, "TYPE I");
    return this.#client;
  }
}
