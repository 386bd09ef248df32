import './require-node.mjs'
import { hasFlink, installFlink } from './flink-distribution.mjs'
import { installPackages } from './install-packages.mjs'
import { FLINK_TOOLS, installServices } from './install-services.mjs'
import { root } from './public-packages.mjs'
import { runCommand } from './run-command.mjs'

/*
 * The job in a real Flink: what is missing is fetched from the package registries, its functions are built and tested,
 * and then the tests under test/flink/ run. Not part of `npm test`, since it fetches 330 MB and takes minutes.
 */
const BUILD_MS = 15 * 60_000

await installPackages()
await installServices(FLINK_TOOLS)
if (!hasFlink()) {
  console.log('Flink is missing, fetching it (once)…')
  const failure = await installFlink()
  if (failure) fail(`Flink could not be installed: ${failure}`)
}
await step('The server', ['npm', 'run', 'build', '--silent'])
await step('Flink’s functions', ['mvn', '--quiet', '--batch-mode', 'package'], `${root}/deploy/flink`)
const { ok } = await runCommand(['vitest', 'run', '--project', 'flink'], { show: true })
process.exitCode = ok ? 0 : 1

async function step(what, command, cwd = root) {
  console.log(`${what} is built…`)
  const { ok, output } = await runCommand(command, { cwd, limitMs: BUILD_MS })
  if (!ok) fail(`${what} could not be built:\n${output}`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
