/**
 * Answers to challenges on all nodes of several: the CA asks whichever the balancer, or the name, leads it to.
 *
 * @module
 */

import { delay } from "../deadline.ts";
import type { StateRecords } from "../state/records.ts";
import { describeThrown } from "../thrown.ts";
import type { ChallengeListener } from "./challenge_listener.ts";
import type { NodeSeal } from "./node_seal.ts";
import type { ChallengeAnswers } from "./obtain_certificate.ts";

/** What it works with. */
export interface SharedAnswersOptions {
  readonly listener: Pick<ChallengeListener, "use">;
  readonly records: StateRecords;
  /** Without it, whoever may write to the database could answer for an account of his own. */
  readonly seal: NodeSeal;
  /** Tells all nodes, this one too; they pass it to {@linkcode SharedAnswers.hear}. */
  readonly tell: (subject: string) => Promise<void>;
  /** How many nodes there are. */
  readonly countNodes: () => Promise<number>;
  readonly log: (level: "warn" | "error", text: string) => void;
  /** Name of this node, for people. */
  readonly node: string;
}

const ANSWERS = "acme-challenge";
const READY = "acme-ready";
const SUBJECT = "challenge ";
/** How long answers are kept, and a node that hears no end of them listens. */
const KEEP_MS = 600_000;
/** How long the others are waited for: one may be stopped, and its lease not over. */
const READY_MS = 5_000;
const LOOK_MS = 50;
const OPEN = "open";

/** Shares answers. */
export class SharedAnswers implements ChallengeAnswers, AsyncDisposable {
  readonly #options: SharedAnswersOptions;
  readonly #id = crypto.randomUUID();
  readonly #own = new Set<string>();
  readonly #tasks = new Set<Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDisposed = false;

  constructor(options: SharedAnswersOptions) {
    this.#options = options;
  }

  async use(answers: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
    const { listener, records, seal, tell } = this.#options;
    const before = await records.list(ANSWERS);
    for (const { key } of before) if (!answers.has(key)) await records.delete(ANSWERS, key);
    const options = { expiresAt: Date.now() + KEEP_MS };
    for (const [token, text] of answers) {
      await records.set(ANSWERS, token, await seal.close(`${SUBJECT}${token}`, text), options);
    }
    await listener.use(answers);
    const round = crypto.randomUUID();
    this.#own.clear();
    this.#own.add(round);
    await tell(`${SUBJECT}${round}`);
    if (answers.size > 0) await this.#untilReady(round, signal);
  }

  /** Takes what another node has told. */
  hear(subject: string): void {
    const round = subject.startsWith(SUBJECT) ? subject.slice(SUBJECT.length) : undefined;
    if (round === undefined || this.#own.has(round) || this.#isDisposed) return;
    const task = this.#follow(round).catch((error) =>
      this.#options.log("error", `cannot answer what the CA of another node asks: ${describeThrown(error)}`)
    ).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  /** Answers no more; the listener stays the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#tasks);
  }

  /** Answers as the other node does, and says so. */
  async #follow(round: string): Promise<void> {
    const { listener, node } = this.#options;
    clearTimeout(this.#timer);
    const answers = await this.#sharedAnswers();
    if (this.#isDisposed) return;
    try {
      await listener.use(answers);
      await this.#ready(round, OPEN);
    } catch (error) {
      await this.#ready(round, `node ${node}: ${error instanceof Error ? error.message : describeThrown(error)}`);
      throw error;
    }
    if (answers.size === 0 || this.#isDisposed) return;
    this.#timer = setTimeout(() => void listener.use(new Map()).catch(() => {}), KEEP_MS);
  }

  async #sharedAnswers(): Promise<ReadonlyMap<string, string>> {
    const { records, seal } = this.#options;
    const answers = new Map<string, string>();
    for (const { key, value } of await records.list(ANSWERS)) {
      const text = await seal.open(`${SUBJECT}${key}`, value);
      if (text !== undefined) answers.set(key, text);
    }
    return answers;
  }

  async #ready(round: string, text: string): Promise<void> {
    await this.#options.records.set(READY, `${round}/${this.#id}`, text, { expiresAt: Date.now() + 60_000 });
  }

  /** Waits for all others; who does not answer is not waited for long, and is named. */
  async #untilReady(round: string, signal: AbortSignal): Promise<void> {
    const { records, countNodes, log } = this.#options;
    const others = await countNodes() - 1;
    for (const until = performance.now() + READY_MS;;) {
      const told = await records.list(READY, { prefix: `${round}/` });
      if (told.length >= others || performance.now() >= until) {
        for (const { value } of told) {
          if (value !== OPEN) log("warn", `the CA may ask a node that cannot answer: ${value}`);
        }
        const missing = others - told.length;
        if (missing > 0) {
          log("warn", `the CA may ask a node that cannot answer: nothing was heard of ${missing} of ${others}`);
        }
        return;
      }
      await delay(LOOK_MS, signal);
    }
  }
}
