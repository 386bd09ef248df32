import type { EventInput } from '@nowcast/protocol'
import type { Rejection } from '../line-ledger.ts'
import type { TextLine } from '../split-lines.ts'

/** What a line says: an event, or why it is none. */
export type ParsedLine = { event: EventInput } | { rejection: Rejection }

/** What became of one line, or of one record of several lines; with neither event nor rejection it is blank. */
export interface SourceRecord {
  /** Its first line, from 1. */
  line: number
  lastLine: number
  text: string
  event?: EventInput
  rejection?: Rejection
}

/** Turns lines of one format into events. */
export interface RecordReader {
  /** The records that these lines complete, in order. */
  read(lines: TextLine[]): SourceRecord[]
  /** What is left at the end of the file. */
  end(): SourceRecord[]
}

/**
 * A reader of formats in which each line stands for itself.
 * @param afterLine the last line that is imported already
 */
export function createLineReader(parse: (text: string) => ParsedLine, afterLine: number): RecordReader {
  return {
    read(lines) {
      const records: SourceRecord[] = []
      for (const { line, text, fault } of lines) {
        if (line <= afterLine) continue
        if (fault) records.push({ line, lastLine: line, text, rejection: fault })
        else if (text.trim() === '') records.push({ line, lastLine: line, text })
        else records.push({ line, lastLine: line, text, ...parse(text) })
      }
      return records
    },
    end: () => [],
  }
}
