import { NowcastError } from '../errors.ts'
import type { KeyOwner } from '../ingest/ingest.ts'
import type { Project } from '../project.ts'
import type { VerifiedToken } from './read-token.ts'

export interface WholeProjectDependencies {
  verify(token: string | undefined): Promise<VerifiedToken>
  ownerOf(key: string): KeyOwner | undefined
}

/**
 * The project that a credential may see all of: the secret key, or a read token without filters and metrics.
 * `what`: what is asked for, in the error's sentence.
 */
export async function wholeProject(
  { verify, ownerOf }: WholeProjectDependencies,
  authorization: string | undefined,
  what: string,
): Promise<Project> {
  const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1]
  const owner = token === undefined ? undefined : ownerOf(token)
  if (owner?.kind === 'secret') return owner.project
  if (owner) throw new NowcastError('not_allowed', 'the write key reads nothing: use a read token or the secret key')
  const { scope } = await verify(token)
  if (Object.keys(scope.filters).length > 0 || scope.metrics) {
    throw new NowcastError('not_allowed', `a token with filters or metrics does not read ${what}`)
  }
  return scope.project
}
