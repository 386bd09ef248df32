export const druidHome: string
export function hasDruid(): boolean
export function installDruid(): Promise<string | undefined>
