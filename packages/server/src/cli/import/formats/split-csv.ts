/**
 * The fields of one CSV record (RFC 4180). A quote inside a field that does not begin with one is an ordinary
 * character, and so is one that neither a delimiter nor another quote follows.
 * @param delimiter one character
 * @returns undefined when a quoted field is still open at the end: the record goes on in the next line
 */
export function splitCsv(text: string, delimiter: string): string[] | undefined {
  if (!text.includes('"')) return text.split(delimiter)
  const fields: string[] = []
  let at = 0
  while (at <= text.length) {
    if (text[at] !== '"') {
      const found = text.indexOf(delimiter, at)
      const end = found < 0 ? text.length : found
      fields.push(text.slice(at, end))
      at = end + 1
      continue
    }
    let field = ''
    let from = ++at
    for (;;) {
      const quote = text.indexOf('"', at)
      if (quote < 0) return undefined
      const next = text[quote + 1]
      if (next === undefined || next === delimiter) {
        fields.push(field + text.slice(from, quote))
        at = quote + 2
        break
      }
      if (next === '"') {
        field += text.slice(from, quote + 1)
        from = quote + 2
        at = from
      } else {
        at = quote + 1
      }
    }
  }
  return fields
}
