import { useEffect, useRef } from 'react'
import { SHORTCUTS } from './shortcuts.ts'

/** Lists the shortcuts, above the page. */
export function ShortcutsHelp({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} className="page-help nowcast nowcast-card" aria-labelledby="shortcuts" onClose={onClose}>
      <h2 id="shortcuts">Shortcuts</h2>
      <dl>
        {[...SHORTCUTS, { key: '?', says: 'This list' }].map(({ key, says }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
      <p className="page-hint">In a chart with the focus: arrows read it, + zooms in, − out.</p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}
