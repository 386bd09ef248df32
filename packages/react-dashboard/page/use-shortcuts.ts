import { useEffect, useRef } from 'react'
import { SECTIONS, type Section } from './address.ts'

/** The digits open the parts of the page, except while something is typed. */
export function useShortcuts(open: (section: Section) => void) {
  const latest = useRef(open)
  useEffect(() => {
    latest.current = open
  })
  useEffect(() => {
    function press(event: KeyboardEvent) {
      const isTyping = event.target instanceof Element && event.target.closest('input, select, textarea') !== null
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return
      const section = SECTIONS[Number(event.key) - 1]
      if (section) latest.current(section)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}
