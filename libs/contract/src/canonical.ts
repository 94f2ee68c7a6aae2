/**
 * Canonical JSON: one text for one value, so that two bodies are the same exactly when their texts are.
 * As in RFC 8785: no white space, keys in the order of their UTF-16 code units, numbers and strings as JSON.stringify
 * writes them.
 */

/**
 * The canonical text of a JSON value. Properties that are `undefined` are left out.
 * Recurses once a level: bound the depth of a value from outside first.
 * @throws TypeError for what JSON has no text for: undefined, functions, symbols, bigints, NaN and infinities.
 */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      if (Number.isFinite(value)) return String(value);
      break;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? canonicalList(value) : canonicalObject(value as Record<string, unknown>);
  }
  throw new TypeError(`JSON has no text for ${typeof value === 'number' ? String(value) : `a value of type ${typeof value}`}`);
}

function canonicalList(list: unknown[]): string {
  let text = '[';
  for (let i = 0; i < list.length; i++) text += (i === 0 ? '' : ',') + canonical(list[i]);
  return `${text}]`;
}

function canonicalObject(object: Record<string, unknown>): string {
  let text = '{';
  for (const key of sorted(Object.keys(object))) {
    const value = object[key];
    if (value === undefined) continue;
    text += `${text.length === 1 ? '' : ','}${quoted(key)}:${canonical(value)}`;
  }
  return `${text}}`;
}

/** Insertion sort beats the built-in one by far at the handful of keys an event has; `<` compares UTF-16 code units. */
function sorted(keys: string[]): string[] {
  if (keys.length > 24) return keys.sort();
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!;
    let at = i;
    for (; at > 0 && key < keys[at - 1]!; at--) keys[at] = keys[at - 1]!;
    keys[at] = key;
  }
  return keys;
}

/** Most strings here are short and need no escape, which a loop finds out faster than JSON.stringify is called. */
function quoted(text: string): string {
  if (text.length > 64) return JSON.stringify(text);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c || (unit >= 0xd800 && unit <= 0xdfff)) return JSON.stringify(text);
  }
  return `"${text}"`;
}
