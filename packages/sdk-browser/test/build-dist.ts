import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const built = ['index.js', 'nowcast.js'].map((file) => path.join(root, 'dist', file))
const sources = ['src', '../sdk-core/src', '../protocol/src'].map((folder) => path.join(root, folder))

/** Builds `dist/`, which the tests run, when it is missing or older than its sources. */
export default function buildDist() {
  const newestSource = Math.max(
    ...sources.flatMap((folder) => readdirSync(folder).map((file) => statSync(path.join(folder, file)).mtimeMs)),
  )
  if (built.every((file) => existsSync(file) && statSync(file).mtimeMs > newestSource)) return
  const rollup = createRequire(import.meta.url).resolve('rollup/dist/bin/rollup')
  execFileSync(process.execPath, [rollup, '-c', '--silent'], { cwd: root, stdio: 'inherit' })
}
