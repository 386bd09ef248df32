import { createHmac } from 'node:crypto'

export interface ProjectKeys {
  id: string
  writeKey: string
  secretKey: string
  readSecret: string
}

/** A project as the configuration writes it, with keys made from its id. */
export function knownProject<T extends object>(id: string, settings: T): ProjectKeys & T {
  return {
    id,
    writeKey: `nc_pub_${id}_00000000`,
    secretKey: `nc_sec_${id}_00000000`,
    readSecret: `the read secret of ${id}, long enough`,
    ...settings,
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT made by hand: the server's own maker of tokens has no part in it. */
export function signToken(claims: object, secret: string, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** A read token of a project, an hour valid. */
export function readTokenOf({ id, readSecret }: ProjectKeys, claims: object = {}): string {
  return signToken({ project: id, exp: Math.floor(Date.now() / 1000) + 3600, ...claims }, readSecret)
}
