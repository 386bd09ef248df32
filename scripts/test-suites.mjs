import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './public-packages.mjs'

const NOT_OURS = ['node_modules', 'dist', '.turbo']

/**
 * Every suite of tests: its name, and how vitest runs it. The longest come first, so that none runs alone at the end;
 * what would take longer than all others is cut into parts.
 */
export function testSuites() {
  const packages = readdirSync(`${root}/packages`)
    .filter((folder) => existsSync(`${root}/packages/${folder}/package.json`))
    .filter((folder) => hasTests(`${root}/packages/${folder}`))
    .map((folder) => ({ name: folder, cwd: `packages/${folder}`, options: [] }))
  const ofProject = (name) => ({ name, cwd: '.', options: ['--project', name] })
  const isServer = ({ name }) => name === 'server'
  return [
    ofProject('faults'),
    ...inParts(ofProject('system'), 3),
    ...packages.filter(isServer).flatMap((server) => inParts(server, 2)),
    ...packages.filter((suite) => !isServer(suite)),
    ofProject('scripts'),
  ]
}

function inParts({ name, cwd, options }, parts) {
  return Array.from({ length: parts }, (_, i) => ({
    name: `${name}-${i + 1}`,
    cwd,
    options: [...options, `--shard=${i + 1}/${parts}`],
  }))
}

function hasTests(folder) {
  return readdirSync(folder, { withFileTypes: true }).some((entry) =>
    entry.isDirectory()
      ? !NOT_OURS.includes(entry.name) && hasTests(join(folder, entry.name))
      : /^vitest\.config\.|\.test\.tsx?$/.test(entry.name),
  )
}
