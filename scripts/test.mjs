import './require-node.mjs'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { runGates } from './gates.mjs'
import { installPackages } from './install-packages.mjs'
import { installServices } from './install-services.mjs'
import { root } from './public-packages.mjs'
import { readResults } from './read-results.mjs'
import { inSeconds, runCommand } from './run-command.mjs'
import { testSuites } from './test-suites.mjs'

/** Suites that run beside each other: all of them wait for processes that start, and for those they have killed. */
const LANES = 2
const SUITE_LIMIT_MS = 45 * 60_000
const isCi = process.env.CI === 'true'
const reasons = JSON.parse(readFileSync(`${root}/test/skipped-tests.json`, 'utf8'))

const gates = await prepareAndCheck()
let passed = gates.filter((gate) => gate.ok).length
const failed = gates.filter((gate) => !gate.ok).map((gate) => `gate: ${gate.title}`)
const skipped = []
const lines = []
const waiting = testSuites()
await Promise.all(Array.from({ length: LANES }, (_, i) => runLane(i === 0)))

console.log(`\nSuites\n  ${lines.join('\n  ')}`)
if (skipped.length > 0) console.log('\nSkipped')
for (const { name, reason } of skipped) console.log(`  ${name}\n      ${reason ?? 'no reason given'}`)
if (failed.length > 0) console.log(`\nFailed\n  ${failed.join('\n  ')}`)
console.log(`\n${passed} passed, ${failed.length} failed`)
process.exitCode = failed.length === 0 ? 0 : 1

async function prepareAndCheck() {
  await installPackages()
  await installServices()
  console.log('\nGates')
  return runGates()
}

/** Runs one waiting suite after the other; `show`: what they print is seen as it comes, or else when each has ended. */
async function runLane(show) {
  for (let suite = waiting.shift(); suite; suite = waiting.shift()) {
    const { results, ms } = await runSuite(suite, show)
    passed += results.passed
    failed.push(...results.failed)
    skipped.push(...results.skipped)
    const counts = `${results.passed} passed, ${results.failed.length} failed, ${results.skipped.length} skipped`
    lines.push(`${suite.name.padEnd(20)} ${inSeconds(ms).padStart(9)}   ${counts}`)
  }
}

/** Runs one suite in a process of its own, so that a crash costs only this one. */
async function runSuite({ name, cwd, options }, show) {
  const file = `${root}/test-results/${name}.json`
  mkdirSync(`${root}/test-results`, { recursive: true })
  rmSync(file, { force: true })
  if (show) console.log(`\nSuite ${name}`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const run = await runCommand(['vitest', 'run', ...options, ...reporters], {
    cwd: `${root}/${cwd}`,
    show,
    limitMs: SUITE_LIMIT_MS,
  })
  if (!show) console.log(`\nSuite ${name}\n${run.output}`)
  const report = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  return { results: readResults({ ...run, report }, { root, isCi, reasons }), ms: run.ms }
}
