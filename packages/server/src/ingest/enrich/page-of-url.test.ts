import { expect, test } from 'vitest'
import { hostOfReferrer, pageOfUrl } from './page-of-url.ts'

const LOGIN = 'https://a.example/reset?token=secret&utm_source=mail&q=shoes&email=a%40b.example#access_token=1'

test('of a query only the campaign is stored', () => {
  expect(pageOfUrl(LOGIN, [])).toMatchObject({
    url: 'https://a.example/reset?utm_source=mail',
    path: '/reset',
    utmSource: 'mail',
  })
  expect(pageOfUrl('/reset?token=secret', []).url).toBe('/reset')
  expect(pageOfUrl('https://a.example?token=secret', [])).toMatchObject({ url: 'https://a.example', path: '/' })
  expect(pageOfUrl('https://a.example/#access_token=1', []).url).toBe('https://a.example/')
})

test('parameters that a project names stay, and no others; a fragment never does', () => {
  expect(pageOfUrl(LOGIN, ['q']).url).toBe('https://a.example/reset?utm_source=mail&q=shoes')
  expect(pageOfUrl('/p?a=1&b=2', ['b']).url).toBe('/p?b=2')
  expect(pageOfUrl('/p?a=1&b=2', ['c']).url).toBe('/p')
  expect(pageOfUrl('/p?a=1&b=2#c', true).url).toBe('/p?a=1&b=2')
})

test('a referrer is its host, without user and password', () => {
  expect(hostOfReferrer('https://user:password@News.example/x?y')).toBe('news.example')
  expect(hostOfReferrer('news')).toBe('')
})
