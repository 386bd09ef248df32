import { describe, expect, it } from 'vitest'
import { createDeviceOfAgent } from './device-of-agent.ts'

const deviceOfAgent = createDeviceOfAgent()
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0'
const hints = (platform: string, mobile = false, ...brands: string[]) => ({
  brands: ['Not?A_Brand', 'Chromium', ...brands],
  mobile,
  platform,
})

describe('devices', () => {
  it.each([
    ['desktop', `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`],
    ['desktop', `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`],
    ['mobile', `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`],
    ['tablet', `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Safari/537.36`],
    [
      'tablet',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1 (KHTML, like Gecko) CriOS/130 Safari/605',
    ],
    ['tv', `Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) ${CHROME} TV Safari/537.36`],
    ['mobile', 'Shop/3.1 (iPhone; iOS 17.2; Scale/3.00)'],
    ['mobile', 'Shop/12 CFNetwork/1474 Darwin/23.0.0'],
    ['mobile', 'Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A)'],
    ['bot', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
    ['bot', `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130 Safari/537.36`],
    ['bot', 'curl/8.5.0'],
    ['other', ''],
  ])('%s: %s', (device, agent) => expect(deviceOfAgent(agent).device).toBe(device))
})

describe('client hints', () => {
  const windows = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`
  it('name the browser that hides in a frozen User-Agent', () => {
    expect(deviceOfAgent(windows)).toMatchObject({ browser: 'Chrome', os: 'Windows' })
    expect(deviceOfAgent(windows, hints('Windows', false, 'Brave'))).toMatchObject({
      browser: 'Brave',
      device: 'desktop',
    })
    expect(deviceOfAgent(windows, hints('Chrome OS', false, 'Google Chrome'))).toMatchObject({ os: 'Chrome OS' })
  })
  it('tell a phone that asks for the desktop page, a tablet, and a browser without a head', () => {
    const asDesktop = `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`
    expect(deviceOfAgent(asDesktop, hints('Android', true)).device).toBe('mobile')
    expect(deviceOfAgent(asDesktop, hints('Android')).device).toBe('tablet')
    expect(deviceOfAgent(windows, hints('Windows', false, 'HeadlessChrome')).device).toBe('bot')
  })
  it('make no person of a bot, no phone of a television, and change nothing by nonsense', () => {
    const bot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
    const tv = `Mozilla/5.0 (Linux; Android 12; BRAVIA 4K) ${CHROME} Safari/537.36`
    expect(deviceOfAgent(bot, hints('Android', true)).device).toBe('bot')
    expect(deviceOfAgent(tv, hints('Android', true)).device).toBe('tv')
    expect(deviceOfAgent(windows, hints('', false, 'Toaster'))).toEqual(deviceOfAgent(windows))
  })
})

it('remembers so many agents and no more', () => {
  const small = createDeviceOfAgent(2)
  const first = small('Mozilla/5.0 (iPhone)')
  expect(small('Mozilla/5.0 (iPhone)')).toBe(first)
  small('a')
  small('b')
  expect(small('Mozilla/5.0 (iPhone)')).not.toBe(first)
})
