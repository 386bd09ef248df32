/** Listens to an event, ahead of listeners inside of `target`; returns how to stop. */
export function listen<E extends Event>(target: EventTarget, type: string, handle: (event: E) => void): () => void {
  target.addEventListener(type, handle as EventListener, true)
  return () => target.removeEventListener(type, handle as EventListener, true)
}
