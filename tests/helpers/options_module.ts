/**
 * The module of the types that programs give settings in, made of the table of settings.
 *
 * @module
 */

import * as v from "valibot";
import { rowMetadata } from "../../lib/settings/flags.ts";
import { SERVER_SETTINGS } from "../../lib/settings/table.ts";
import { structureOf } from "../../lib/settings/unknown_keys.ts";

const HEAD = `/**
 * Settings as programs give them.
 *
 * @module
 */

// Made of lib/settings/table.ts by \`deno task docs\`.

import type { PortRange } from "./forms.ts";
import type { SessionReuse, TlsPolicy } from "./settings.ts";
`;

/** Writes the module, not formatted yet. */
export function makeOptionsModule(): string {
  const interfaces: string[] = [];
  const whole = declare("GivenSettings", "Settings of a server, each with its default.", SERVER_SETTINGS, interfaces);
  return [HEAD, ...interfaces, whole].join("\n");
}

function declare(name: string, text: string, schema: v.GenericSchema, interfaces: string[]): string {
  return `/** ${text} */\nexport interface ${name} ${bodyOf(schema, interfaces)}\n`;
}

function bodyOf(schema: v.GenericSchema, interfaces: string[]): string {
  const members = Object.entries(structureOf(schema).entries ?? {}).map(([key, row]) => {
    const isRequired = !("wrapped" in row);
    return `${commentOf(row)}\nreadonly ${key}${isRequired ? "" : "?"}: ${typeOf(row, interfaces)};`;
  });
  return `{\n${members.join("\n")}\n}`;
}

function commentOf(row: v.GenericSchema): string {
  const { wrapped = row } = row as { readonly wrapped?: v.GenericSchema };
  const text = v.getDescription(wrapped as v.SchemaWithPipe<readonly [v.GenericSchema]>);
  if (text === undefined) throw new Error("Cannot declare a setting without a description");
  const { restart } = rowMetadata(row);
  const kept = restart === true ? " A change waits for a restart." : "";
  const fallback: unknown = v.getDefault(row);
  const isSaid = fallback !== undefined && structureOf(row).entries === undefined;
  const shown = isSaid ? JSON.stringify(v.parse(wrapped, fallback)) : "";
  const tag = isSaid ? [" *", ` * @default {${shown}}`] : [];
  if (!isSaid && text.length + kept.length < 100) return `/** ${text}${kept} */`;
  return ["/**", ...wrap(`${text}${kept}`).map((line) => ` * ${line}`), ...tag, " */"].join("\n");
}

/** Breaks a text between words. */
function wrap(text: string): string[] {
  return text.match(/.{1,115}(?= |$)/g)?.map((line) => line.trimStart()) ?? [];
}

function typeOf(row: v.GenericSchema, interfaces: string[]): string {
  const { typeText, choices, typeName } = rowMetadata(row);
  if (typeText !== undefined) return typeText;
  if (choices !== undefined) return choices.map((choice) => JSON.stringify(choice)).join(" | ");
  const { entries, item } = structureOf(row);
  if (item !== undefined) return `readonly ${typeOf(item, interfaces)}[]`;
  if (entries === undefined) return primitiveOf(row);
  if (typeName === undefined) return bodyOf(row, interfaces);
  const text = v.getDescription(("wrapped" in row ? row.wrapped : row) as v.SchemaWithPipe<readonly [v.GenericSchema]>);
  interfaces.push(declare(typeName, text ?? "", row, interfaces));
  return typeName;
}

interface Inner {
  readonly type: string;
  readonly wrapped?: Inner;
  readonly pipe?: readonly Inner[];
  readonly options?: readonly Inner[];
}

function primitiveOf(schema: unknown): string {
  const { type, wrapped, pipe, options } = schema as Inner;
  if (wrapped !== undefined) return primitiveOf(wrapped);
  const [first] = pipe ?? [];
  if (first !== undefined && first !== schema) {
    const types = (first.options ?? options)?.map((option) => option.type) ?? [first.type];
    return first.pipe === undefined || types.length > 1 ? types.join(" | ") : primitiveOf(first);
  }
  return type;
}
