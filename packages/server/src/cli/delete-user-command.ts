import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import pc from 'picocolors'
import { dataDirHolder } from '../data-dir/lock-data-dir.ts'
import type { UserDeletion } from '../index.ts'
import { adminRequest } from './admin-request.ts'
import { CommandError } from './command-error.ts'
import { projectOf } from './project-of.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'
import { withNowcast } from './with-nowcast.ts'

const HOUR_MS = 3_600_000

interface Progress {
  step: 'archiving' | 'rewriting'
  partsLeft?: number
}
type Line = { progress: Progress } | { result: UserDeletion } | { error: { message: string } }

/** `nowcast delete-user <id>`, through the running server where there is one. */
export async function deleteUserCommand(
  id: string,
  { project: name, ...flags }: ConfigFlags & { project?: string },
): Promise<void> {
  const config = await readConfig(flags)
  const holder = await dataDirHolder(config.dataDir)
  const { id: project } = await projectOf(config, name)
  const { rows, alsoKnownAs } = holder?.url
    ? await askServer({ url: holder.url, adminKey: holder.adminKey }, { project, id })
    : await withNowcast(config, (nowcast) => nowcast.deleteUser({ project, id }, show))
  if (rows === 0) {
    console.log(`no stored event of project ${project} names ${id}`)
    return
  }
  console.log(`${pc.green('done')}: ${rows} events name nobody any more; counts stay as they were`)
  if (alsoKnownAs.length > 0) {
    console.log(`The same events also carried: ${alsoKnownAs.join(', ')}. Events with only those ids are not changed.`)
  }
  const logHours = Math.ceil((config.kafka?.retentionMs ?? config.logRetentionMs) / HOUR_MS)
  console.log(`Copies in the log go with its retention (${logHours} h), those among refused events within 8 days.`)
}

let shown = ''
function show({ step, partsLeft }: Progress): void {
  const text = step === 'archiving' ? 'writing down what was accepted before' : `rewriting; parts left: ${partsLeft}`
  if (text !== shown) console.error(pc.dim(text))
  shown = text
}

async function askServer(holder: { url: string; adminKey: string }, request: object): Promise<UserDeletion> {
  const answer = await adminRequest(holder, 'delete-user', request)
  const lines = createInterface({ input: Readable.fromWeb(answer.body as never), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const text of lines) {
    const line = JSON.parse(text) as Line
    if ('result' in line) return line.result
    if ('error' in line) throw new CommandError(`the user could not be deleted: ${line.error.message}`)
    show(line.progress)
  }
  throw new CommandError('the server went away meanwhile: it ends the deletion at its next start; ask again to be sure')
}
