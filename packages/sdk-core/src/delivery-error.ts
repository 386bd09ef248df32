/**
 * Why something was not delivered.
 *
 * - `unreachable`: no answer, or none in time; sent again
 * - `unavailable`: the server cannot take it now; sent again
 * - `refused`: the server will not take it; lost
 * - `queue_full`: more events waited than the queue holds; lost
 * - `expired`: it waited longer than the server remembers ids, so that sent again it might count twice; lost
 * - `invalid_event`: no JSON can be made of it, or it is too large; lost
 * - `closed`: the client was closed before it was delivered; lost
 * - `spool_failed`: the disk spool could not be read or written; `lostEvents` tells what that cost
 */
export type DeliveryErrorCode =
  | 'unreachable'
  | 'unavailable'
  | 'refused'
  | 'queue_full'
  | 'expired'
  | 'invalid_event'
  | 'closed'
  | 'spool_failed'

/** A failure that `onError` hears of. */
export interface DeliveryError extends Error {
  code: DeliveryErrorCode
  /** How many events are lost; 0 when they will be sent again. */
  lostEvents: number
  /** The same events will be sent again. */
  retryable: boolean
  /** What caused it, where something did. */
  cause?: unknown
}

/** Tells of a failure. */
export type Report = (code: DeliveryErrorCode, message: string, lostEvents: number, cause?: unknown) => void

/** Makes the function that tells `onError` of failures. */
export function createReport(onError?: (error: DeliveryError) => void): Report {
  return (code, message, lostEvents, cause) =>
    later(() =>
      onError?.(
        Object.assign(new Error(message), { name: 'DeliveryError', code, lostEvents, retryable: !lostEvents, cause }),
      ),
    )
}

/** Runs user code such that neither its exceptions nor its rejections reach us. */
export const later = (run: () => unknown): void =>
  void Promise.resolve()
    .then(run)
    .catch(() => {})
