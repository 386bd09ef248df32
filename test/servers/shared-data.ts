import { existsSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../../shared/data/', import.meta.url))

/** The path of a real file beside the repository, or undefined, with a printed sentence, where it is absent. */
export function sharedData(path: string): string | undefined {
  const file = join(FOLDER, path)
  if (existsSync(file)) return file
  process.stderr.write(`Skipped: ${file} is not there. Its README says where the data come from.\n`)
  return undefined
}

/** A link to a file, so that nothing is written beside the real one. */
export async function linkInto(folder: string, file: string): Promise<string> {
  const link = join(folder, basename(file))
  await symlink(file, link)
  return link
}
