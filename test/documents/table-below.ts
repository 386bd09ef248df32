import type { Document } from './read-documents.ts'

/** The cells of the first table below a heading, without its head; none where another heading comes first. */
export function tableBelow({ path, text }: Document, heading: string): string[][] {
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`${path} has no heading ${heading}`)
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
}

/** `--port <number>` of `` `--port <number>` ``. */
export function codeOf(cell: string | undefined): string {
  return /^`([^`]+)`$/.exec(cell ?? '')?.[1] ?? ''
}
