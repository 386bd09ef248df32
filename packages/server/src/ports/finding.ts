/** One thing that was looked at, for people. */
export interface Finding {
  what: string
  ok: boolean
  /** What was found; if it is not well, what to do. */
  message: string
  /** Nothing can work like this. */
  isFatal?: boolean
}
