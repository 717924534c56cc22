/**
 * Making and changing elements. Nothing of the page is made of a text with tags: names come from strangers.
 *
 * @module
 */

/**
 * The element of an id, which the page has.
 *
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`The page has no #${id}`);
  return found;
}

/**
 * Makes an element.
 *
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Sets a text, if it is another one than before.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  const { firstChild } = element;
  if (firstChild instanceof Text && firstChild === element.lastChild) {
    if (firstChild.data !== text) firstChild.data = text;
  } else {
    element.textContent = text;
  }
}

/**
 * Sets an attribute, if it has another value.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** One row each of a list, by key: what stays is changed in place, and keeps the focus. */
export class KeyedRows {
  #parent;
  #create;
  #empty;
  /** @type {Map<string, { element: any, update: (item: any) => void, remove?: () => void }>} */
  #rows = new Map();

  /**
   * @param {Element} parent
   * @param {(key: string, item: any) => { element: any, update: (item: any) => void, remove?: () => void }} create
   * @param {string} [empty] What is shown where there is none.
   */
  constructor(parent, create, empty) {
    this.#parent = parent;
    this.#create = create;
    this.#empty = empty === undefined ? undefined : make("li", { class: "empty" }, empty);
  }

  /**
   * Shows these, in this order.
   *
   * @param {readonly any[]} items
   * @param {(item: any) => string} keyOf
   */
  show(items, keyOf) {
    const keys = new Set(items.map(keyOf));
    for (const [key, { element, remove }] of this.#rows) {
      if (keys.has(key)) continue;
      remove?.();
      element.remove();
      this.#rows.delete(key);
    }
    if (this.#empty !== undefined) {
      if (items.length === 0) this.#parent.append(this.#empty);
      else this.#empty.remove();
    }
    const focused = document.activeElement;
    let next = this.#parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let row = this.#rows.get(key);
      if (row === undefined) {
        row = this.#create(key, item);
        this.#rows.set(key, row);
      }
      row.update(item);
      if (row.element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(row.element, next);
    }
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
      focused.focus({ preventScroll: true });
    }
  }
}
