import { assert, assertEquals } from "@std/assert";
import { AnnouncedAddress } from "../../lib/transport/announced_address.ts";

const NAME = "ftp.example.org";
const FAST = { intervalMs: 5, firstWaitMs: 2_000 };

/** A name whose answers are given one by one; the last one stays. */
class Script {
  readonly events: string[] = [];
  readonly #answers: (readonly string[] | Error)[];
  #heard = Promise.withResolvers<void>();
  asked = 0;

  constructor(...answers: (readonly string[] | Error)[]) {
    this.#answers = answers;
  }

  readonly find = (name: string): Promise<readonly string[]> => {
    assertEquals(name, NAME);
    const answer = this.#answers[Math.min(this.asked++, this.#answers.length - 1)] ?? [];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };

  readonly onChange = (name: string, address: string): void => this.#hear(`${name} is ${address}`);
  readonly onFailure = (name: string, reason: string, kept = "nothing"): void =>
    this.#hear(`${name}: ${reason}, ${kept} kept`);

  /** Waits for so many events. */
  async heard(count: number): Promise<string[]> {
    while (this.events.length < count) await this.#heard.promise;
    return this.events;
  }

  /** Waits until it was asked so often. */
  async askedTimes(count: number): Promise<void> {
    while (this.asked < count) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #hear(text: string): void {
    this.events.push(text);
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }
}

Deno.test("AnnouncedAddress knows the first answer once it is prepared, and asks again", async () => {
  const script = new Script(["192.0.2.1"], ["192.0.2.2"]);
  using address = new AnnouncedAddress({ ...script, ...FAST });
  const use = await address.prepare(NAME);
  assertEquals(address.current, undefined);
  use();
  assertEquals(address.current, "192.0.2.1");
  assertEquals(await script.heard(2), [`${NAME} is 192.0.2.1`, `${NAME} is 192.0.2.2`]);
  assertEquals(address.current, "192.0.2.2");
});

Deno.test("AnnouncedAddress keeps the last good answer, and tells a failure and its end once", async () => {
  const down = new Error("getaddrinfo EAI_AGAIN");
  const script = new Script(["192.0.2.1"], down, down, [], ["::1"], ["192.0.2.1"]);
  using address = new AnnouncedAddress({ ...script, ...FAST });
  (await address.prepare(NAME))();
  const events = await script.heard(3);
  assertEquals(events[1], `${NAME}: getaddrinfo EAI_AGAIN, 192.0.2.1 kept`);
  assertEquals(address.current, "192.0.2.1");
  await script.askedTimes(8);
  assertEquals(script.events, [`${NAME} is 192.0.2.1`, events[1], `${NAME} is 192.0.2.1`]);
});

Deno.test("AnnouncedAddress knows nothing of a name that has never been found, and goes on asking", async () => {
  const script = new Script(new Error("getaddrinfo ENOTFOUND"), [], ["0.0.0.0"], ["192.0.2.9"]);
  using address = new AnnouncedAddress({ ...script, ...FAST });
  (await address.prepare(NAME))();
  assertEquals(address.current, undefined);
  await script.heard(2);
  assertEquals(script.events, [`${NAME}: getaddrinfo ENOTFOUND, nothing kept`, `${NAME} is 192.0.2.9`]);
  assertEquals(address.current, "192.0.2.9");
});

Deno.test("AnnouncedAddress stays with one of several addresses, whichever comes first", async () => {
  const script = new Script(["192.0.2.1", "192.0.2.2"], ["192.0.2.2", "192.0.2.1"], ["192.0.2.2"]);
  using address = new AnnouncedAddress({ ...script, ...FAST });
  (await address.prepare(NAME))();
  await script.askedTimes(2);
  assertEquals(address.current, "192.0.2.1");
  assertEquals(await script.heard(2), [`${NAME} is 192.0.2.1`, `${NAME} is 192.0.2.2`]);
});

Deno.test("AnnouncedAddress does not wait long for a first answer, and takes it when it comes", async () => {
  const answer = Promise.withResolvers<readonly string[]>();
  const script = new Script();
  using address = new AnnouncedAddress({ ...script, find: () => answer.promise, intervalMs: 5, firstWaitMs: 10 });
  (await address.prepare(NAME))();
  assertEquals(address.current, undefined);
  answer.resolve(["192.0.2.1"]);
  await script.heard(1);
  assertEquals(address.current, "192.0.2.1");
});

Deno.test("AnnouncedAddress asks for no address, nor where there is none, and not again for the same name", async () => {
  const script = new Script(["192.0.2.1"]);
  using address = new AnnouncedAddress({ ...script, intervalMs: 60_000 });
  for (const value of [undefined, "203.0.113.7"]) {
    (await address.prepare(value))();
    assertEquals(address.current, undefined);
  }
  assertEquals(script.asked, 0);
  (await address.prepare(NAME))();
  (await address.prepare(NAME))();
  assertEquals([script.asked, address.current], [1, "192.0.2.1"]);
  (await address.prepare(undefined))();
  assertEquals(address.current, undefined);
});

Deno.test("AnnouncedAddress asks no more once it is disposed of, also where a new name was being prepared", async () => {
  const script = new Script(["192.0.2.1"]);
  const address = new AnnouncedAddress({ ...script, ...FAST });
  const use = await address.prepare(NAME);
  address[Symbol.dispose]();
  use();
  const { asked } = script;
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(script.asked, asked);
});

Deno.test("AnnouncedAddress asks the system, as all programs do", async () => {
  const script = new Script();
  using address = new AnnouncedAddress({ onChange: script.onChange, onFailure: script.onFailure });
  (await address.prepare("localhost"))();
  assert(address.current?.startsWith("127."), address.current);
});
