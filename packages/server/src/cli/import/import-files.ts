import { performance } from 'node:perf_hooks'
import { ImportError } from './import-error.ts'
import { importFile } from './import-file.ts'
import { IMPORT_FORMATS } from './import-format.ts'
import type { FileImportOptions, ImportOptions } from './import-options.ts'
import { type FileReport, type ImportReport, sumReports } from './import-report.ts'
import { parseEventMap } from './map/event-map.ts'
import { isZone } from './map/zoned-time.ts'

/**
 * Sends the events of files to a running server, each line exactly once however often the import is interrupted and
 * started again. Files that are imported already are passed over; when all are, that is an error.
 *
 * @example
 * const report = await importFiles({ files: ['access.log.gz'], project: 'shop', url, key, stateDir })
 * @throws ImportError whose `report` says what was done before
 */
export async function importFiles(options: ImportOptions): Promise<ImportReport> {
  const checked = check(options)
  const startedAt = performance.now()
  const reports: FileReport[] = []
  const sum = () => sumReports(reports, Math.round(performance.now() - startedAt))
  try {
    for (const file of options.files) await importFile(file, checked, (report) => reports.push(report))
  } catch (error) {
    if (error instanceof ImportError) error.report = sum()
    throw error
  }
  if (reports.every((report) => report.status === 'already imported')) {
    const which = reports.length === 1 ? `${reports[0]!.file} is` : `All ${reports.length} files are`
    const error = new ImportError(
      'already_imported',
      `${which} imported into ${options.project} already. To send the same events again, use --force: the server counts those once that it still remembers.`,
    )
    error.report = sum()
    throw error
  }
  return sum()
}

/** @throws ImportError `invalid_option` or `invalid_map` that names the option */
function check({ files, map, zone = 'UTC', ...options }: ImportOptions): FileImportOptions {
  const { format, key, url } = options
  const delimiter = options.delimiter === '\\t' ? '\t' : options.delimiter
  if (files.length === 0) throw invalid('Name at least one file to import.')
  if (format !== undefined && !IMPORT_FORMATS.includes(format)) {
    throw invalid(`--format ${format} is unknown; there are ${IMPORT_FORMATS.join(', ')}.`)
  }
  if (!isZone(zone)) throw invalid(`--zone ${zone} is no IANA zone; an example is Europe/London.`)
  if (delimiter !== undefined && (delimiter.length !== 1 || '"\r\n'.includes(delimiter))) {
    throw invalid(`--delimiter takes one character, such as ";" or "\\t".`)
  }
  if (!URL.canParse(url)) throw invalid(`--url ${url} is no address; an example is http://localhost:4600.`)
  if (key === '') throw invalid("--key is empty: give the project's secret key.")
  if (key.startsWith('nc_pub_')) {
    throw invalid("An import needs the project's secret key (nc_sec_…); this is the public write key.")
  }
  return { ...options, delimiter, zone, map: map === undefined ? undefined : parseEventMap(map) }
}

function invalid(message: string): ImportError {
  return new ImportError('invalid_option', message)
}
