import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))

export const PUBLIC_PACKAGES = ['sdk-browser', 'sdk-node', 'react-dashboard', 'server'] as const
export type PublicPackage = (typeof PUBLIC_PACKAGES)[number]

/** Packs packages as they would be published. Returns the tarball of each. */
export async function packAll<Name extends PublicPackage>(
  folder: string,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const tarballs: Partial<Record<Name, string>> = {}
  for (const name of names) {
    const source = join(root, 'packages', name)
    if (!existsSync(join(source, 'dist'))) throw new Error(`${name} is not built: run \`npm run build\` first`)
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source })
    tarballs[name] = join(folder, tarballName(JSON.parse(stdout)))
  }
  return tarballs as Record<Name, string>
}

/** npm 12 prints an object by package name where npm 11 and earlier print an array. */
function tarballName(answer: { filename: string }[] | Record<string, { filename: string }>): string {
  const [packed] = Object.values(answer)
  if (!packed) throw new Error('npm packed nothing')
  return packed.filename
}

/** An empty project with these packages installed: tarballs, or names with versions. */
export async function createProject(folder: string, dependencies: string[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...dependencies], { cwd: folder })
}

const COMPILER_OPTIONS = {
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2023', 'dom', 'dom.iterable'],
  jsx: 'react-jsx',
  strict: true,
  noEmit: true,
  types: ['node'],
}

/** What `tsc` says about these files of a project: empty if nothing is wrong. */
export async function typeErrors(folder: string, files: Record<string, string>): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const settings = { compilerOptions: COMPILER_OPTIONS, files: Object.keys(files) }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  return run(process.execPath, [tsc, '--project', folder], { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout || String(error),
  )
}

/** What a program prints that is written in `code` and run in the project. */
export async function printed(folder: string, code: string, kind: 'module' | 'commonjs' = 'module'): Promise<string> {
  const { stdout } = await run(process.execPath, [`--input-type=${kind}`, '--eval', code], { cwd: folder })
  return stdout.trim()
}

/** A page with all that `@nowcast/react` exports, as a user of the package writes it. */
export async function everyComponent(): Promise<string> {
  const source = await readFile(join(root, 'packages/react-dashboard/test/embed/every-component.tsx'), 'utf8')
  return source.replace("'../../src/index.ts'", "'@nowcast/react'")
}
