import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Logger } from 'pino'
import { NowcastError } from '../errors.ts'

/** Any error as an answer: its code's status and body. What is not ours is logged and told as `internal`. */
export function answerError(error: unknown, context: Context, logger: Logger): Response {
  const known =
    error instanceof NowcastError
      ? error
      : new NowcastError('internal', 'something went wrong on the server: its log says what')
  // A key may stand in a path.
  const shown = context.req.path.replace(/nc_(pub|sec)_[\w-]+/g, 'nc_$1_…')
  if (!(error instanceof NowcastError)) logger.error({ error, path: shown }, 'a request failed')
  else if (known.status >= 500)
    logger.warn({ code: known.code, path: shown, cause: (known.cause as Error | undefined)?.message }, known.message)
  if (known.retryAfterMs !== undefined)
    context.header('retry-after', String(Math.max(1, Math.ceil(known.retryAfterMs / 1000))))
  return context.json(known.toBody(), known.status as ContentfulStatusCode)
}
