import { expect, test } from 'vitest'
import { readResults } from './read-results.mjs'

const root = '/repository'
const options = { root, isCi: false, reasons: {} }
const ended = { ok: true, outcome: '' }
const crashed = { ok: false, outcome: 'exit code 1' }

const file = (status, tests, message) => ({
  name: `${root}/packages/server/src/a.test.ts`,
  status,
  message,
  assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
})
const report = (...files) => JSON.stringify({ testResults: files })

test('counts tests and names those that failed', () => {
  const results = readResults({ ...crashed, report: report(file('failed', { one: 'passed', two: 'failed' })) }, options)
  expect(results).toEqual({ passed: 1, failed: ['packages/server/src/a.test.ts > two'], skipped: [] })
})

test('a runner that wrote nothing is a failure', () => {
  const results = readResults({ ok: false, outcome: 'ended by SIGKILL', report: undefined }, options)
  expect(results.failed).toEqual(['no test ran (ended by SIGKILL)'])
})

test('a report cut short is a failure', () => {
  const results = readResults({ ...crashed, report: report(file('passed', { one: 'passed' })).slice(0, -9) }, options)
  expect(results.failed).toHaveLength(1)
})

test('a suite without tests is a failure', () => {
  expect(readResults({ ...ended, report: report() }, options).failed).toEqual(['no test ran (vitest reported nothing)'])
})

test('a file that cannot be loaded is a failure', () => {
  const broken = file('failed', {}, 'Cannot find module x\n  at y')
  const results = readResults({ ...crashed, report: report(broken, file('passed', { one: 'passed' })) }, options)
  expect(results).toMatchObject({ passed: 1, failed: ['packages/server/src/a.test.ts\n      Cannot find module x'] })
})

test('a failed test comes with what its error says, without the stack', () => {
  const failed = { name: `${root}/packages/server/src/a.test.ts`, status: 'failed', message: '' }
  const message = 'Error: port 1 is taken\nby another'
  const stack = '\n    at file.ts:1:2\n    at file.ts:3:4'
  const one = { fullName: 'one', status: 'failed', failureMessages: [message + stack] }
  const { failed: names } = readResults({ ...crashed, report: report({ ...failed, assertionResults: [one] }) }, options)
  expect(names).toEqual(['packages/server/src/a.test.ts > one\n      Error: port 1 is taken\n      by another'])
})

test('a test that takes too long says so', () => {
  const one = { fullName: 'one', status: 'failed', failureMessages: ['Error: STACK_TRACE_ERROR\n    at file.ts:1:2'] }
  const { failed } = readResults(
    { ...crashed, report: report({ ...file('failed', {}), assertionResults: [one] }) },
    options,
  )
  expect(failed).toEqual(['packages/server/src/a.test.ts > one\n      took too long'])
})

test('a file whose hooks fail says why its tests were skipped', () => {
  const run = { ...crashed, report: report(file('failed', { one: 'skipped' }, 'it takes too long\nto start')) }
  expect(readResults(run, { ...options, isCi: true }).failed).toEqual([
    'packages/server/src/a.test.ts > one (skipped without a reason)',
    'packages/server/src/a.test.ts\n      it takes too long\n      to start',
  ])
})

test('an error outside of all tests is a failure', () => {
  const results = readResults({ ...crashed, report: report(file('passed', { one: 'passed' })) }, options)
  expect(results.failed).toEqual(['the runner failed (exit code 1)'])
})

test('a test that never ended is a failure', () => {
  const results = readResults({ ...crashed, report: report(file('failed', { one: 'pending' })) }, options)
  expect(results.failed).toEqual(['packages/server/src/a.test.ts > one'])
})

test('a skipped test is a failure in CI, unless a reason is listed', () => {
  const name = 'packages/server/src/a.test.ts > one'
  const run = { ...ended, report: report(file('passed', { one: 'skipped', two: 'passed' })) }
  expect(readResults(run, options).skipped).toEqual([{ name, reason: undefined }])
  expect(readResults(run, { ...options, isCi: true }).failed).toEqual([`${name} (skipped without a reason)`])
  const listed = readResults(run, { ...options, isCi: true, reasons: { [name]: 'needs two machines' } })
  expect(listed).toEqual({ passed: 1, failed: [], skipped: [{ name, reason: 'needs two machines' }] })
})

test('a suite whose tests are all skipped with reasons holds', () => {
  const run = { ...ended, report: report(file('passed', { one: 'skipped' })) }
  expect(readResults(run, options).failed).toEqual([])
})
