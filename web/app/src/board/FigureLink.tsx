import type { ReactNode } from 'react'
import { Link } from 'react-router'

type Props = { to: string | null | undefined; className: string; label?: string; children: ReactNode }

/** A figure that opens to its rows when the server says where they are; only paths of this app. */
export function FigureLink({ to, className, label, children }: Props) {
  if (!to || !to.startsWith('/') || to.startsWith('//')) return <div className={className}>{children}</div>
  return (
    <Link to={to} className={className} aria-label={label}>
      {children}
    </Link>
  )
}
