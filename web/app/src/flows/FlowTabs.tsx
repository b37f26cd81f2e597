import { NavLink } from 'react-router'
import { useLanguage } from '../i18n'
import '../masters/Masters.css'

/** The flows, and what they did. */
export function FlowTabs() {
  const { t } = useLanguage()
  return (
    <nav className="entity-tabs" aria-label={t('menu.flows')}>
      <NavLink to="/flows" end className="entity-tabs__tab">
        {t('flows.tab')}
      </NavLink>
      <NavLink to="/flows/runs" className="entity-tabs__tab">
        {t('flows.runs')}
      </NavLink>
    </nav>
  )
}
