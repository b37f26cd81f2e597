import { Link, useLocation } from 'react-router'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { Page } from '../parts/Page'

/** No such address. */
export function NotFound() {
  const { t } = useLanguage()
  const { pathname } = useLocation()
  return (
    <Page title={t('notfound.title')}>
      <div className="card">
        <Empty title={t('notfound.text', { path: pathname })}>
          <Link to="/orders">{t('forbidden.home')}</Link>
        </Empty>
      </div>
    </Page>
  )
}
