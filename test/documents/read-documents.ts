import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Folders whose every page counts, and folders of folders with a README each. */
const FOLDERS = ['', 'docs', 'docs/decisions']
const OF_FOLDERS = ['packages', 'examples']

/** A fenced block of a document. */
export interface Block {
  /** `docs/query.md:61`, where it begins. */
  place: string
  document: string
  language: string
  code: string
}

export interface Link {
  place: string
  /** Of the repository, for a relative link; undefined for the document itself. */
  file: string | undefined
  anchor: string | undefined
}

export interface Document {
  /** Of the repository's root. */
  path: string
  text: string
  blocks: Block[]
  /** Links to other files and to headings, without those to other sites. */
  links: Link[]
}

const FENCE = /^( *)```([^\n]*)\n(.*?)^\1```/gms
const INLINE_CODE = /`[^`\n]*`/g
const LINK = /!?\[[^\]]*\]\(([^()\s]+(?:\([^()]*\)[^()\s]*)?)\)|^\[[^\]]+\]: (\S+)/gm

/** Every document that a reader of the project meets. */
export function readDocuments(): Document[] {
  const pages = FOLDERS.flatMap((folder) => namesIn(folder).filter((name) => name.endsWith('.md')))
  const readmes = OF_FOLDERS.flatMap((folder) => namesIn(folder).map((name) => `${name}/README.md`))
  return [...pages, ...readmes.filter((path) => existsSync(join(ROOT, path)))]
    .sort()
    .map((path) => readDocument(path, readFileSync(join(ROOT, path), 'utf8')))
}

/** Paths from the root. */
function namesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).map((name) => join(folder, name))
}

function readDocument(path: string, text: string): Document {
  const placeOf = (index: number) => `${path}:${text.slice(0, index).split('\n').length}`
  const blocks = Array.from(text.matchAll(FENCE), ({ index, 2: language = '', 3: code = '' }) => ({
    place: placeOf(index),
    document: path,
    language: language.trim(),
    code,
  }))
  const links: Link[] = []
  // What is written in code is no link; its length stays, so that places do.
  const blank = (code: string) => code.replace(/[^\n]/g, ' ')
  for (const { index, 1: inline, 2: reference } of text
    .replace(FENCE, blank)
    .replace(INLINE_CODE, blank)
    .matchAll(LINK)) {
    const target = inline ?? (reference as string)
    if (/^[a-z]+:/i.test(target)) continue
    const [file, anchor] = target.split('#')
    const named = file ? relative(ROOT, join(ROOT, dirname(path), decodeURIComponent(file))) : undefined
    links.push({ place: placeOf(index), file: named, anchor })
  }
  return { path, text, blocks, links }
}

/** The anchors that GitHub makes of a document's headings. */
export function anchorsOf({ text }: Document): Set<string> {
  const seen = new Map<string, number>()
  const headings = text.replace(FENCE, '').matchAll(/^#{1,6} (.+)$/gm)
  return new Set(
    Array.from(headings, ([, heading = '']) => {
      const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
      const slug = words
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-')
      const before = seen.get(slug) ?? 0
      seen.set(slug, before + 1)
      return before === 0 ? slug : `${slug}-${before}`
    }),
  )
}
