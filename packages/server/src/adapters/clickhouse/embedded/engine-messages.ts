/** What the parent tells the engine over IPC, never on a command line that others could read. */
export type ToEngine =
  | {
      type: 'open'
      /** Absolute path of ClickHouse's directory. */
      dataDir: string
      /** What HTTP callers must show as the password of user `default`. */
      password: string
      /** Memory the engine may use for all queries together. */
      memoryBytes: number
      /** Largest body of a request, as sent and inflated. */
      bodyBytes: number
      /** Sessions that answer SELECTs, beside the one that writes. */
      readers: number
    }
  | { type: 'stop' }

/** What the engine tells its parent. */
export type FromEngine =
  | { type: 'ready'; port: number; version: string }
  /** The engine could not open; it exits next, and its stderr may say more. */
  | { type: 'failed'; reason: 'missing' | 'refused'; message: string }
