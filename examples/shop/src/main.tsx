import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

// Apart, so that a look at the figures is no visit to the shop, and the shop loads no charts.
const Page = location.pathname === '/seller' ? (await import('./seller.tsx')).Seller : (await import('./shop.tsx')).Shop

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <Page />
  </StrictMode>,
)
