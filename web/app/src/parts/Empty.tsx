import type { ReactNode } from 'react'
import './Empty.css'

/** Nothing to show, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <svg width="48" height="36" viewBox="0 0 48 36" aria-hidden="true">
        <path d="M2 8h20v8h9v8h-9v8H2z" fill="none" stroke="#aab5b0" strokeWidth="1.5" />
        <path d="M34 8h12v24H34v-5h6V13h-6z" fill="none" stroke="#d8c08c" strokeWidth="1.5" />
      </svg>
      <p className="empty__title">{title}</p>
      {children && <div className="muted">{children}</div>}
    </div>
  )
}
