/** The address that takes events, for a server whose base address is `url`. */
export const endpointOf = (url: string) => `${url.replace(/\/+$/, '')}/v1/events`
