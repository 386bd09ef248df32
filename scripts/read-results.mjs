import { relative } from 'node:path'

/** What an error says is shown up to here. */
const MAX_CHARACTERS = 1500
/** What vitest reports in place of its words about a test that takes too long. */
const TIMED_OUT = 'Error: STACK_TRACE_ERROR'

/**
 * Sums what vitest's JSON reporter wrote about one suite.
 * @param {{ report: string | undefined, ok: boolean, outcome: string }} run `report`: the file's text, undefined if there
 *   is none; `ok`, `outcome`: how the process ended
 * @param {{ root: string, isCi: boolean, reasons: Record<string, string> }} options `reasons`: why a test may be skipped,
 *   by its name as it is given here
 * @returns {{ passed: number, failed: string[], skipped: { name: string, reason: string | undefined }[] }}
 */
export function readResults({ report, ok, outcome }, { root, isCi, reasons }) {
  const results = { passed: 0, failed: [], skipped: [] }
  for (const file of filesOf(report)) {
    const path = relative(root, file.name)
    const before = results.failed.length
    for (const { status, fullName, failureMessages } of file.assertionResults) {
      const name = `${path} > ${fullName}`
      if (status === 'passed') results.passed++
      else if (status === 'skipped' || status === 'todo') {
        const reason = Object.hasOwn(reasons, name) ? reasons[name] : undefined
        if (isCi && reason === undefined) results.failed.push(`${name} (skipped without a reason)`)
        else results.skipped.push({ name, reason })
      } else results.failed.push(withWords(name, failureMessages?.[0]))
    }
    // A file that cannot be loaded, or whose hooks fail, may have no failed test; what is wrong with it explains those
    // that were skipped.
    if (file.status !== 'passed' && (file.message || results.failed.length === before))
      results.failed.push(withWords(path, file.message || 'failed outside its tests'))
  }
  const count = results.passed + results.failed.length + results.skipped.length
  if (count === 0) results.failed.push(`no test ran (${outcome || 'vitest reported nothing'})`)
  else if (!ok && results.failed.length === 0) results.failed.push(`the runner failed (${outcome})`)
  return results
}

function filesOf(report) {
  try {
    return JSON.parse(report).testResults
  } catch {
    return []
  }
}

/** A failure with what its error says, without the stack. */
function withWords(name, message = '') {
  const [said = ''] = message.split(/\n +at /)
  const words = said === TIMED_OUT ? 'took too long' : said
  return words ? `${name}\n      ${words.slice(0, MAX_CHARACTERS).replaceAll('\n', '\n      ')}` : name
}
