import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import '../src/style.css'
import { Page } from './page.tsx'
import './page.css'

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
)
