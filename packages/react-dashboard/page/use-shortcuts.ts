import { useEffect, useRef } from 'react'
import type { Address } from './address.ts'
import { SHORTCUTS } from './shortcuts.ts'

export interface ShortcutsOptions {
  address: Address
  onAddress(change: Partial<Address>): void
  onHelp(): void
}

/** Listens to the page's shortcuts, except while something is typed or chosen. */
export function useShortcuts(options: ShortcutsOptions) {
  const latest = useRef(options)
  useEffect(() => {
    latest.current = options
  })
  useEffect(() => {
    function press(event: KeyboardEvent) {
      const { target, key } = event
      const isTyping = target instanceof Element && target.closest('input, select, textarea, dialog') !== null
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
      const { address, onAddress, onHelp } = latest.current
      if (key === '?') return onHelp()
      const shortcut = SHORTCUTS.find((one) => one.key === key)
      if (shortcut) onAddress(shortcut.act(address))
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}
