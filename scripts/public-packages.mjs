import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root, without a slash at the end. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** Folders of the packages that are published, each after those it is built from. */
export const PUBLIC_PACKAGES = ['sdk-browser', 'sdk-node', 'react-dashboard', 'server']

/** Whether a package states a limit on the size of its files. */
export function hasSizeLimit(folder) {
  const path = `${root}/packages/${folder}/package.json`
  return existsSync(path) && 'size-limit' in JSON.parse(readFileSync(path, 'utf8'))
}
