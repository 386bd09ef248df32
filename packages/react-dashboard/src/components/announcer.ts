/** How long something waits for what else there is to say, ms: questions are answered in turn, each once a second. */
const GATHER_MS = 2000
const TOLD_AT_MOST = 3

interface Message {
  text: string
  say(text: string): void
}

/** Takes something to say; what it returns takes it back, if it was not said yet. */
export type Announce = (text: string, say: (text: string) => void) => () => void

/** Gathers what the charts of a page have to say in one moment, so that one of them says all of it, once. */
export function createAnnouncer(): Announce {
  let waiting: Message[] = []

  function flush() {
    const texts = [...new Set(waiting.map(({ text }) => text))]
    const told = texts.slice(0, TOLD_AT_MOST)
    if (texts.length > told.length) told.push(`+${texts.length - told.length}`)
    const [first] = waiting
    waiting = []
    first?.say(told.join('. '))
  }

  return (text, say) => {
    const message = { text, say }
    if (waiting.length === 0) setTimeout(flush, GATHER_MS)
    waiting.push(message)
    return () => {
      waiting = waiting.filter((one) => one !== message)
    }
  }
}
