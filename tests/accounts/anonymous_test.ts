import { assertEquals, assertThrows } from "@std/assert";
import { assertAnonymousReadOnly } from "../../lib/accounts/anonymous.ts";
import { InsecureConfigurationError } from "../../lib/accounts/insecure_configuration_error.ts";

Deno.test("assertAnonymousReadOnly() accepts the letters that change nothing", () => {
  for (const letters of ["", "e", "l", "r", "elr"]) assertAnonymousReadOnly(letters);
});

Deno.test("assertAnonymousReadOnly() names the letter and the way out", () => {
  const error = assertThrows(() => assertAnonymousReadOnly("elrw"), InsecureConfigurationError);
  assertEquals(error.risk, "anonymous-write");
  assertEquals(
    error.message,
    'Cannot give anonymous the permissions "elrw": "w" lets anybody write; remove it, or set forceWrite',
  );
});

Deno.test("assertAnonymousReadOnly() names each of several letters", () => {
  assertThrows(
    () => assertAnonymousReadOnly("elTra"),
    InsecureConfigurationError,
    'Cannot give anonymous the permissions "elTra": "a", "T" let anybody write; remove them, or set forceWrite',
  );
});
