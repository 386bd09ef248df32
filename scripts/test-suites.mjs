import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './public-packages.mjs'

const NOT_OURS = ['node_modules', 'dist', '.turbo']

/**
 * Every suite of tests: its name, and how vitest runs it.
 * @returns stages that follow each other, of lanes that run beside each other, of suites that follow each other
 */
export function testStages() {
  const packages = readdirSync(`${root}/packages`)
    .filter((folder) => existsSync(`${root}/packages/${folder}/package.json`))
    .filter((folder) => hasTests(`${root}/packages/${folder}`))
    .map((folder) => ({ name: folder, cwd: `packages/${folder}`, options: [] }))
  const scripts = { name: 'scripts', cwd: '.', options: ['--project', 'scripts'] }
  const [system, faults] = ['system', 'faults'].map((name) => ({ name, cwd: '.', options: ['--project', name] }))
  const [server, others] = [true, false].map((is) => packages.filter(({ name }) => (name === 'server') === is))
  // The server's takes as long as all others twice, and mostly waits for what it has killed.
  const [first, second] = [1, 2].map((half) =>
    server.map((suite) => ({ ...suite, name: `${suite.name}-${half}`, options: [`--shard=${half}/2`] })),
  )
  return [
    [
      [...first, ...others.filter(({ name }) => name === 'react-dashboard')],
      [...second, scripts, ...others.filter(({ name }) => name !== 'react-dashboard')],
    ],
    [[system], [faults]],
  ]
}

function hasTests(folder) {
  return readdirSync(folder, { withFileTypes: true }).some((entry) =>
    entry.isDirectory()
      ? !NOT_OURS.includes(entry.name) && hasTests(join(folder, entry.name))
      : /^vitest\.config\.|\.test\.tsx?$/.test(entry.name),
  )
}
