/** Says which key is which, and where the one is found that is not shown. */
export function KeyHint({ isKnown }: { isKnown: boolean }) {
  return (
    <p className="page-hint">
      {isKnown
        ? 'The key in these lines is your project’s write key'
        : 'Put your project’s write key in place of the dots: your access does not include it. The server printed it at its first start, and keeps it in its data directory. It'}{' '}
      (<code>nc_pub_</code>){isKnown ? ', which' : ''} may be seen by everybody. The secret key (<code>nc_sec_</code>)
      stays on your servers, and is never shown here.
    </p>
  )
}
