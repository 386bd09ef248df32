import { expect, test } from 'vitest'
import { parseRedisAddress } from './redis-address.ts'

const NOTHING = {
  isTls: false,
  username: undefined,
  password: undefined,
  db: 0,
  sentinelMaster: undefined,
  sentinelUsername: undefined,
  sentinelPassword: undefined,
}

test.each([
  ['redis://localhost', { hosts: [{ host: 'localhost', port: 6379 }] }],
  ['redis://:p%40ss@h:1/3', { hosts: [{ host: 'h', port: 1 }], password: 'p@ss', db: 3 }],
  [
    'rediss://nowcast:a:b@a,b:7001,[::1]:7002',
    {
      hosts: [
        { host: 'a', port: 6379 },
        { host: 'b', port: 7001 },
        { host: '::1', port: 7002 },
      ],
      ...{ isTls: true, username: 'nowcast', password: 'a:b' },
    },
  ],
  [
    'redis+sentinel://u:p@s1,s2:26380/main/2?sentinelUsername=w&sentinelPassword=x',
    {
      hosts: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
      ],
      ...{ username: 'u', password: 'p', db: 2, sentinelMaster: 'main' },
      ...{ sentinelUsername: 'w', sentinelPassword: 'x' },
    },
  ],
])('%s is understood', (url, expected) => {
  expect(parseRedisAddress(url)).toEqual({ ...NOTHING, ...expected })
})

test.each([
  ['localhost:6379', 'redis://user:password@host:6379/0'],
  ['http://localhost', 'none of the known forms'],
  ['redis://', 'none of the known forms'],
  ['redis://secret-word@host:port', 'host:port is no host and port'],
  ['redis://h/a', 'a is no number of a database'],
  ['redis://h?tls=1', 'it has no parameter tls'],
  ['redis+sentinel://h', 'the name of the master is missing'],
  ['redis://u:100%@h', 'percent-encoded'],
])('%s is refused with what is wrong, and without the login', (url, message) => {
  expect(() => parseRedisAddress(url)).toThrow(message)
  expect(() => parseRedisAddress(url)).not.toThrow('secret-word')
})
