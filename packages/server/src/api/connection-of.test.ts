import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type { Connection } from '../ingest/ingest.ts'
import { createConnectionOf, isLoopback, type TrustProxy } from './connection-of.ts'

async function connection(
  trustProxy: TrustProxy,
  socketIp: string,
  headers: Record<string, string>,
): Promise<Connection> {
  const app = new Hono()
  app.get('/', (context) => context.json(createConnectionOf(trustProxy)(context)))
  const env = { incoming: { socket: { remoteAddress: socketIp } } }
  return (await app.request('/', { headers }, env)).json() as Promise<Connection>
}

test('without trusted proxies no header is believed', async () => {
  const headers = { 'x-forwarded-for': '8.8.8.8', 'cf-ipcountry': 'DE' }
  expect(await connection(false, '1.2.3.4', headers)).toEqual({ ip: '1.2.3.4' })
})

test('so many hops are believed and no more: what a client writes itself is not', async () => {
  const headers = { 'x-forwarded-for': '6.6.6.6, 8.8.8.8', 'cf-ipcountry': 'DE' }
  expect(await connection(1, '10.0.0.1', headers)).toEqual({ ip: '8.8.8.8', country: 'DE' })
  expect((await connection(2, '10.0.0.1', headers)).ip).toBe('6.6.6.6')
})

test('what is no address stays in its place: it moves no other into the client’s', async () => {
  const forged = { 'x-forwarded-for': '6.6.6.6, nonsense, 10.0.0.2' }
  expect((await connection(2, '10.0.0.1', forged)).ip).toBeUndefined()
  expect((await connection(1, '10.0.0.1', forged)).ip).toBe('10.0.0.2')
  expect((await connection(['10.0.0.0/8'], '10.0.0.1', forged)).ip).toBeUndefined()
  expect((await connection(5, '10.0.0.1', { 'x-forwarded-for': 'nonsense' })).ip).toBeUndefined()
})

test('an address may come with its port', async () => {
  const ipOf = async (forwarded: string) => (await connection(1, '10.0.0.1', { 'x-forwarded-for': forwarded })).ip
  expect(await ipOf('8.8.8.8:1234')).toBe('8.8.8.8')
  expect(await ipOf('[2001:db8::1]:443')).toBe('2001:db8::1')
  expect(await ipOf('2001:db8::1')).toBe('2001:db8::1')
  expect(await ipOf('::ffff:8.8.8.8')).toBe('::ffff:8.8.8.8')
})

test('a country header is believed only when a believed proxy stands in front', async () => {
  const country = async (trustProxy: TrustProxy, ip: string, headers: Record<string, string>) =>
    (await connection(trustProxy, ip, headers)).country
  const behind = { 'x-forwarded-for': '8.8.8.8' }
  for (const name of ['cf-ipcountry', 'x-vercel-ip-country', 'cloudfront-viewer-country', 'fastly-client-country']) {
    expect(await country(1, '10.0.0.1', { ...behind, [name]: 'de' })).toBe('DE')
    expect(await country(['10.0.0.1'], '10.0.0.1', { ...behind, [name]: 'DE' })).toBe('DE')
    // Nobody forwarded this request.
    expect(await country(1, '10.0.0.1', { [name]: 'DE' })).toBeUndefined()
    expect(await country(['10.0.0.1'], '10.0.0.2', { ...behind, [name]: 'DE' })).toBeUndefined()
    expect(await country(false, '10.0.0.1', { ...behind, [name]: 'DE' })).toBeUndefined()
    expect(await country(1, '10.0.0.1', { ...behind, [name]: 'Germany' })).toBeUndefined()
  }
})

test('client hints are read', async () => {
  const headers = {
    'sec-ch-ua': '"Not A;Brand";v="99", "Chromium";v="120", "Google Chrome";v="120"',
    'sec-ch-ua-mobile': '?1',
    'sec-ch-ua-platform': '"Android"',
  }
  expect((await connection(false, '1.2.3.4', headers)).hints).toEqual({
    brands: ['Not A;Brand', 'Chromium', 'Google Chrome'],
    mobile: true,
    platform: 'Android',
  })
})

test('with subnets, the last address outside them is the client', async () => {
  const headers = { 'x-forwarded-for': '6.6.6.6, 8.8.8.8, 10.1.1.1' }
  expect((await connection(['10.0.0.0/8'], '10.0.0.1', headers)).ip).toBe('8.8.8.8')
  expect(await connection(['10.0.0.0/8'], '9.9.9.9', { ...headers, 'cf-ipcountry': 'DE' })).toEqual({ ip: '9.9.9.9' })
})

test('a CDN’s word for an unknown country is none', async () => {
  expect(
    (await connection(1, '10.0.0.1', { 'x-forwarded-for': '8.8.8.8', 'cf-ipcountry': 'XX' })).country,
  ).toBeUndefined()
})

test('loopback is told in every form', () => {
  expect(['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.9.9.9'].every(isLoopback)).toBe(true)
  expect(['10.0.0.1', '::2', '', undefined].some(isLoopback)).toBe(false)
})
