/**
 * Time, for what tells by it whether a folder was changed.
 *
 * @module
 */

/** Lets `Date.now()` be ahead until it is disposed of. */
export function clockAhead(ms: number): Disposable {
  const original = Date.now;
  Date.now = () => original() + ms;
  return { [Symbol.dispose]: () => void (Date.now = original) };
}

/** Resolves in the next second: what is changed then gets another time than what was changed before, in whole seconds. */
export async function nextSecond(): Promise<void> {
  const now = Date.now();
  const next = (Math.floor(now / 1000) + 1) * 1000;
  // The system's clock for files is behind by a tick of its timer
  await new Promise((resolve) => setTimeout(resolve, next - now + 20));
}
