/** Ports of this machine that nobody listens on now. */
export function freePorts(count: number): Promise<number[]>
/** One such port. */
export function freePort(): Promise<number>
/** Whether somebody listens on a port of this machine. */
export function isListening(port: number): Promise<boolean>
