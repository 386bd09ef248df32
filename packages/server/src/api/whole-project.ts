import { NowcastError } from '../errors.ts'
import type { KeyOwner } from '../ingest/ingest.ts'
import type { Project } from '../project.ts'
import type { VerifiedToken } from './read-token.ts'

export interface WholeProjectDependencies {
  verify(token: string | undefined): Promise<VerifiedToken>
  ownerOf(key: string): KeyOwner | undefined
}

/** The project that a credential reads, and whether all of it: with the secret key, or a token without filters and metrics. */
export async function readableProject(
  { verify, ownerOf }: WholeProjectDependencies,
  authorization: string | undefined,
): Promise<{ project: Project; isWhole: boolean }> {
  const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1]
  const owner = token === undefined ? undefined : ownerOf(token)
  if (owner?.kind === 'secret') return { project: owner.project, isWhole: true }
  if (owner) throw new NowcastError('not_allowed', 'the write key reads nothing: use a read token or the secret key')
  const { scope } = await verify(token)
  return { project: scope.project, isWhole: Object.keys(scope.filters).length === 0 && !scope.metrics }
}

/** The project that a credential may see all of. `what`: what is asked for, in the error's sentence. */
export async function wholeProject(
  dependencies: WholeProjectDependencies,
  authorization: string | undefined,
  what: string,
): Promise<Project> {
  const { project, isWhole } = await readableProject(dependencies, authorization)
  if (!isWhole) throw new NowcastError('not_allowed', `a token with filters or metrics does not read ${what}`)
  return project
}
