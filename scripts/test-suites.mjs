import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './public-packages.mjs'

const NOT_OURS = ['node_modules', 'dist', '.turbo']

/** Every suite of tests: its name, and how vitest runs it. */
export function testSuites() {
  const packages = readdirSync(`${root}/packages`)
    .filter((folder) => existsSync(`${root}/packages/${folder}/package.json`))
    .filter((folder) => hasTests(`${root}/packages/${folder}`))
    .map((folder) => ({ name: folder, cwd: `packages/${folder}`, options: [] }))
  return [
    { name: 'scripts', cwd: '.', options: ['--project', 'scripts'] },
    ...packages,
    { name: 'system', cwd: '.', options: ['--project', 'system'] },
  ]
}

function hasTests(folder) {
  return readdirSync(folder, { withFileTypes: true }).some((entry) =>
    entry.isDirectory()
      ? !NOT_OURS.includes(entry.name) && hasTests(join(folder, entry.name))
      : /^vitest\.config\.|\.test\.tsx?$/.test(entry.name),
  )
}
