import type { ProjectAnswer } from '@nowcast/protocol'
import type { Hono } from 'hono'
import { preflight, requireOrigin } from './cors.ts'
import { readableProject, type WholeProjectDependencies } from './whole-project.ts'

/** `GET /v1/project`: what a page says of its project; to who sees all of it, with the write key that is public by nature. */
export function addProjectRoute(app: Hono, dependencies: WholeProjectDependencies): void {
  app.options('/v1/project', preflight)
  app.get('/v1/project', async (context) => {
    const { project, isWhole } = await readableProject(dependencies, context.req.header('authorization'))
    requireOrigin(context.req.header('origin'), project)
    const { id, name, timezone, currency, writeKey } = project
    context.header('cache-control', 'no-store')
    return context.json({ id, name, timezone, currency, ...(isWhole && { writeKey }) } satisfies ProjectAnswer)
  })
}
