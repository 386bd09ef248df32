import { runCommand } from './run-command.mjs'

/** `turbo run` with the environment of all scripts. */
const { ok } = await runCommand(['turbo', 'run', ...process.argv.slice(2)], { show: true })
process.exitCode = ok ? 0 : 1
