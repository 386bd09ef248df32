import './require-node.mjs'
import { pathToFileURL } from 'node:url'
import { installPackages } from './install-packages.mjs'
import { root } from './public-packages.mjs'
import { runCommand } from './run-command.mjs'

await installPackages()

console.log('Building what has changed…')
const build = await runCommand(['turbo', 'run', 'build', '--filter=@nowcast/server', '--output-logs=errors-only'])
if (!build.ok) {
  console.error(`${build.output}\n\nThe build failed.`)
  process.exit(1)
}

stopWithNpm()

// In this process: a signal that is sent to it reaches the server once, and without an intermediary.
const cli = `${root}/packages/server/dist/cli.js`
process.argv.splice(1, 1, cli, 'demo')
await import(pathToFileURL(cli).href)

/** npm hands a SIGTERM to its shell only; the shell ends and leaves this process behind. */
function stopWithNpm() {
  if (process.env.npm_lifecycle_event !== 'start') return
  const shell = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  watch.unref()
}
