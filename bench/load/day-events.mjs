const COUNTRIES = ['US', 'DE', 'GB', 'FR', 'JP', 'BR', 'IN', 'CA']
const NAMES = ['page_view', 'page_view', 'click', 'purchase', 'error', 'search']

/**
 * Makes the events of a shop's day, as its server sends them.
 * @returns function from an event's number and time (epoch ms) to the event
 */
export function dayEvents() {
  let state = 0
  const random = (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return (number, timestamp) => ({
    id: `day-${number}`,
    name: NAMES[random(NAMES.length)],
    userId: `u${random(200_000)}`,
    timestamp,
    category: `category ${random(8)}`,
    revenue: random(6) === 0 ? `${random(200)}.99` : undefined,
    context: { country: COUNTRIES[random(8)], device: ['desktop', 'mobile', 'tablet'][random(3)] },
  })
}
