import type { Filters } from '@nowcast/protocol'
import { decodeJwt, errors, type JWTVerifyResult, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { NowcastError } from '../errors.ts'
import type { Project } from '../project.ts'
import type { Scope } from '../query/query.ts'

/** What a read token allows, to whom it belongs and how long it lasts. */
export interface ReadTokenOptions {
  project: string
  /** The project's; at least 32 characters. */
  readSecret: string
  /** When it expires: a date, or how many seconds from now. @default 86400 */
  expires?: Date | number
  /** Forced on every query and subscription. */
  filters?: Filters
  /** Metrics it allows; all when unset. */
  metrics?: string[]
}

const DAY_S = 86_400
const LEAST_SECRET = 32

/**
 * A token with which somebody may read a project's figures, signed with HS256.
 * @example
 * await createReadToken({ project: 'shop', readSecret, filters: { tenantId: ['acme'] }, expires: 3600 })
 * @throws RangeError for a secret that is too short
 */
export async function createReadToken(options: ReadTokenOptions): Promise<string> {
  const { project, readSecret, expires = DAY_S, filters, metrics } = options
  if (readSecret.length < LEAST_SECRET) throw new RangeError(`readSecret must have at least ${LEAST_SECRET} characters`)
  const exp = expires instanceof Date ? Math.floor(expires.getTime() / 1000) : Math.floor(Date.now() / 1000) + expires
  const claims = { project, ...(filters && { filters }), ...(metrics && { metrics }) }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setExpirationTime(exp)
    .sign(new TextEncoder().encode(readSecret))
}

/** What a valid token allows, and until when. */
export interface VerifiedToken {
  scope: Scope
  /** Epoch ms. */
  expiresAt: number
}

const Claims = z.object({
  project: z.string(),
  exp: z.number(),
  filters: z.record(z.string(), z.array(z.string()).min(1)).default({}),
  metrics: z.array(z.string()).optional(),
})

/** Verifies tokens of the given projects. @throws NowcastError `missing_token`, `invalid_token`, `expired_token` */
export function createTokenVerifier(
  projects: readonly Project[],
): (token: string | undefined) => Promise<VerifiedToken> {
  const byId = new Map(
    projects.map((project) => {
      const { readSecret, previousReadSecret } = project
      const secrets = previousReadSecret ? [readSecret, previousReadSecret] : [readSecret]
      return [project.id, { project, secrets: secrets.map((secret) => new TextEncoder().encode(secret)) }]
    }),
  )
  return async (token) => {
    if (!token) throw new NowcastError('missing_token', 'a read token is needed: Authorization: Bearer <token>')
    try {
      // Which secret to check with; nothing else of it is believed before that.
      const owner = byId.get(String(decodeJwt(token).project))
      if (!owner) throw new NowcastError('invalid_token', 'the token names no project of this server')
      const { payload } = await verifyWithAny(token, owner.secrets)
      const { exp, filters, metrics } = Claims.parse(payload)
      return { scope: { project: owner.project, filters, metrics }, expiresAt: exp * 1000 }
    } catch (cause) {
      if (cause instanceof NowcastError) throw cause
      if (cause instanceof errors.JWTExpired)
        throw new NowcastError('expired_token', 'the token has expired: ask for a new one')
      throw new NowcastError(
        'invalid_token',
        'the token is not valid: it must be signed with the read secret of its project and have project and exp',
        { cause },
      )
    }
  }
}

/** @throws the last secret's error */
async function verifyWithAny(token: string, secrets: readonly Uint8Array[]): Promise<JWTVerifyResult> {
  const [secret, ...others] = secrets
  try {
    return await jwtVerify(token, secret as Uint8Array, { algorithms: ['HS256'] })
  } catch (error) {
    if (others.length === 0 || !(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    return verifyWithAny(token, others)
  }
}
