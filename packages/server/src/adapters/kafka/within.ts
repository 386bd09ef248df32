/** The outcome of `work`, or `tooLate()` as an error if it takes longer. The work itself goes on. */
export function within<T>(ms: number, work: Promise<T>, tooLate: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate()), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
