/**
 * Settings as options of the command line.
 *
 * @module
 */

import * as v from "valibot";
import type { Form, FormMetadata } from "./forms.ts";
import type { KeyPath } from "./key_path.ts";
import { CONFIGURATION, type Flag, type RowOptions } from "./table.ts";
import { structureOf } from "./unknown_keys.ts";

/** A setting that an option means. */
export interface FlagRow extends Flag {
  /** Where the setting is; in a list, its first entry. */
  readonly path: KeyPath;
  readonly form: Form<unknown>;
  /** What holds without the option; absent: nothing. */
  readonly default?: unknown;
  /** All values that there are, where they can be listed. */
  readonly choices?: readonly string[] | undefined;
}

/** Every setting that an option means, in the order of the table. */
export const FLAG_ROWS: readonly FlagRow[] = [...flagRows(CONFIGURATION, [])];

function* flagRows(schema: v.GenericSchema, path: KeyPath): Generator<FlagRow> {
  const { entries, item } = structureOf(schema);
  if (item !== undefined) return yield* flagRows(item, [...path, 0]);
  for (const [name, row] of Object.entries(entries ?? {})) {
    const at = [...path, name];
    const { flag, choices } = rowMetadata(row);
    if (flag !== undefined) {
      yield { ...flag, path: at, form: row as Form<unknown>, choices, default: v.getDefault(row) };
    } else yield* flagRows(row, at);
  }
}

/** Where the settings are whose every change waits for a restart. */
export function restartPaths(schema: v.GenericSchema, path: KeyPath = []): readonly KeyPath[] {
  return Object.entries(structureOf(schema).entries ?? {}).flatMap(([name, row]) =>
    rowMetadata(row).restart === true ? [[...path, name]] : restartPaths(row, [...path, name])
  );
}

/** What a row of the table says beside its form. */
export function rowMetadata(row: v.GenericSchema): RowOptions & FormMetadata {
  const { wrapped = row } = row as { readonly wrapped?: v.GenericSchema };
  return v.getMetadata(wrapped as v.SchemaWithPipe<readonly [v.GenericSchema]>);
}

/**
 * Reads the value of an option: as text where the setting takes it so, else as the number that its digits are.
 *
 * @returns The value as a file would have it, or what is wrong with it.
 */
export function readFlag({ form }: Pick<FlagRow, "form">, text: string): { value: unknown } | { problem: string } {
  const isNumber = /^\d{1,16}(?:\.\d{1,16})?$/.test(text) && Number(text) <= Number.MAX_SAFE_INTEGER;
  let problem = "cannot be used";
  for (const value of isNumber ? [text, Number(text)] : [text]) {
    const { success, issues } = v.safeParse(form, value, { abortPipeEarly: true });
    if (success) return { value };
    problem = issues[0].message;
  }
  return { problem };
}
