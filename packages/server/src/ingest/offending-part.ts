const KEPT_CHARACTERS = 2048

/**
 * A refused event as JSON; of one that is long, the field that its message names. It may be cut, and then is no JSON any
 * more.
 */
export function offendingPart(sent: unknown, message: string): string {
  const item = withoutKey(sent)
  const whole = toJson(item)
  if (whole.length <= KEPT_CHARACTERS) return whole
  const field = /^\w+/.exec(message)?.[0] ?? ''
  const isField = typeof item === 'object' && item !== null && Object.hasOwn(item, field)
  const part = isField ? toJson({ [field]: (item as Record<string, unknown>)[field] }) : whole
  return part.length <= KEPT_CHARACTERS ? part : `${part.slice(0, KEPT_CHARACTERS).toWellFormed()}…`
}

/** Messages of Segment's SDKs carry the project's key, and whoever reads refused events need not know the secret one. */
function withoutKey(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
  const { key: _, writeKey: __, ...shown } = item as Record<string, unknown>
  return shown
}

function toJson(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? 'null').toWellFormed()
  } catch {
    // Nested deeper than the stack goes.
    return '"(nested too deep to be shown)"'
  }
}
