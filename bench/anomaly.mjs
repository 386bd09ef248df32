import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { bundleServer } from './measure/bundle.mjs'

/*
 * The rules for anomalies on labelled series, the Numenta Anomaly Benchmark's: how many of the windows that people have
 * marked hold an alarm, and how many alarms a day lie outside. Alarms that follow each other without a pause are one.
 * The series are on disk as NAB has them: `data/<group>/<series>.csv` and `labels/combined_windows.json`.
 */

const { values: flags } = parseArgs({ options: { data: { type: 'string' }, sigma: { type: 'string' } } })
const folder = flags.data ?? new URL('../../shared/data/anomaly/nab', import.meta.url).pathname
const sigmas = (flags.sigma ?? '2,3,5').split(',').map(Number)
const { judgeSeries } = await import(pathToFileURL(await bundleServer('anomaly-rules')).href)

const DAY_MS = 86_400_000
const timeOf = (text) => Date.parse(`${text.replace(' ', 'T').slice(0, 19)}Z`)
const windowsOf = JSON.parse(readFileSync(join(folder, 'labels/combined_windows.json'), 'utf8'))
const files = Object.keys(windowsOf).filter((name) => {
  const [group, file] = name.split('/')
  return readdirSync(join(folder, 'data')).includes(group) && readdirSync(join(folder, 'data', group)).includes(file)
})

function readSeries(name) {
  const [, ...lines] = readFileSync(join(folder, 'data', name), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line) => {
    const [time, value] = line.split(',')
    return { t: timeOf(time), v: Number(value) }
  })
}

function score(series, windows, isAnomaly) {
  const inside = (t) => windows.find(({ from, to }) => t >= from && t <= to)
  const hit = new Set()
  let falseAlarms = 0
  for (const [i, { t }] of series.entries()) {
    if (!isAnomaly[i]) continue
    const window = inside(t)
    if (window) hit.add(window)
    else if (!isAnomaly[i - 1]) falseAlarms++
  }
  return { hit: hit.size, windows: windows.length, falseAlarms, days: (series.at(-1).t - series[0].t) / DAY_MS }
}

const rules = sigmas.flatMap((sigma) => ['previous', 'median', 'seasonal'].map((baseline) => ({ baseline, sigma })))
const rows = []
for (const { baseline, sigma } of rules) {
  for (const name of files) {
    const series = readSeries(name)
    const windows = windowsOf[name].map(([from, to]) => ({ from: timeOf(from), to: timeOf(to) }))
    rows.push({ baseline, sigma, name, ...score(series, windows, judgeSeries(series, baseline, sigma)) })
  }
}

const sum = (some) => {
  const add = (field) => some.reduce((total, row) => total + row[field], 0)
  const days = add('days')
  return {
    hit: add('hit'),
    windows: add('windows'),
    falseAlarmsADay: Math.round((add('falseAlarms') / days) * 100) / 100,
  }
}
/** Three earlier weeks at least, so that a seasonal baseline has something to say. */
const isLong = ({ days }) => days >= 28
const summary = rules.map(({ baseline, sigma }) => {
  const own = rows.filter((row) => row.baseline === baseline && row.sigma === sigma)
  const group = (name) => sum(own.filter((row) => row.name.startsWith(name)))
  return {
    baseline,
    sigma,
    all: sum(own),
    long: sum(own.filter(isLong)),
    artificial: group('artificialWithAnomaly'),
    calm: group('artificialNoAnomaly'),
    exchange: group('realAdExchange'),
    known: group('realKnownCause'),
  }
})

const cell = ({ hit, windows, falseAlarmsADay }) => `${hit}/${windows}, ${falseAlarmsADay.toFixed(2)}`.padStart(14)
const columns = ['all', 'long', 'artificial', 'calm', 'exchange', 'known']
console.error(`windows hit, false alarms a day; ${files.length} series\n`)
console.error(`${'baseline'.padEnd(10)} sigma ${columns.map((name) => name.padStart(14)).join('')}`)
for (const row of summary)
  console.error(
    `${row.baseline.padEnd(10)} ${String(row.sigma).padStart(5)} ${columns.map((name) => cell(row[name])).join('')}`,
  )
console.log(JSON.stringify({ bench: 'anomaly', at: new Date().toISOString(), summary, rows }, null, 2))
