import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ImportError } from './import-error.ts'
import { writeDurably } from './write-durably.ts'

const count = z.number().int().nonnegative()
const content = z.object({
  /** Bytes as stored. */
  bytes: count,
  /** SHA-256 of those bytes, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

const importState = z.object({
  version: z.literal(1),
  project: z.string(),
  /** Where the file was last seen. */
  file: z.string(),
  /** First part of every event's id: of the content when it was first imported. */
  identity: z.string(),
  content,
  /** What the file was before it grew. */
  earlier: z.array(content),
  /** What an event is made with: a change would make other events of the same lines. */
  settings: z.record(z.string(), z.string()),
  /** The last line up to which everything is acknowledged, from 1. */
  line: count,
  lines: count,
  accepted: count,
  rejected: count,
  blank: count,
  rejectedBy: z.record(z.string(), count),
  rejectedBytes: count,
  finished: z.boolean(),
})

/** How far the import of one file into one project has come. */
export type ImportState = z.infer<typeof importState>
/** What tells one file's content from another's. */
export type FileContent = z.infer<typeof content>

/** All imports into the project that this folder knows of. Makes the folder. */
export async function readImportStates(stateDir: string, project: string): Promise<ImportState[]> {
  const states: ImportState[] = []
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    await chmod(stateDir, 0o700)
    for (const name of await readdir(stateDir)) {
      if (!name.endsWith('.import.json')) continue
      const path = join(stateDir, name)
      const parsed = importState.safeParse(parseJson(await readFile(path, 'utf8')))
      if (!parsed.success)
        throw new ImportError('unreadable', `${path} is damaged: remove it to import that file anew.`)
      if (parsed.data.project === project) states.push(parsed.data)
    }
  } catch (error) {
    if (error instanceof ImportError) throw error
    throw new ImportError('unreadable', `Cannot use the folder for progress files: ${(error as Error).message}`, error)
  }
  return states
}

/** Replaces the state of one file, durably. */
export function writeImportState(stateDir: string, state: ImportState): Promise<void> {
  const project = createHash('sha256').update(state.project).digest('hex').slice(0, 8)
  return writeDurably(join(stateDir, `${state.identity}-${project}.import.json`), `${JSON.stringify(state, null, 2)}\n`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
