/**
 * What the options of the command line say of settings.
 *
 * @module
 */

import { UsageError } from "../check/exit_error.ts";
import { FLAG_ROWS, readFlag, withFlag } from "../settings/flags.ts";
import { port } from "../settings/forms.ts";
import type { KeyPath } from "../settings/key_path.ts";
import { RISK_IDS, type RiskId } from "../settings/risks.ts";
import type { ParsedArguments } from "./option_table.ts";

/** Settings as options give them: a part of what a file could say. */
export interface GivenOptions {
  readonly settings: object;
  /** Where they are. */
  readonly paths: readonly KeyPath[];
}

/**
 * Reads the options that mean settings.
 *
 * @throws {UsageError} When the value of one cannot be used.
 */
export function readGivenOptions(args: ParsedArguments): GivenOptions {
  const { switches, values } = args;
  refuseHalfPair(values);
  let settings: object = {};
  const paths: KeyPath[] = [];
  for (const row of FLAG_ROWS) {
    const text = values.get(row.name);
    if (text === undefined && !switches.has(row.name)) continue;
    settings = withFlag(settings, row.path, text === undefined ? row.sets ?? true : valueOf(row, text));
    paths.push(row.path);
  }
  return { settings: withImplicit(settings, values.get("implicit-port")), paths };
}

function valueOf(
  row: Pick<(typeof FLAG_ROWS)[number], "name" | "form" | "example" | "choices">,
  text: string,
): unknown {
  const read = readFlag(row, text);
  if ("value" in read) return read.value;
  const { name, example, choices } = row;
  const hint = example === undefined ? undefined : `--${name} ${example}`;
  throw new UsageError(`${read.problem} (--${name})`, hint, {
    unknownWord: choices === undefined ? undefined : { typed: text, known: choices },
  });
}

/** A second listener on the same host. */
function withImplicit(settings: { readonly listen?: readonly object[] }, text: string | undefined): object {
  if (text === undefined) return settings;
  const { listen: [first = {}] = [] } = settings;
  const implicit = { ...first, port: valueOf({ name: "implicit-port", form: port }, text), tls: "implicit" };
  return { ...settings, listen: [first, implicit] };
}

function refuseHalfPair(values: ReadonlyMap<string, string>): void {
  const [hasCertificate, hasKey] = [values.has("certfile"), values.has("keyfile")];
  if (hasKey && !hasCertificate) {
    throw new UsageError("a key without its certificate (--keyfile)", "add --certfile FILE");
  }
  if (hasCertificate && !hasKey) {
    throw new UsageError("a certificate without its key (--certfile)", "add --keyfile FILE");
  }
}

/**
 * The risks that `--accept-risk` names.
 *
 * @throws {UsageError} When there is no such risk.
 */
export function acceptedByName({ lists }: ParsedArguments): readonly RiskId[] {
  const named = lists.get("accept-risk") ?? [];
  const unknown = named.find((id) => !RISK_IDS.some((known) => known === id));
  if (unknown === undefined) return named as readonly RiskId[];
  throw new UsageError(`there is no risk "${unknown}" (--accept-risk)`, `one of ${RISK_IDS.join(", ")}`, {
    unknownWord: { typed: unknown, known: RISK_IDS },
  });
}
