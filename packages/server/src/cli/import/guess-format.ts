import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parseCombinedLog } from './formats/parse-combined-log.ts'
import { splitCsv } from './formats/split-csv.ts'
import { ImportError } from './import-error.ts'
import { IMPORT_FORMATS, type ImportFormat } from './import-format.ts'

/** How much of a file is looked at, in bytes. */
const SAMPLE_BYTES = 65_536
const SAMPLE_LINES = 20
const DELIMITERS = [',', ';', '\t', '|']

/** The beginning of a file, inflated: up to 20 whole lines that are not blank. */
export async function readSample(path: string, gzip: boolean): Promise<string[]> {
  const stored = createReadStream(path, { end: SAMPLE_BYTES - 1 })
  const source = gzip ? pipeline(stored, createGunzip(), () => {}) : stored
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of source as AsyncIterable<Buffer>) {
      parts.push(part)
      bytes += part.length
      if (bytes >= SAMPLE_BYTES) break
    }
  } catch {
    // The sample ends inside the compressed data.
  }
  const lines = Buffer.concat(parts)
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
  if (bytes >= SAMPLE_BYTES && lines.length > 1) lines.pop()
  return lines.filter((line) => line.trim() !== '').slice(0, SAMPLE_LINES)
}

/** The format most lines of a sample look like; undefined when it could be anything. */
export function guessFormat(sample: string[], path: string): ImportFormat | undefined {
  const most = (looksRight: (line: string) => boolean) => sample.filter(looksRight).length * 2 > sample.length
  if (most((line) => typeof parseCombinedLog(line) !== 'string')) return 'combined-log'
  if (most((line) => line.trimStart().startsWith('{') && line.trimEnd().endsWith('}'))) return 'ndjson'
  const name = path.toLowerCase().replace(/\.gz$/, '')
  if (/\.(csv|tsv)$/.test(name)) return 'csv'
  if (/\.(ndjson|jsonl)$/.test(name)) return 'ndjson'
  const columns = columnCount(sample[0] ?? '', guessDelimiter(sample))
  return columns > 1 && sample.every((line) => columnCount(line, guessDelimiter(sample)) === columns)
    ? 'csv'
    : undefined
}

/** The delimiter that gives the header most columns. */
export function guessDelimiter(sample: string[]): string {
  const header = sample[0] ?? ''
  return DELIMITERS.reduce((best, next) => (columnCount(header, next) > columnCount(header, best) ? next : best))
}

/** @throws ImportError that names the formats there are */
export function requireFormat(sample: string[], path: string): ImportFormat {
  const format = guessFormat(sample, path)
  if (format) return format
  const hint = sample[0]?.startsWith('[')
    ? "It looks like one JSON array: make it one object per line, as with `jq -c '.[]'`."
    : `Name its format with --format: ${IMPORT_FORMATS.join(', ')}.`
  throw new ImportError('unknown_format', `Cannot tell what ${path} is. ${hint}`)
}

function columnCount(line: string, delimiter: string): number {
  return splitCsv(line, delimiter)?.length ?? 1
}
