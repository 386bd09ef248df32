import { existsSync, statSync, utimesSync } from 'node:fs'
import { root } from './public-packages.mjs'
import { runCommand } from './run-command.mjs'

// npm writes this file after each install.
const installed = `${root}/node_modules/.package-lock.json`
const lockfile = `${root}/package-lock.json`

/** Installs the npm packages if they are missing or older than the lockfile. Ends the process if that fails. */
export async function installPackages() {
  const isMissing = !existsSync(installed)
  if (!isMissing && statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs) return
  console.log(isMissing ? 'Installing npm packages (once)…' : 'Bringing npm packages up to date…')
  // Not `npm ci`: the lockfile is written on Linux and lacks other systems' native packages, which it would refuse.
  const { ok, outcome } = await runCommand(['npm', 'install', '--no-save', '--loglevel=error'], { show: true })
  if (!ok) {
    console.error(`npm could not install the packages: ${outcome}`)
    process.exit(1)
  }
  utimesSync(installed, new Date(), new Date())
}
