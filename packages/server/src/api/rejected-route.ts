import type { RejectedAnswer } from '@nowcast/protocol'
import type { Hono } from 'hono'
import { NowcastError } from '../errors.ts'
import type { EventStore } from '../ports/event-store.ts'
import { preflight, requireOrigin } from './cors.ts'
import { type WholeProjectDependencies, wholeProject } from './whole-project.ts'

const USUAL = 100
const MOST = 1000

export interface RejectedRouteDependencies extends WholeProjectDependencies {
  rejected: EventStore['rejected']
}

/** `GET /v1/rejected`: refused events of the last week, newest first. */
export function addRejectedRoute(app: Hono, dependencies: RejectedRouteDependencies): void {
  app.options('/v1/rejected', preflight)
  app.get('/v1/rejected', async (context) => {
    // They belong to no row-level filter: who may see only a part of the rows sees none of them.
    const project = await wholeProject(dependencies, context.req.header('authorization'), 'refused events')
    requireOrigin(context.req.header('origin'), project)
    const asked = context.req.query('project')
    if (asked !== undefined && asked !== project.id) {
      throw new NowcastError('not_allowed', `this token reads project ${project.id}, not ${asked}`)
    }
    const limit = Number(context.req.query('limit') ?? USUAL)
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
      throw new NowcastError('invalid_query', `limit must be a whole number from 1 to ${MOST}`, { field: 'limit' })
    }
    const rows = await dependencies.rejected(project.id, limit, context.req.raw.signal)
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
}
