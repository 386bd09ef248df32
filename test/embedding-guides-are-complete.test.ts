import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from './documents/read-documents.ts'

const SOURCE = join(ROOT, 'packages/react-dashboard/src')
const read = (path: string) => readFileSync(join(SOURCE, path), 'utf8')
const guide = readFileSync(join(ROOT, 'docs/embedding.md'), 'utf8')
const theming = readFileSync(join(ROOT, 'docs/theming.md'), 'utf8')
const readme = readFileSync(join(ROOT, 'packages/react-dashboard/README.md'), 'utf8')

/** What is exported by name and begins like a component or a hook. */
const exported = Array.from(
  read('index.ts').matchAll(
    /^export \{ (?:type \w+, )?(\w+)(?:, type \w+)? \} from '\.\/((?:components|hooks)\/[^']+)'/gm,
  ),
  ([, name = '', path = '']) => ({ name, path }),
)

/** The text below the heading that names a component, up to the next heading. */
function sectionOf(name: string): string {
  const section = guide.split(/^(?=##+ )/m).find((part) => part.split('\n')[0]?.includes(`\`${name}\``))
  return section ?? ''
}

/** The props that a component's file, or that of the tiles, declares. */
function propsOf(path: string): string[] {
  const own = read(path)
  const text = own.includes('OverviewTileProps') ? read('components/overview-tile.tsx') : own
  const body = /^export interface \w+Props \{\n(.*?)^\}/ms.exec(text)?.[1] ?? ''
  return Array.from(body.matchAll(/^ {2}(\w+)\??[:(]/gm), ([, prop = '']) => prop)
}

it('every component and hook has its place in the guide', () => {
  expect(exported.length).toBeGreaterThan(15)
  const missing = exported.filter(({ name }) =>
    name.startsWith('use') ? !guide.includes(`| \`${name}\``) : sectionOf(name) === '',
  )
  expect(missing).toEqual([])
})

it('every prop is named where its component is', () => {
  const components = exported.filter(({ name }) => /^[A-Z]/.test(name))
  const missing = components.flatMap(({ name, path }) =>
    propsOf(path)
      .filter((prop) => !sectionOf(name).includes(`\`${prop}\``))
      .map((prop) => `${name}: ${prop}`),
  )
  expect(components.map(({ path }) => propsOf(path).length).reduce((sum, count) => sum + count)).toBeGreaterThan(50)
  expect(missing).toEqual([])
})

it('every prop is in the table of the README too, or what all components take', () => {
  const rowOf = (name: string) => readme.split('\n').find((line) => line.startsWith(`| \`${name}\` `)) ?? ''
  const OF_MANY = ['className', 'renderValue']
  const components = exported.filter(({ name }) => /^[A-Z]/.test(name) && name !== 'NowcastProvider')
  const missing = components.flatMap(({ name, path }) =>
    propsOf(path)
      .filter((prop) => !OF_MANY.includes(prop) && !rowOf(name).includes(`\`${prop}\``))
      .map((prop) => `${name}: ${prop}`),
  )
  expect(missing).toEqual([])
})

it('every class name that is promised is one that is drawn', () => {
  const components = readdirSync(join(SOURCE, 'components')).map((name) => read(`components/${name}`))
  const drawn = new Set(components.join('\n').match(/nowcast(?:-[a-z]+)+/g))
  const promised = new Set(`${guide}${readme}`.match(/(?<=`)nowcast(?:-[a-z]+)+(?=`)/g))
  expect(promised.size).toBeGreaterThan(50)
  expect([...promised].filter((name) => !drawn.has(name))).toEqual([])
})

it('every variable of the style sheet is in the guide, with its value for light and dark', () => {
  const tokens = read('style/tokens.css')
  const variables = Array.from(
    tokens.matchAll(/--_nowcast-[\w-]+: var\(\s*(--nowcast-[\w-]+),\s*(?:light-dark\((#\w+), (#\w+)\))?/g),
    ([, name = '', light, dark]) => ({ name, light, dark }),
  )
  expect(variables.length).toBeGreaterThan(20)
  const row = (name: string) =>
    theming.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${name}\``)) ?? ''
  for (const { name, light, dark } of variables) {
    if (/series-[2-9]$/.test(name)) continue
    expect(row(name), name).not.toBe('')
    if (light && !/series-\d+$/.test(name)) expect(row(name), name).toMatch(new RegExp(`${light}.*${dark}`))
  }
})

it('every group of words is in the guide', () => {
  const english = /^export const LABELS: Labels = \{\n(.*?)^\}/ms.exec(read('labels.ts'))?.[1] ?? ''
  const groups = Array.from(english.matchAll(/^ {2}(\w+): \{/gm), ([, group = '']) => group)
  expect(groups.length).toBeGreaterThan(8)
  expect(groups.filter((group) => !guide.includes(`\`${group}\``))).toEqual([])
})
