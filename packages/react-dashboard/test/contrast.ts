import type { Page } from 'playwright-core'

/** Texts on the page whose contrast with what lies behind them is below AA, each with its ratio. */
export function textsBelowAa(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!
    const root = document.documentElement
    const paper = matchMedia('(prefers-color-scheme: dark)').matches ? '#000' : '#fff'

    function mixed(colors: string[]): number[] {
      context.clearRect(0, 0, 1, 1)
      for (const color of colors) {
        context.fillStyle = color
        context.fillRect(0, 0, 1, 1)
      }
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
    }

    function luminance(rgb: number[]): number {
      const [r = 0, g = 0, b = 0] = rgb.map((part) => {
        const share = part / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    function behind(element: Element): string[] {
      const colors: string[] = []
      for (let one: Element | null = element; one; one = one.parentElement) {
        colors.unshift(getComputedStyle(one).backgroundColor)
      }
      return [paper, ...colors]
    }

    const below: string[] = []
    for (const element of root.querySelectorAll('body *')) {
      const text = [...element.childNodes]
        .filter((node) => node.nodeType === Node.TEXT_NODE)
        .map((node) => node.textContent)
      const { color, fill, visibility } = getComputedStyle(element)
      const isDisabled = element.closest(':disabled') !== null
      if (!text.join('').trim() || visibility === 'hidden' || isDisabled) continue
      const back = behind(element)
      const ink = element.closest('svg') ? fill : color
      const [light = 0, dark = 0] = [luminance(mixed([...back, ink])), luminance(mixed(back))].sort((a, b) => b - a)
      const ratio = (light + 0.05) / (dark + 0.05)
      if (ratio < 4.5) below.push(`${text.join('').trim()} ${ratio.toFixed(2)}`)
    }
    return below
  })
}
