import { METRICS } from '@nowcast/protocol'
import { createReadToken } from '../api/read-token.ts'
import { dataDirHolder } from '../data-dir/lock-data-dir.ts'
import { CommandError } from './command-error.ts'
import { toFilters } from './parse-flags.ts'
import { projectOf } from './project-of.ts'
import { type ConfigFlags, readConfig } from './read-config.ts'

interface TokenFlags extends ConfigFlags {
  project?: string
  filter?: string[]
  metric?: string[]
  expires?: string
}

const UNIT_S = { m: 60, h: 3600, d: 86_400 } as const

/** `nowcast token`: the token on the first line of stdout, alone. */
export async function tokenCommand({
  project: id,
  filter = [],
  metric,
  expires = '1d',
  ...flags
}: TokenFlags): Promise<void> {
  const config = await readConfig(flags)
  const project = await projectOf(config, id)
  const match = /^([1-9]\d{0,5})([mhd])$/.exec(expires)
  if (!match) throw new CommandError(`--expires ${expires}: a number and m, h or d, like 30m, 12h or 1d`)
  const unknown = metric?.find((name) => !(METRICS as readonly string[]).includes(name))
  if (unknown) throw new CommandError(`--metric ${unknown}: these are: ${METRICS.join(', ')}`)
  const token = await createReadToken({
    project: project.id,
    readSecret: project.readSecret,
    expires: Number(match[1]) * UNIT_S[match[2] as keyof typeof UNIT_S],
    ...(filter.length > 0 && { filters: toFilters(filter) }),
    ...(metric && { metrics: metric }),
  })
  console.log(token)
  const url = (await dataDirHolder(config.dataDir))?.url ?? `http://localhost:${config.port}`
  console.error(`Dashboard: ${url}/#token=${token}`)
}
