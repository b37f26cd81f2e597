import { Link, NavLink } from 'react-router'
import { useSettings } from '../api/settings'
import { useLanguage } from '../i18n'
import { Joint } from '../parts/Joint'
import { useMenu } from './menu'

/** The menu at the left of a desktop. */
export function SideMenu() {
  const { t } = useLanguage()
  const settings = useSettings()
  const entries = useMenu()
  return (
    <nav className="side" aria-label={t('shell.menu')}>
      <Link to="/orders" className="brand">
        <Joint />
        <span>榫 Tenon</span>
      </Link>
      <ul className="side__list">
        {entries.map((entry) => (
          <li key={entry.to}>
            <NavLink to={entry.to} className="side__link">
              {entry.icon}
              {t(entry.label)}
            </NavLink>
          </li>
        ))}
      </ul>
      {settings && <div className="side__foot">{t('shell.version', { version: settings.version })}</div>}
    </nav>
  )
}
