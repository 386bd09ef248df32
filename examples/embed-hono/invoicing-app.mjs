// The existing app: a login, and invoices that get paid. Of Nowcast it knows two functions that it is handed.
import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { getSignedCookie, setSignedCookie } from 'hono/cookie'
import { html } from 'hono/html'

// Stands for your user table; yours holds hashes of passwords.
const USERS = new Map([
  ['ada', { password: 'ada', tenant: 'acme' }],
  ['gus', { password: 'gus', tenant: 'globex' }],
])
const cookieSecret = randomBytes(32).toString('base64url')

/**
 * @param {(invoice: { user: string, tenant: string, amount: string }) => void} onPaid
 * @param {(tenant: string) => Promise<string>} readTokenFor a token that shows the tenant's figures and no others
 */
export function createInvoicingApp({ onPaid, readTokenFor }) {
  const app = new Hono()

  app.post('/login', async (context) => {
    const { user, password } = await context.req.parseBody()
    if (USERS.get(user)?.password !== password) return context.text('Wrong name or password.', 401)
    await setSignedCookie(context, 'user', user, cookieSecret, { httpOnly: true, sameSite: 'Strict' })
    return context.redirect('/', 303)
  })

  app.get('/', async (context) => {
    const user = await getSignedCookie(context, cookieSecret, 'user')
    if (!user)
      return context.html(html`<title>Invoices</title><link rel="icon" href="data:,">
        <form method="post" action="/login">
          <label>Name <input name="user"></label> <label>Password <input name="password" type="password"></label>
          <button>Log in</button>
        </form>`)
    return context.html(html`<title>Invoices</title><link rel="icon" href="data:,">
      <p>Hello ${user} of ${USERS.get(user).tenant}.</p>
      <form method="post" action="/invoices">
        <label>Amount <input name="amount" value="120.00"></label> <button>Mark as paid</button>
      </form>
      <a href="/figures">Our figures</a>`)
  })

  // Below this line one is logged in.
  app.use(async (context, next) => {
    const user = await getSignedCookie(context, cookieSecret, 'user')
    if (!user) return context.text('Log in first, at /.', 401)
    context.set('user', user)
    context.set('tenant', USERS.get(user).tenant)
    await next()
  })

  app.post('/invoices', async (context) => {
    const { amount } = await context.req.parseBody()
    if (!/^\d{1,6}(\.\d{1,2})?$/.test(amount)) return context.text('An amount looks like 120.00.', 400)
    onPaid({ user: context.get('user'), tenant: context.get('tenant'), amount })
    return context.redirect('/', 303)
  })

  // For the components of @nowcast/react: <NowcastProvider token={() => fetch('/read-token').then((r) => r.text())}>
  app.get('/read-token', async (context) => context.text(await readTokenFor(context.get('tenant'))))

  // Or without a page of one's own: Nowcast's, which takes the token out of its address at once.
  app.get('/figures', async (context) =>
    context.redirect(`/analytics/#token=${await readTokenFor(context.get('tenant'))}`),
  )
  return app
}
