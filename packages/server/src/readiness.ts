import type { Readiness } from './api/app.ts'
import type { Role } from './config.ts'
import type { Consumers } from './consumers.ts'
import type { Adapters } from './open-adapters.ts'

export interface ReadinessSources {
  state: string
  roles: readonly Role[]
  adapters: Adapters
  consumers: Consumers | undefined
  /** Why ingestion takes no events. */
  refusal: string | undefined
}

/** What each role of this process needs, and whether it has it. */
export async function readiness(sources: ReadinessSources): Promise<Readiness> {
  const { state, roles, adapters, consumers, refusal } = sources
  const hasRole = (...names: Role[]) => names.some((name) => roles.includes(name))
  const problems = consumers?.problems()
  const parts: Readiness = { server: partOf(state === 'started' ? undefined : `the server is ${state}`) }
  if (hasRole('ingest', 'aggregate', 'archive')) {
    const log = await messageOf(async () => {
      if (state === 'started') await adapters.log.extent(0)
    })
    parts.log = partOf(log ?? (hasRole('ingest') ? refusal : undefined))
  }
  if (hasRole('aggregate', 'query'))
    parts.live = partOf(adapters.hotStore.problem ?? problems?.aggregate ?? adapters.bus.problem)
  if (hasRole('aggregate')) parts.aggregators = partOf(adapters.aggregateGroup.problem)
  if (hasRole('archive')) parts.archivers = partOf(adapters.archiveGroup.problem)
  if (hasRole('archive', 'query')) {
    parts.archive = partOf((await messageOf(() => adapters.eventStore.ping())) ?? problems?.archive)
  }
  return parts
}

function partOf(message: string | undefined): Readiness[string] {
  return message === undefined ? { ready: true } : { ready: false, message }
}

async function messageOf(check: () => Promise<void>): Promise<string | undefined> {
  return check().then(
    () => undefined,
    (error: Error) => error.message,
  )
}
