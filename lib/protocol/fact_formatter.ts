/**
 * Facts of a listing: RFC 3659 §7.2.
 *
 * @module
 */

import { FACT_NAMES, type FactName, formatTimeValue, modeFact, permFact } from "./facts.ts";
import type { ListedInfo } from "./unix_listing.ts";

/** What is known of an entry that has facts. */
export interface FactInfo extends Omit<ListedInfo, "links"> {
  /** Same for two paths exactly when they are the same file, where known. */
  readonly unique?: string | undefined;
}

/** `other` has no standard name (RFC 3659 §7.5.1.5); a link has the one of the RFC's examples. */
const TYPE_FACTS = { file: "file", directory: "dir", link: "OS.unix=slink", other: "OS.unix=special" } as const;

const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, second) => String(second).padStart(2, "0"));

/** Writes the facts of the entries of one listing. What an entry has in common with the one before is not written anew. */
export class FactFormatter {
  readonly #shows: Readonly<Record<FactName, boolean>>;
  readonly #perms: Readonly<Record<FactInfo["type"], string>>;
  #modify = { minute: NaN, text: "" };
  #owner: { readonly info: FactInfo; readonly text: string } | undefined;

  /**
   * @param letters Permission letters of the user, of which `perm` is made.
   * @param selected Facts that are shown, where they are known, sorted by name.
   */
  constructor(letters: string, selected: readonly FactName[]) {
    const shown = FACT_NAMES.map((name) => [name, selected.includes(name)] as const);
    this.#shows = Object.fromEntries(shown) as Record<FactName, boolean>;
    const perm = (type: FactInfo["type"]) => this.#shows.perm ? `perm=${permFact(letters, type)};` : "";
    this.#perms = { file: perm("file"), directory: perm("directory"), link: perm("link"), other: perm("other") };
  }

  /**
   * Writes facts, `modify=…;size=…;`. What follows them, a space and the pathname, is not part of it.
   *
   * @param options.isListed Whether it is the directory that is listed. Default: no.
   */
  format(info: FactInfo, options: { readonly isListed?: boolean | undefined } = {}): string {
    const { modified, size, unique } = info;
    const shows = this.#shows;
    const modify = shows.modify && modified !== undefined ? this.#modifyFact(modified) : "";
    const sizeFact = shows.size ? `size=${size};` : "";
    const type = shows.type ? `type=${options.isListed ? "cdir" : TYPE_FACTS[info.type]};` : "";
    const uniqueFact = shows.unique && unique !== undefined ? `unique=${unique};` : "";
    return modify + this.#perms[info.type] + sizeFact + type + uniqueFact + this.#ownerFacts(info);
  }

  #modifyFact(modified: Date): string {
    const second = Math.floor(modified.getTime() / 1000);
    const minute = Math.floor(second / 60);
    if (minute !== this.#modify.minute) {
      const value = formatTimeValue(modified);
      if (value === undefined) return "";
      this.#modify = { minute, text: `modify=${value.slice(0, -2)}` };
    }
    return `${this.#modify.text}${TWO_DIGITS[second - minute * 60]};`;
  }

  #ownerFacts(info: FactInfo): string {
    const { info: last, text } = this.#owner ?? {};
    if (text !== undefined && last?.mode === info.mode && last?.uid === info.uid && last?.gid === info.gid) return text;
    this.#owner = { info, text: this.#writeOwnerFacts(info) };
    return this.#owner.text;
  }

  #writeOwnerFacts({ mode, uid, gid }: FactInfo): string {
    const shows = this.#shows;
    const group = shows["unix.gid"] && gid !== undefined ? `unix.gid=${gid};` : "";
    const bits = shows["unix.mode"] && mode !== undefined ? `unix.mode=${modeFact(mode)};` : "";
    const owner = shows["unix.uid"] && uid !== undefined ? `unix.uid=${uid};` : "";
    return group + bits + owner;
  }
}
