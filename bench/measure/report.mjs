import { writeFileSync } from 'node:fs'
import { cpus, platform, totalmem } from 'node:os'
import { parseArgs } from 'node:util'

/** Middle and range of repeated readings. */
export function spread(readings) {
  const sorted = [...readings].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, min: sorted[0], max: sorted.at(-1) }
}

/** What figures are worth nothing without. */
function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: platform(),
    node: process.version,
  }
}

/** Flags of a bench: numbers with their defaults, and `--json file` and `--dir folder`. */
export function readFlags(numbers) {
  const options = Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: 'string' }]))
  const { values } = parseArgs({ options: { ...options, json: { type: 'string' }, dir: { type: 'string' } } })
  const flags = { json: values.json, dir: values.dir }
  for (const [name, usual] of Object.entries(numbers)) {
    flags[name] = values[name] === undefined ? usual : Number(values[name])
    if (!Number.isFinite(flags[name])) throw new Error(`--${name} must be a number`)
  }
  return flags
}

/**
 * Prints a table on stderr and the result as JSON on stdout, or in the file of `--json`.
 * @param {{ bench: string, rows: { what: string, unit: string, readings: number[], digits?: number }[], aims: { what: string, aim: string, met: boolean }[] }} result
 */
export function report({ bench, rows, aims, ...rest }, file) {
  const shown = rows.map(({ what, unit, readings, digits = 0 }) => {
    const { median, min, max } = spread(readings)
    const text = (value) =>
      value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    return [what, text(median), `${text(min)} – ${text(max)}`, unit]
  })
  const table = [['', 'median', 'range', 'unit'], ...shown]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column].length)))
  const line = (row) =>
    row.map((cell, i) => (i === 0 || i === 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
  const { cores, node, cpu } = machine()
  console.error(`\n${bench}: Node ${node.slice(1)}, ${cores} cores, ${cpu}`)
  for (const row of table) console.error(`  ${line(row)}`)
  for (const { what, aim, met } of aims) console.error(`  ${met ? 'met' : 'not met'}: ${what} ${aim}`)
  const json = JSON.stringify(
    {
      bench,
      at: new Date().toISOString(),
      machine: machine(),
      rows: rows.map((row) => ({ ...row, ...spread(row.readings) })),
      aims,
      ...rest,
    },
    null,
    2,
  )
  if (file) writeFileSync(file, `${json}\n`)
  else console.log(json)
}
