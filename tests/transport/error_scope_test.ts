import { assertEquals, assertThrows } from "@std/assert";
import { currentScope, guarded, runInScope, scoped } from "../../lib/transport/error_scope.ts";

class Scope {
  readonly errors: unknown[] = [];

  fail(error: unknown): void {
    this.errors.push(error);
  }
}

const ERROR = new Error("planted");

function fail(): never {
  throw ERROR;
}

Deno.test("guarded() fails the scope in which it was made, wherever it is called", () => {
  const [inner, outer] = [new Scope(), new Scope()];
  const callback = runInScope(outer, () => runInScope(inner, () => guarded(fail)));
  callback();
  runInScope(outer, callback);
  assertEquals([inner.errors, outer.errors], [[ERROR, ERROR], []]);
});

Deno.test("guarded() hands on arguments, and throws where there is no scope", () => {
  const sums: number[] = [];
  runInScope(new Scope(), () => guarded((a: number, b: number) => void sums.push(a + b)))(1, 2);
  assertEquals(sums, [3]);
  assertThrows(guarded(fail), Error, "planted");
});

Deno.test("scoped() runs in the scope in which it was made, so that what it begins belongs to that", async () => {
  const scope = new Scope();
  const seen: unknown[] = [];
  const begin = runInScope(scope, () =>
    scoped(() => {
      seen.push(currentScope());
      queueMicrotask(() => seen.push(currentScope()));
    }));
  begin();
  await Promise.resolve();
  assertEquals(seen, [scope, scope]);
  assertEquals(currentScope(), undefined);
  runInScope(scope, () => scoped(fail))();
  assertEquals(scope.errors, [ERROR]);
});
