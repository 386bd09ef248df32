import { runGates } from './gates.mjs'

const results = await runGates()
const failed = results.filter((result) => !result.ok)
console.log(failed.length === 0 ? '\nAll gates hold.' : `\nFailed: ${failed.map((result) => result.title).join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
