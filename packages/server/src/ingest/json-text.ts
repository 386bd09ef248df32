// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes exactly these
const SPECIAL = /[\u0000-\u001f"\\\ud800-\udfff]/
const LONE_ESCAPE = /\\u[dD][89a-fA-F]/

/** A string as JSON. */
export function quote(text: string): string {
  return `"${escaped(text)}"`
}

/** What stands between the quotes of a string as JSON. Lone surrogates become U+FFFD, since the archive refuses them. */
export function escaped(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text.toWellFormed()).slice(1, -1) : text
}

/** As {@link escaped}, for a string of a JSON text without a backslash: nothing in it can need one. */
export function asIs(text: string): string {
  return text
}

/** An object as JSON, its lone surrogates as U+FFFD. */
export function stringifyWellFormed(value: object): string {
  const json = JSON.stringify(value)
  return LONE_ESCAPE.test(json) ? JSON.stringify(wellFormed(value)) : json
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]))
}

/** Whether objects and arrays are nested at most `depth` deep, `value` itself being the first. */
export function isNestedAtMost(value: object, depth: number): boolean {
  if (depth === 0) return false
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object' && inner !== null && !isNestedAtMost(inner, depth - 1)) return false
  }
  return true
}
