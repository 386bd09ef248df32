import { ImportError } from '../import-error.ts'
import { compileMap } from '../map/compile-map.ts'
import { columnsOf, type EventMap } from '../map/event-map.ts'
import { LINE_BYTES, type TextLine } from '../split-lines.ts'
import type { ParsedLine, RecordReader, SourceRecord } from './record-reader.ts'
import { splitCsv } from './split-csv.ts'

/** Lines that one record may span. */
const RECORD_LINES = 250
const WRONG_COLUMNS = 'wrong_columns'

export interface CsvOptions {
  /** One character. */
  delimiter: string
  map: EventMap | undefined
  /** IANA zone of timestamps that carry none. */
  zone: string
  /** The last line that is imported already. @default 0 */
  afterLine?: number
}

/**
 * Reads CSV with a header. Records are put together here rather than by a parser library, because an event's id
 * needs the record's line, and because a quote that is never closed must cost one line and not the rest of the file.
 * @throws ImportError on reading a header that lacks a column of the map
 */
export function createCsvReader(options: CsvOptions): RecordReader {
  const { delimiter, afterLine = 0 } = options
  let parse: ((fields: string[]) => ParsedLine) | undefined
  /** Lines of a record whose quoted field is still open. */
  let held: TextLine[] = []
  let heldLength = 0

  function read(lines: TextLine[]): SourceRecord[] {
    const records: SourceRecord[] = []
    for (const line of lines) if (!parse || line.line > afterLine) take(line, records)
    return records
  }

  function take(line: TextLine, records: SourceRecord[]): void {
    if (line.fault) {
      if (!parse)
        throw new ImportError('wrong_format', `The header of the CSV file cannot be read. ${line.fault.message}`)
      while (held.length > 0) giveUpFirst(records)
      records.push({ line: line.line, lastLine: line.line, text: line.text, rejection: line.fault })
      return
    }
    if (held.length === 0 && line.text.trim() === '') {
      records.push({ line: line.line, lastLine: line.line, text: line.text })
      return
    }
    held.push(line)
    heldLength += line.text.length
    const mayClose = held.length === 1 || line.text.includes('"')
    const text = mayClose ? held.map((part) => part.text).join('\n') : ''
    const fields = mayClose ? splitCsv(text, delimiter) : undefined
    if (!fields) {
      if (held.length >= RECORD_LINES || heldLength > LINE_BYTES) giveUpFirst(records)
      return
    }
    const parsed = parse?.(fields)
    // Several lines that make no record of this file: more likely a quote that was never meant to be closed there.
    if (held.length > 1 && parsed && 'rejection' in parsed && parsed.rejection.code === WRONG_COLUMNS) {
      giveUpFirst(records)
      return
    }
    const first = held[0]!.line
    held = []
    heldLength = 0
    if (parsed) records.push({ line: first, lastLine: line.line, text, ...parsed })
    else parse = readHeader(fields, options)
  }

  /** Rejects the first held line, and reads the others as if it had not been there. */
  function giveUpFirst(records: SourceRecord[]): void {
    const [first, ...others] = held
    held = []
    heldLength = 0
    if (!first) return
    if (!parse) throw new ImportError('wrong_format', 'The header of the CSV file has a quote that is never closed.')
    const rejection = { code: 'unclosed_quote', message: 'A quoted field begins in this line and is never closed.' }
    records.push({ line: first.line, lastLine: first.line, text: first.text, rejection })
    for (const line of others) take(line, records)
  }

  return {
    read,
    end() {
      const records: SourceRecord[] = []
      while (held.length > 0) giveUpFirst(records)
      return records
    },
  }
}

function readHeader(fields: string[], { map, zone, delimiter }: CsvOptions): (fields: string[]) => ParsedLine {
  const columns = fields.map((field) => field.trim())
  const there = `The columns there are: ${columns.map((column) => `"${column}"`).join(', ')}.`
  if (!map) {
    throw new ImportError('invalid_map', `A CSV file needs a map (--map) that names a column for each field. ${there}`)
  }
  const unknown = columnsOf(map).filter((column) => !columns.includes(column))
  if (unknown.length > 0) {
    const names = unknown.map((column) => `"${column}"`).join(', ')
    const hint = columns.length === 1 ? ` Is "${delimiter}" the delimiter? Name another with --delimiter.` : ''
    throw new ImportError('unknown_column', `The map names ${names}, which the file does not have. ${there}${hint}`)
  }
  const toEvent = compileMap(map, columns, zone)
  return (fields) => {
    if (fields.length === columns.length) return toEvent(fields)
    const message = `The record has ${fields.length} fields, the header ${columns.length}.`
    return { rejection: { code: WRONG_COLUMNS, message } }
  }
}
