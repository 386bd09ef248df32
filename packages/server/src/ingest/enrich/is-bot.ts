import { isbot } from 'isbot'

/** Parts of browsers' names that are taken for bots. */
const BROWSER_WORDS =
  /chromeframe|GoogleT\d|Google Wireless Transcoder|Google ?TV|MozillaDeveloperPreview|AppleNews|CFNetwork|\bJava\/(?:ASVM|QVM)\S*|java_build_version\S*|\bBada\/[\d.]+;?/gi
/** Apps and browsers, of phones mostly, which name their device and not Mozilla. */
const PHONE_APP =
  /^\[FBAN\/|^Sleipnir\/|DDIPOCKET|\bMIDP-\d|^Dalvik\/|^JUC ?\(Linux;|\((?:[^()]*[;,] ?)?(?:iPhone|iPad|Watch)\d*(?:,\d+)?[;,)]|CFNetwork\/[\d.]+ Darwin\/|\bwatchOS[/ ]\d/
const ROBOTIC = /bot|crawl|spider|fetch|feed|monitor|scan|https?:|rss/i
/** Tools that measure pages with a browser of their own. */
const MEASURING = /GTmetrix|Miniature\.io|YLT Chrome/

/** Whether a User-Agent is of a program that nobody looks at. */
export function isBot(userAgent: string): boolean {
  if (!isbot(userAgent)) return MEASURING.test(userAgent)
  if (PHONE_APP.test(userAgent) && !/^Mozilla\/[45]/.test(userAgent) && !ROBOTIC.test(userAgent)) return false
  // Some proxies write + for every space.
  const spaced = userAgent.startsWith('Mozilla/5.0+(') ? userAgent.replaceAll('+', ' ') : userAgent
  const plain = spaced.replace(BROWSER_WORDS, '')
  return plain === userAgent || isbot(plain)
}
