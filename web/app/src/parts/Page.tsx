import { useEffect, type ReactNode } from 'react'
import './Page.css'

type Props = {
  title: string
  hint?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

/** A page with its title, one line of explanation and its actions. */
export function Page({ title, hint, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · 榫 Tenon`
  }, [title])
  return (
    <div className="page">
      <header className="page__head">
        <div className="page__title">
          <h1>{title}</h1>
          {hint && <p className="muted">{hint}</p>}
        </div>
        {actions && <div className="page__actions">{actions}</div>}
      </header>
      {children}
    </div>
  )
}
