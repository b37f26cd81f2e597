import { NavLink } from 'react-router'
import { useLanguage } from '../i18n'
import { ENTITIES } from './entities'
import './Masters.css'

/** The kinds of golden records. */
export function EntityTabs() {
  const { t } = useLanguage()
  return (
    <nav className="entity-tabs" aria-label={t('menu.masters')}>
      {ENTITIES.map((entity) => (
        <NavLink key={entity} to={`/masters/${entity}`} className="entity-tabs__tab">
          {t(`entity.${entity}`)}
        </NavLink>
      ))}
    </nav>
  )
}
