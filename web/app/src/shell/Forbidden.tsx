import { Link } from 'react-router'
import { useLanguage, type Key } from '../i18n'
import { Empty } from '../parts/Empty'
import { Page } from '../parts/Page'

const WHO: Partial<Record<string, Key>> = {
  'boards.read': 'forbidden.managers',
  'sources.read': 'forbidden.managers',
  'flows.read': 'forbidden.managers',
  'travelers.print': 'forbidden.managers',
  'orders.manage': 'forbidden.planners',
  'masters.read': 'forbidden.managers',
  'definitions.read': 'forbidden.planners',
  'users.manage': 'forbidden.admins',
}

/** The page of somebody else: for whom it is, and whom to ask. */
export function Forbidden({ capability }: { capability: string }) {
  const { t } = useLanguage()
  return (
    <Page title={t('forbidden.title')}>
      <div className="card">
        <Empty title={t(WHO[capability] ?? 'forbidden.others')}>
          <p>{t('forbidden.ask')}</p>
          <p style={{ marginTop: 12 }}>
            <Link to="/orders">{t('forbidden.home')}</Link>
          </p>
        </Empty>
      </div>
    </Page>
  )
}
