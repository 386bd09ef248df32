/** One simple command of a shell snippet: its words, without assignments, redirections and comments. */
export type ShellCommand = string[]

const WORD = /"((?:[^"\\]|\\.)*)"|'([^']*)'|(\\.|[^\s"'\\])/gs

/** The simple commands of a snippet, in their order, those inside `$(…)` too. */
export function shellCommands(code: string): ShellCommand[] {
  const commands: ShellCommand[] = []
  const outer = code.replace(/\\\n/g, ' ').replace(/\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)/g, (_, inner: string) => {
    commands.push(...shellCommands(inner))
    return '$VALUE'
  })
  for (const words of splitWords(outer)) {
    const from = words.findIndex((word) => !/^[A-Z_]+=|^export$|^sudo$/.test(word))
    if (from >= 0) commands.push(withoutUser(words.slice(from)))
  }
  return commands
}

/** `-u nowcast nowcast token` of a sudo that was taken away. */
function withoutUser(words: string[]): string[] {
  return words[0] === '-u' ? words.slice(2) : words
}

function splitWords(code: string): string[][] {
  const commands: string[][] = [[]]
  let word: string | undefined
  const endWord = () => {
    if (word !== undefined) commands.at(-1)?.push(word)
    word = undefined
  }
  let at = 0
  while (at < code.length) {
    const char = code[at] as string
    WORD.lastIndex = at
    const match = WORD.exec(code)
    if (char === '#' && word === undefined) {
      const end = code.indexOf('\n', at)
      at = end < 0 ? code.length : end
    } else if (/[\n|;&]/.test(char)) {
      endWord()
      commands.push([])
      at++
    } else if (/\s/.test(char) || !match || match.index !== at) {
      endWord()
      at++
    } else {
      word = (word ?? '') + (match[1] ?? match[2] ?? match[3])
      at += match[0].length
    }
  }
  endWord()
  return commands.filter((words) => words.length > 0)
}
