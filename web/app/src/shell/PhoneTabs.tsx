import { Drawer } from 'antd'
import { useState } from 'react'
import { NavLink, useLocation } from 'react-router'
import { useLanguage, type Key } from '../i18n'
import { useMenu } from './menu'

const FIRST = 3
const SHORT: Partial<Record<string, Key>> = { '/orders': 'tab.orders', '/board': 'tab.board', '/order-changes': 'tab.changes', '/tasks': 'tab.tasks' }

/** The tabs at the foot of a phone; what does not fit is behind the last one. */
export function PhoneTabs() {
  const { t } = useLanguage()
  const entries = useMenu()
  const { pathname } = useLocation()
  const [more, setMore] = useState(false)
  if (entries.length < 2) return null
  const rest = entries.slice(FIRST)
  const within = rest.some((entry) => pathname.startsWith(entry.to))
  return (
    <nav className="tabs" aria-label={t('shell.menu')}>
      {entries.slice(0, FIRST).map((entry) => (
        <NavLink key={entry.to} to={entry.to} className="tabs__tab">
          {entry.icon}
          {t(SHORT[entry.to] ?? entry.label)}
        </NavLink>
      ))}
      {rest.length > 0 && (
        <button
          type="button"
          className={`bare tabs__tab${within ? ' active' : ''}`}
          aria-expanded={more}
          onClick={() => setMore(true)}
        >
          <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
            <path d="M3 5h12M3 9h12M3 13h12" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
          </svg>
          {t('tab.more')}
        </button>
      )}
      <Drawer open={more} onClose={() => setMore(false)} placement="bottom" size={420} title={t('shell.menu')}>
        {rest.map((entry) => (
          <NavLink key={entry.to} to={entry.to} className="side__link" onClick={() => setMore(false)}>
            {entry.icon}
            {t(entry.label)}
          </NavLink>
        ))}
      </Drawer>
    </nav>
  )
}
