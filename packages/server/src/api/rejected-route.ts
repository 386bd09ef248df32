import type { RejectedAnswer } from '@nowcast/protocol'
import type { Hono } from 'hono'
import { NowcastError } from '../errors.ts'
import type { KeyOwner } from '../ingest/ingest.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { Project } from '../project.ts'
import { allowCors, preflight, requireOrigin } from './cors.ts'
import type { VerifiedToken } from './read-token.ts'

const USUAL = 100
const MOST = 1000

export interface RejectedRouteDependencies {
  verify(token: string | undefined): Promise<VerifiedToken>
  ownerOf(key: string): KeyOwner | undefined
  rejected: EventStore['rejected']
}

/** `GET /v1/rejected`: refused events of the last week, newest first. */
export function addRejectedRoute(app: Hono, { verify, ownerOf, rejected }: RejectedRouteDependencies): void {
  app.options('/v1/rejected', preflight)
  app.get('/v1/rejected', async (context) => {
    allowCors(context)
    const project = await projectOf(/^Bearer\s+(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1])
    requireOrigin(context.req.header('origin'), project)
    const asked = context.req.query('project')
    if (asked !== undefined && asked !== project.id) {
      throw new NowcastError('not_allowed', `this token reads project ${project.id}, not ${asked}`)
    }
    const limit = Number(context.req.query('limit') ?? USUAL)
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
      throw new NowcastError('invalid_query', `limit must be a whole number from 1 to ${MOST}`, { field: 'limit' })
    }
    const rows = await rejected(project.id, limit, context.req.raw.signal)
    const answer: RejectedAnswer = {
      project: project.id,
      rejected: rows.map(({ receivedAt, code, message, index, event }) => ({
        receivedAt,
        code,
        message,
        index,
        event,
      })),
    }
    return context.json(answer)
  })

  /** Refused events belong to no row-level filter: who may see only a part of the rows sees none of them. */
  async function projectOf(token: string | undefined): Promise<Project> {
    const owner = token === undefined ? undefined : ownerOf(token)
    if (owner?.kind === 'secret') return owner.project
    if (owner) throw new NowcastError('not_allowed', 'the write key reads nothing: use a read token or the secret key')
    const { scope } = await verify(token)
    if (Object.keys(scope.filters).length > 0 || scope.metrics) {
      throw new NowcastError('not_allowed', 'a token with filters or metrics does not read refused events')
    }
    return scope.project
  }
}
