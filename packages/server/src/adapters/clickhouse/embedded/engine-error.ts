/** An error in ClickHouse's own words, with its code; the client turns its text into a `ClickHouseError`. */
export class EngineError extends Error {
  /** ClickHouse's error code, such as 62 for a syntax error. */
  readonly code: number
  /** ClickHouse's name of the code. */
  readonly type: string

  constructor(code: number, type: string, message: string) {
    super(message)
    this.name = 'EngineError'
    this.code = code
    this.type = type
  }

  /** HTTP status a ClickHouse server would answer with. */
  get status(): number {
    return STATUS_BY_CODE[this.code] ?? 500
  }

  /** The body a ClickHouse server would answer with. */
  toText(version: string): string {
    return `Code: ${this.code}. DB::Exception: ${this.message}. (${this.type}) (version ${version} (official build))\n`
  }
}

const STATUS_BY_CODE: Record<number, number> = {
  6: 400,
  26: 400,
  27: 400,
  36: 400,
  38: 400,
  41: 400,
  43: 400,
  46: 404,
  47: 400,
  53: 400,
  60: 404,
  62: 400,
  73: 404,
  81: 404,
  115: 404,
  117: 400,
  159: 408,
  202: 503,
  223: 413,
  456: 400,
  516: 403,
}

const PATTERN = /Code: (\d+)\. DB::Exception: ([\s\S]*)\.?\s*\(([A-Z][A-Z0-9_]+)\)/

/** The engine's error as ClickHouse's: chdb gives its text only. */
export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const text = error instanceof Error ? error.message : String(error)
  const match = PATTERN.exec(text)
  if (!match) return new EngineError(1001, 'STD_EXCEPTION', text)
  return new EngineError(Number(match[1]), match[3] as string, match[2] as string)
}
