import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Project, toProject } from '../project.ts'
import { DataDirError, makeDataDir } from './lock-data-dir.ts'

const FILE = 'projects.json'

/** A project to be made, with fresh keys. */
export interface NewProject {
  id: string
  name: string
}

/**
 * The projects kept in a data directory; those in `wanted` are added with fresh keys if they are not there yet. The
 * file is readable by its owner only.
 * @throws DataDirError for a file that is not ours
 */
export async function storedProjects(dir: string, ...wanted: NewProject[]): Promise<Project[]> {
  const file = join(dir, FILE)
  const projects = await readProjects(file)
  const missing = wanted.filter(({ id }) => !projects.some((project) => project.id === id))
  if (missing.length === 0) return projects
  const all = [...projects, ...missing.map(withKeys)]
  await makeDataDir(dir)
  await writeFile(`${file}.new`, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return all
}

async function readProjects(file: string): Promise<Project[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new DataDirError(`${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    return (JSON.parse(text) as unknown[]).map(toProject)
  } catch (error) {
    throw new DataDirError(`${file} is not a list of projects: ${(error as Error).message}`)
  }
}

function withKeys({ id, name }: NewProject): Project {
  return toProject({
    id,
    name,
    writeKey: `nc_pub_${randomBytes(18).toString('base64url')}`,
    secretKey: `nc_sec_${randomBytes(24).toString('base64url')}`,
    readSecret: randomBytes(32).toString('base64url'),
  })
}
