import { expect, test } from 'vitest'

test('outside of a browser the package can be imported, and its client does nothing', async () => {
  const before = Object.keys(globalThis)
  const { createClient } = await import(new URL('../dist/index.js', import.meta.url).href)
  const client = createClient({ key: 'nc_pub_test', url: 'http://127.0.0.1:1' })
  for (const verb of ['track', 'page', 'identify', 'reset', 'optOut', 'optIn']) client[verb]('x')
  await client.flush()
  await client.close()
  expect(Object.keys(globalThis)).toEqual(before)
  expect(() => createClient({ url: 'http://127.0.0.1:1' })).toThrow(/^key /)
  expect(() => createClient({ key: 'nc_pub_test' })).toThrow(/^url /)
})
