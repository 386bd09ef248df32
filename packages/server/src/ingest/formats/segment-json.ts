export type JsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** SDKs of some languages send a numeric id as a number. */
export function numberAsText(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value
}

/** A string that fits, cut to `limit`; undefined for anything else. */
export function textUpTo(value: unknown, limit: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, limit) : undefined
}
