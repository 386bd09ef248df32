import UPNG from 'upng-js'

/** Few pictures of a page need more. */
const COLOURS = 256

/** The same picture in at most 256 colours: a third to a half of the bytes. */
export function smallPng(png) {
  const image = UPNG.decode(png)
  return Buffer.from(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, COLOURS))
}
