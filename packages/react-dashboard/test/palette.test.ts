import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { contrast, distance, type LinearColor, linearColor, VISIONS } from './color-vision.ts'

const CSS = readFileSync(new URL('../src/style/tokens.css', import.meta.url), 'utf8')
const PAPER = { light: '#ffffff', dark: '#0f1115' }
const SERIES = Array.from({ length: 10 }, (_, index) => `series-${index + 1}`)

/** The variables' own values in one theme. */
function colorsOf(theme: 'light' | 'dark'): (name: string) => LinearColor {
  const place = theme === 'light' ? 1 : 2
  return (name) => {
    const [, value] = new RegExp(`--_nowcast-${name}: var\\(\\s*--nowcast-${name}, ([^;]+)\\);`).exec(CSS) ?? []
    const reference = /^var\(--_nowcast-(\w+)\)$/.exec(value ?? '')
    if (reference) return colorsOf(theme)(reference[1]!)
    const pair = /^light-dark\((#\w{6}), (#\w{6})\)$/.exec(value ?? '')
    if (!pair) throw new Error(`tokens.css has no pair of colors for ${name}`)
    return linearColor(pair[place]!)
  }
}

describe.each(['light', 'dark'] as const)('the colors of the %s theme', (theme) => {
  const color = colorsOf(theme)

  it.each(['text', 'muted', 'accent', 'good', 'bad', 'warn'])('%s is legible on every surface (AA, 4.5)', (name) => {
    for (const back of ['surface', 'raised', 'subtle']) {
      expect(contrast(color(name), color(back)), back).toBeGreaterThanOrEqual(4.5)
    }
    expect(contrast(color(name), linearColor(PAPER[theme])), 'the page').toBeGreaterThanOrEqual(4.5)
  })

  it('lines and the edges of fields stand out from what is behind them (AA, 3)', () => {
    for (const name of [...SERIES, 'series-others', 'field']) {
      expect(contrast(color(name), color('surface')), name).toBeGreaterThanOrEqual(3)
    }
  })

  it.each(Object.entries(VISIONS))('series are told apart with %s', (_, seen) => {
    const shown = [...SERIES, 'series-others'].map((name) => ({ name, as: seen(color(name)) }))
    for (const [index, one] of shown.entries()) {
      for (const [place, other] of shown.slice(0, index).entries()) {
        // The first six are the usual case, and are further apart.
        const least = index < 6 && place < 6 ? 8 : 6
        expect(distance(one.as, other.as), `${one.name} and ${other.name}`).toBeGreaterThanOrEqual(least)
      }
    }
  })

  it('good and bad are not told by red and green alone: their lightness or blue differs too', () => {
    for (const seen of Object.values(VISIONS)) {
      expect(distance(seen(color('good')), seen(color('bad')))).toBeGreaterThanOrEqual(4)
    }
  })
})
