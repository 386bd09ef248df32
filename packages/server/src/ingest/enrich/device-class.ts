import type { Device } from '@nowcast/protocol'

/** In this order: a television also names Linux, a phone also names Windows. */
const CLASSES: readonly (readonly [Device, RegExp])[] = [
  [
    'tv',
    /\bTV\b|WebTV|tvOS|SmartTV|SMART-TV|GoogleTV|Google TV|AppleTV|Apple TV|HbbTV|\bDTV\b|InettvBrowser|NetCast|Web0S|\bRoku|CrKey|BRAVIA|AFT[A-Z]|Viera|PlayStation [345]|PLAYSTATION 3|Xbox|Nintendo (?:WiiU|Wii|Switch)/i,
  ],
  [
    'tablet',
    /iPad|\bTablet\b(?! PC)|Kindle|Silk\/(?!.*Mobile)|PlayBook|Nexus (?:7|9|10)\b|\bSM-[TX]\d|RIM Tablet|\bKF[A-Z]{2,4}\b|Android 3\./,
  ],
  [
    'mobile',
    /iPhone|iPod|Mobile|Android|Dalvik|IEMobile|Windows (?:Phone|CE|Mobile)|BlackBerry|BB10|Opera (?:Mini|Mobi)|Symbian|SymbOS|Series ?[346]0|\bS60|Nokia|MIDP|CLDC|Obigo|Teleca|NetFront|MQQBrowser|HUAWEI-|SonyEricsson|\biOS\b|UP\.Browser|UP\.Link|KDDI-|DoCoMo|FOMA|Wireless Transcoder|SoftBank\/|Vodafone\/|J-PHONE|WILLCOM|DDIPOCKET|jig ?browser|OpenBrowser|KaiOS|webOS|hpwOS|Palm|BREW|Bada|MeeGo|Maemo|Sailfish|PSP|PlayStation (?:Vita|Portable)|Nintendo (?:3DS|DSi?)|watchOS|UCWEB|\[FBAN\/(?:FB4A|FBIOS|PAAA)|FBDV\//i,
  ],
  [
    'desktop',
    /Windows|\bWin(?:9[58]|NT|32|64)|Macintosh|Mac_PowerPC|Mac OS X|MacBook|x86_64|X11|Linux|BSD|SunOS|CrOS|OS\/2|BeOS|Haiku|Darwin|Sleipnir/,
  ],
]
/** Apple's network library with no computer named: an app of a phone. */
const PHONE_NETWORK = /CFNetwork\/[\d.]+ Darwin\/(?!.*(?:x86_64|i386|Mac))/

/** What kind of device a browser's User-Agent names; `other` when it names none. */
export function deviceClass(userAgent: string): Device {
  if (PHONE_NETWORK.test(userAgent) && !userAgent.includes('iPad')) return 'mobile'
  // An iPad calls itself a Mac, but for browsers that are not Safari.
  if (/Macintosh.*(?:CriOS|FxiOS|EdgiOS)\//.test(userAgent)) return 'tablet'
  const found = CLASSES.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? 'other'
  // An Android that does not say Mobile is a tablet, by Google's own rule for Chrome.
  const isAndroid = found === 'mobile' && /Android/.test(userAgent) && /Chrome\/|Version\/4/.test(userAgent)
  return isAndroid && !/Mobile/i.test(userAgent) ? 'tablet' : found
}
