/** Red, green and blue of linear light, each 0–1. */
export type LinearColor = readonly [number, number, number]

type Matrix = readonly [LinearColor, LinearColor, LinearColor]

/**
 * What dichromats see, in linear light: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A Physiologically-based
 * Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, table for severity 1.0.
 */
const MACHADO: Record<string, Matrix> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
}

/** How a color is seen, by the kind of vision. */
export const VISIONS: Record<string, (color: LinearColor) => LinearColor> = {
  'full color vision': (color) => color,
  ...Object.fromEntries(
    Object.entries(MACHADO).map(([name, matrix]) => [name, (color: LinearColor) => transform(matrix, color)]),
  ),
}

function transform(matrix: Matrix, color: LinearColor): LinearColor {
  const mix = (row: LinearColor) => Math.min(1, Math.max(0, row[0] * color[0] + row[1] * color[1] + row[2] * color[2]))
  return [mix(matrix[0]), mix(matrix[1]), mix(matrix[2])]
}

/** Reads `#rrggbb`. */
export function linearColor(hex: string): LinearColor {
  const part = (from: number) => {
    const share = Number.parseInt(hex.slice(from, from + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }
  return [part(1), part(3), part(5)]
}

/** Contrast ratio of WCAG 2: 1 to 21. */
export function contrast(one: LinearColor, other: LinearColor): number {
  const luminance = ([r, g, b]: LinearColor) => 0.2126 * r + 0.7152 * g + 0.0722 * b
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** Distance in Oklab (B. Ottosson, 2020) times 100; 2 can just be told beside each other. */
export function distance(one: LinearColor, other: LinearColor): number {
  const [a, b] = [oklab(one), oklab(other)]
  return 100 * Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

function oklab([r, g, b]: LinearColor): LinearColor {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}
