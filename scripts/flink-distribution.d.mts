export const flinkHome: string
export function hasFlink(): boolean
export function installFlink(): Promise<string | undefined>
